"""The environment of a container, before references in it are resolved: env, envFrom and services; pure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping

from fairlead.lab.runtime.config import NodeError
from fairlead.lab.runtime.pod_facts import FieldError, Object, field, resource

Find = Callable[[str, str], "Object | None"]
"""The ConfigMap or the Secret, by that word, of this name in the pod's namespace."""


def variables(
    pod: Object, container: Object, ip: str, find: Find, services: Iterable[Object], node: Object
) -> list[tuple[str, str]]:
    """All of them, in the order in which they may refer to each other; those that come later win.

    ``services`` are those of the pod's namespace, and ``kubernetes``; ``node`` is the capacity of the node. Raises
    NodeError (CreateContainerConfigError).
    """
    found: dict[str, str] = {}
    for service in services:
        if pod["spec"].get("enableServiceLinks", True) or service["metadata"]["name"] == "kubernetes":
            found |= dict(service_variables(service))
    for source in container.get("envFrom") or ():
        found |= {f"{source.get('prefix', '')}{name}": text for name, text in _all_of(pod, source, find)}
    pairs = list(found.items())
    for each in container.get("env") or ():
        if "valueFrom" not in each:
            pairs.append((each["name"], each.get("value") or ""))
            continue
        text = _value(pod, container, ip, each["valueFrom"], find, node)
        if text is not None:
            pairs.append((each["name"], text))
    return pairs


def service_variables(service: Object) -> Iterator[tuple[str, str]]:
    """Where a service is, as programs of the days before cluster DNS expect it; none for one without an address."""
    spec = service.get("spec", {})
    address, ports = spec.get("clusterIP", ""), spec.get("ports") or ()
    if address in ("", "None") or not ports:
        return
    name = service["metadata"]["name"].upper().replace("-", "_")
    yield f"{name}_SERVICE_HOST", address
    yield f"{name}_SERVICE_PORT", str(ports[0]["port"])
    for port in ports:
        if port.get("name"):
            yield f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}", str(port["port"])
    first = ports[0]
    yield f"{name}_PORT", f"{first.get('protocol', 'TCP').lower()}://{address}:{first['port']}"
    for port in ports:
        protocol = port.get("protocol", "TCP")
        prefix = f"{name}_PORT_{port['port']}_{protocol}"
        yield prefix, f"{protocol.lower()}://{address}:{port['port']}"
        yield f"{prefix}_PROTO", protocol.lower()
        yield f"{prefix}_PORT", str(port["port"])
        yield f"{prefix}_ADDR", address


def texts(kind: str, found: Object) -> dict[str, bytes]:
    """What a ConfigMap or a Secret holds."""
    if kind == "ConfigMap":
        binary = {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
        return {key: str(value).encode() for key, value in (found.get("data") or {}).items()} | binary
    return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}


def _all_of(pod: Object, source: Mapping[str, Object], find: Find) -> Iterator[tuple[str, str]]:
    for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        reference = source.get(key)
        if reference is not None:
            found = find(kind, reference["name"])
            if found is not None:
                for name, data in texts(kind, found).items():
                    yield name, data.decode(errors="replace")
            elif not reference.get("optional"):
                raise _missing(kind, reference["name"])


def _value(
    pod: Object, container: Object, ip: str, source: Mapping[str, Object], find: Find, node: Object
) -> str | None:
    """None where there is none, and need not be."""
    try:
        if "fieldRef" in source:
            return field(pod, source["fieldRef"]["fieldPath"], ip)
        if "resourceFieldRef" in source:
            return resource(pod, source["resourceFieldRef"], container, node)
    except (FieldError, ValueError) as error:
        raise NodeError("CreateContainerConfigError", str(error)) from error
    for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        reference = source.get(key)
        if reference is None:
            continue
        found = find(kind, reference["name"])
        if found is not None and reference["key"] in (data := texts(kind, found)):
            return data[reference["key"]].decode(errors="replace")
        if reference.get("optional"):
            return None
        if found is None:
            raise _missing(kind, reference["name"])
        where = f"{kind} {pod['metadata']['namespace']}/{reference['name']}"
        raise NodeError("CreateContainerConfigError", f"couldn't find key {reference['key']} in {where}")
    raise NodeError("CreateContainerConfigError", f"invalid valueFrom: {', '.join(source)}")


def _missing(kind: str, name: str) -> NodeError:
    return NodeError("CreateContainerConfigError", f'{kind.lower()} "{name}" not found')
