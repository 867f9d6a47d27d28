"""From ports as typed to ports in a pod, with kubectl's rules and words.

kubectl does this once, with the pod it chose at the start. Here ``resolve`` does the same, and ``port_in`` answers
again for every other pod, because a container port's name may stand for another number there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fairlead.errors import NoSuchPortError, UsageError
from fairlead.model.objects import ContainerPort, Pod, Service, ServicePort
from fairlead.model.target import Local, PortSpec, TargetPort
from fairlead.policy.portspec import parse_number


def resolve(ports: Sequence[PortSpec], pod: Pod, service: Service | None = None) -> tuple[TargetPort, ...]:
    """Resolve every port in the pod that kubectl would take.

    Raises NoSuchPortError for a port that the object has not, UsageError for one that cannot be forwarded.
    """
    declared: Iterable[tuple[int, str]] = (
        [(port.port, port.protocol) for port in service.ports]
        if service is not None
        else [(port.port, port.protocol) for port in pod.ports]
    )
    # All are checked for UDP before any is translated, so that the first error is kubectl's.
    for spec in ports:
        _refuse_udp(spec, declared, pod, service)
    return tuple(_in_service(spec, service, pod) if service is not None else _in_pod(spec, pod) for spec in ports)


def port_in(port: TargetPort, pod: Pod, service: Service | None = None) -> int | None:
    """Return the number of a resolved port in another pod, or None if that pod has no such port."""
    try:
        if service is not None and port.service_port is not None:
            return _target(service, port.service_port, pod)
        number = _number(port.spec.remote)
        return _named(pod, port.spec.remote) if number is None else number
    except NoSuchPortError:
        return None


def ignored_targets(ports: Iterable[TargetPort], service: Service | None) -> list[str]:
    """One sentence for each port of a headless service whose targetPort is another one, which kubectl ignores."""
    if service is None or not service.headless:
        return []
    declared = {port.service_port: _declared(service, port.service_port or 0) for port in ports}
    return [
        f"{service.name} is headless: port {port.port} of its pods is used, as in the cluster, and not the targetPort "
        f"{port.target}"
        for port in declared.values()
        if port is not None and port.target not in (None, port.port)
    ]


def service_port_name(port: TargetPort, service: Service) -> str | None:
    """Return the name under which EndpointSlices list a resolved port; None if the service has it no more."""
    found = _declared(service, port.service_port or 0)
    return None if found is None else found.name


def _in_pod(spec: PortSpec, pod: Pod) -> TargetPort:
    number = _number(spec.remote)
    if number is None:
        number = _named(pod, spec.remote)
    else:
        # With one part kubectl parses it as LOCAL first, and says so.
        number = parse_number(spec.remote, "local" if spec.local is None else "remote")
    return TargetPort(spec, _local(spec, number), _positive(number), None)


def _in_service(spec: PortSpec, service: Service, pod: Pod) -> TargetPort:
    number = _number(spec.remote)
    if number is None:
        number = _named_in_service(service, spec.remote)
    remote = _target(service, number, pod)
    return TargetPort(spec, _local(spec, number), _positive(remote), number)


def _local(spec: PortSpec, same: int) -> int | Local:
    return same if spec.local is None else spec.local


def _positive(number: int) -> int:
    if number == 0:
        raise UsageError("remote port must be > 0", remedy="port 0 cannot be connected to")
    return number


def _number(text: str) -> int | None:
    """Return what Go's Atoi takes for a number; None is a name. The range is judged later."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    # 18 digits fit Go's int; what is longer is a name to Atoi too (out of range).
    if not digits or len(digits) > 18 or not (digits.isascii() and digits.isdecimal()):
        return None
    return int(text)


def _target(service: Service, number: int, pod: Pod) -> int:
    """Return the port in a pod behind a service port."""
    port = _declared(service, number)
    if port is None:
        raise NoSuchPortError(
            f"Service {service.name} does not have a service port {number}", remedy=offer(service.ports)
        )
    if service.headless or port.target is None:
        return port.port
    return port.target if isinstance(port.target, int) else _named(pod, port.target)


def _declared(service: Service, number: int) -> ServicePort | None:
    return next((port for port in service.ports if port.port == number), None)


def _named_in_service(service: Service, name: str) -> int:
    for port in service.ports:
        if port.name == name:
            return port.port
    raise NoSuchPortError(f"Service '{service.name}' does not have a named port '{name}'", remedy=offer(service.ports))


def _named(pod: Pod, name: str) -> int:
    for port in (*pod.ports, *pod.init_ports):
        if port.name == name:
            return port.port
    raise NoSuchPortError(
        f"Pod '{pod.name}' does not have a named port '{name}'", remedy=offer((*pod.ports, *pod.init_ports))
    )


def _refuse_udp(spec: PortSpec, declared: Iterable[tuple[int, str]], pod: Pod, service: Service | None) -> None:
    number = _number(spec.remote)
    if number is None:
        number = _named(pod, spec.remote) if service is None else _named_in_service(service, spec.remote)
    protocols = {protocol for port, protocol in declared if port == number}
    if "UDP" in protocols and "TCP" not in protocols:
        raise UsageError(
            f"UDP protocol is not supported for {spec.remote}",
            remedy="the API server's port forwarding carries TCP only",
        )


def offer(ports: Sequence[ContainerPort | ServicePort]) -> str:
    """Name the ports there are, since the wrong one was asked for."""
    if not ports:
        return "it declares no ports"
    shown = ", ".join(f"{port.name}={port.port}" if port.name else str(port.port) for port in ports[:10])
    return f"it has {shown}" + (", ..." if len(ports) > 10 else "")
