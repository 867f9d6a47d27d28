"""Containers of pods and of templates."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from fairlead.lab.registry import names, quantity, status
from fairlead.lab.registry.status import Cause
from fairlead.lab.registry.validation.meta import not_negative, one_of, texts
from fairlead.lab.registry.values import Object

PROTOCOLS = ("SCTP", "TCP", "UDP")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_KNOWN_FIELDS = (
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
    "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName", "status.phase", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_ALONE = "may not be set for init containers without restartPolicy=Always"


def check(containers: Sequence[Object], volumes: Collection[str], field: str) -> Iterator[Cause]:
    """Those that run."""
    if not containers:
        yield status.required(field)
    seen: set[str] = set()
    for index, container in enumerate(containers):
        place = f"{field}[{index}]"
        yield from _check_one(container, volumes, place)
        yield from _unseen(container, seen, place)
        yield from _life(container, place)
    yield from _host_ports(containers, field)


def check_init(
    containers: Sequence[Object], others: Sequence[Object], volumes: Collection[str], field: str
) -> Iterator[Cause]:
    """Those that run before, or beside if they always restart."""
    seen = {other.get("name", "") for other in others}
    for index, container in enumerate(containers):
        place = f"{field}[{index}]"
        yield from _check_one(container, volumes, place)
        yield from _unseen(container, seen, place)
        yield from _host_ports([container], field)
        if container.get("restartPolicy") == "Always":
            yield from _life(container, place)
        else:
            for name in ("lifecycle", *_PROBES):
                if name in container:
                    yield status.not_allowed(f"{place}.{name}", _ALONE)


def check_ephemeral(
    containers: Sequence[Object], others: Sequence[Object], volumes: Collection[str], field: str
) -> Iterator[Cause]:
    """Those that are added to a pod that runs."""
    seen = {other.get("name", "") for other in others}
    named = set(seen)
    for index, container in enumerate(containers):
        place = f"{field}[{index}]"
        yield from _check_one(container, volumes, place)
        yield from _unseen(container, seen, place)
        target = container.get("targetContainerName")
        if target and target not in named:
            yield status.unknown(f"{place}.targetContainerName", target)
        for name in ("ports", "lifecycle", *_PROBES):
            if container.get(name):
                yield status.not_allowed(f"{place}.{name}", "cannot be set for an Ephemeral Container")


def _unseen(container: Object, seen: set[str], place: str) -> Iterator[Cause]:
    name = container.get("name", "")
    if name and name in seen:
        yield status.duplicate(f"{place}.name", name)
    seen.add(name)


def _check_one(container: Object, volumes: Collection[str], place: str) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield status.required(f"{place}.name")
    else:
        yield from texts(f"{place}.name", name, names.label(name))
    if not container.get("image"):
        yield status.required(f"{place}.image")
    elif container["image"].strip() != container["image"]:
        why = "must not have leading or trailing whitespace"
        yield status.invalid(f"{place}.image", container["image"], why)
    policies = ("File", "FallbackToLogsOnError")
    yield from one_of(container.get("terminationMessagePolicy"), policies, f"{place}.terminationMessagePolicy")
    yield from _ports(container.get("ports", ()), f"{place}.ports")
    yield from _variables(container, place)
    yield from _mounts(container.get("volumeMounts", ()), volumes, f"{place}.volumeMounts")
    yield from one_of(container.get("imagePullPolicy"), _PULL_POLICIES, f"{place}.imagePullPolicy")
    yield from one_of(container.get("restartPolicy"), _RESTART_POLICIES, f"{place}.restartPolicy")
    yield from resources(container.get("resources", {}), f"{place}.resources")
    yield from ids(container.get("securityContext", {}), f"{place}.securityContext")


def _ports(ports: Sequence[Object], field: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        place, name = f"{field}[{index}]", port.get("name", "")
        if name:
            wrong = names.port_name(name)
            yield from texts(f"{place}.name", name, wrong)
            if not wrong and name in seen:
                yield status.duplicate(f"{place}.name", name)
            seen.add(name)
        if not port.get("containerPort"):
            yield status.required(f"{place}.containerPort")
        else:
            yield from texts(f"{place}.containerPort", port["containerPort"], names.port(port["containerPort"]))
        if port.get("hostPort"):
            yield from texts(f"{place}.hostPort", port["hostPort"], names.port(port["hostPort"]))
        yield from one_of(port.get("protocol"), PROTOCOLS, f"{place}.protocol")


def _host_ports(containers: Sequence[Object], field: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports", ())):
            if port.get("hostPort"):
                told = f"{port.get('protocol', 'TCP')}/{port.get('hostIP', '')}/{port['hostPort']}"
                if told in seen:
                    yield status.duplicate(f"{field}[{index}].ports[{number}].hostPort", told)
                seen.add(told)


def check_shared_ports(containers: Sequence[Object], field: str) -> Iterator[Cause]:
    """Ports of containers in the network of their node."""
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports", ())):
            if port.get("hostPort") not in (None, 0, port.get("containerPort")):
                why = "must match `containerPort` when `hostNetwork` is true"
                yield status.invalid(f"{field}[{index}].ports[{number}].hostPort", port["hostPort"], why)


def _variables(container: Object, place: str) -> Iterator[Cause]:
    for index, variable in enumerate(container.get("env", ())):
        here = f"{place}.env[{index}]"
        if not variable.get("name"):
            yield status.required(f"{here}.name")
        else:
            yield from texts(f"{here}.name", variable["name"], names.variable(variable["name"]))
        if "valueFrom" in variable:
            yield from _source(variable, f"{here}.valueFrom")
    for index, group in enumerate(container.get("envFrom", ())):
        here = f"{place}.envFrom[{index}]"
        yield from texts(f"{here}.prefix", group.get("prefix", ""), names.variable(group.get("prefix", "")))
        given = [name for name in ("configMapRef", "secretRef") if name in group]
        if not given:
            yield status.invalid(f"{place}.envFrom", "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            yield status.invalid(f"{place}.envFrom", "", "may not have more than one field specified at a time")
        for name in given:
            if not group[name].get("name"):
                yield status.required(f"{here}.{name}.name")


def _source(variable: Object, place: str) -> Iterator[Cause]:
    source = variable["valueFrom"]
    given = [name for name in _SOURCES if name in source]
    for name in given:
        yield from _reference(name, source[name], f"{place}.{name}")
    if not given:
        told = ", ".join(f"`{name}`" for name in _SOURCES[:-1])
        yield status.invalid(place, "", f"must specify one of: {told} or `{_SOURCES[-1]}`")
    elif variable.get("value"):
        yield status.invalid(place, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield status.invalid(place, "", "may not have more than one field specified at a time")


def _reference(kind: str, reference: Object, place: str) -> Iterator[Cause]:
    if kind in ("configMapKeyRef", "secretKeyRef"):
        yield from texts(f"{place}.name", reference.get("name", ""), names.subdomain(reference.get("name", "")))
        if not reference.get("key"):
            yield status.required(f"{place}.key")
        else:
            yield from texts(f"{place}.key", reference["key"], names.config_key(reference["key"]))
    elif kind == "fieldRef":
        path = reference.get("fieldPath", "")
        if not path:
            yield status.required(f"{place}.fieldPath")
        elif path not in _FIELDS and not path.startswith(("metadata.labels['", "metadata.annotations['")):
            if path in _KNOWN_FIELDS:
                yield status.not_supported(f"{place}.fieldPath", path, _FIELDS)
            else:
                why = f"error converting fieldPath: field label not supported: {path}"
                yield status.invalid(f"{place}.fieldPath", path, why)
    elif kind == "resourceFieldRef" and not reference.get("resource"):
        yield status.required(f"{place}.resource")


def _mounts(mounts: Sequence[Object], volumes: Collection[str], field: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        place, name, path = f"{field}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield status.required(f"{place}.name")
        if name not in volumes:
            yield status.unknown(f"{place}.name", name)
        if not path:
            yield status.required(f"{place}.mountPath")
        if path in seen:
            yield status.invalid(f"{place}.mountPath", path, "must be unique")
        seen.add(path)
        for sub in ("subPath", "subPathExpr"):
            yield from below(mount.get(sub, ""), f"{field}.{sub}")


def below(path: str, field: str) -> Iterator[Cause]:
    """A path that does not leave the folder that it starts in."""
    if path.startswith("/"):
        yield status.invalid(field, path, "must be a relative path")
    if ".." in path.split("/"):
        yield status.invalid(field, path, "must not contain '..'")


def resources(given: Object, field: str) -> Iterator[Cause]:
    """Requests and limits; the amounts can be read."""
    limits = given.get("limits", {})
    for part in ("limits", "requests"):
        for name, amount in given.get(part, {}).items():
            place = f"{field}.{part}[{name}]"
            if "/" not in name and name not in ("cpu", "memory", "ephemeral-storage") and name[:10] != "hugepages-":
                yield status.invalid(place, name, "must be a standard resource type or fully qualified")
                yield status.invalid(place, name, "must be a standard resource for containers")
            if quantity.value(amount) < 0:
                yield status.invalid(place, amount, "must be greater than or equal to 0")
    for name, amount in given.get("requests", {}).items():
        if name in limits and quantity.value(amount) > quantity.value(limits[name]):
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            yield status.invalid(f"{field}.requests", amount, why)


def _life(container: Object, place: str) -> Iterator[Cause]:
    for name in ("postStart", "preStop"):
        handler = container.get("lifecycle", {}).get(name)
        if handler is not None:
            yield from _handler(handler, f"{place}.lifecycle.{name}")
    for name in _PROBES:
        probe = container.get(name)
        if probe is None:
            continue
        here = f"{place}.{name}"
        yield from _handler(probe, here)
        for number in _NUMBERS:
            yield from not_negative(probe.get(number), f"{here}.{number}")
        if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
            yield status.invalid(f"{here}.successThreshold", probe["successThreshold"], "must be 1")
        grace = probe.get("terminationGracePeriodSeconds")
        if grace is not None and (name == "readinessProbe" or grace <= 0):
            why = "must not be set for readinessProbes" if name == "readinessProbe" else "must be greater than 0"
            yield status.invalid(f"{here}.terminationGracePeriodSeconds", grace, why)


def _handler(handler: Object, place: str) -> Iterator[Cause]:
    given = [name for name in _HANDLERS if name in handler]
    if not given:
        yield status.required(place, "must specify a handler type")
    for index, name in enumerate(given):
        if index:
            yield status.not_allowed(f"{place}.{name}", "may not specify more than 1 handler type")
        else:
            yield from _action(name, handler[name], f"{place}.{name}")


def _action(name: str, value: Object, place: str) -> Iterator[Cause]:
    if name == "exec" and not value.get("command"):
        yield status.required(f"{place}.command")
    if name in ("httpGet", "tcpSocket", "grpc"):
        yield from number_or_name(value.get("port", 0), f"{place}.port")
    if name == "httpGet":
        yield from one_of(value.get("scheme"), ("HTTP", "HTTPS"), f"{place}.scheme")
        for header in value.get("httpHeaders", ()):
            yield from texts(f"{place}.httpHeaders", header.get("name", ""), names.header(header.get("name", "")))


def number_or_name(port: Any, field: str) -> Iterator[Cause]:
    """Of a port."""
    wrong = names.port(port) if isinstance(port, int) else names.port_name(port)
    return texts(field, port, wrong)


def ids(context: Object, field: str) -> Iterator[Cause]:
    """Users and groups of a security context."""
    for name in ("runAsUser", "runAsGroup", "fsGroup"):
        if name in context and not 0 <= context[name] < 2**31:
            yield status.invalid(f"{field}.{name}", context[name], names.between(0, 2**31 - 1))
