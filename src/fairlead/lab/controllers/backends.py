"""The pods of a service, as Endpoints and EndpointSlices both read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fairlead.lab.controllers.meta import has_labels, key_of, labels_of
from fairlead.lab.controllers.pods import is_over
from fairlead.lab.controllers.steps import Key
from fairlead.lab.registry.kinds import POD, SERVICE
from fairlead.lab.registry.store import Change, Object, Store

HEADLESS = "service.kubernetes.io/headless"
CHANGED = "endpoints.kubernetes.io/last-change-trigger-time"


def has_backends(service: Object) -> bool:
    """Whether its endpoints are looked for: it has a selector, and is no name of something else."""
    return bool(service["spec"].get("selector")) and service["spec"].get("type") != "ExternalName"


def is_headless(service: Object) -> bool:
    """Whether it has no address of its own."""
    return bool(service["spec"].get("clusterIP") in (None, "", "None"))


def backends(store: Store, service: Object) -> list[Object]:
    """Its pods that have an address and did not come to their end."""
    pods = store.all(POD, service["metadata"]["namespace"])
    selector = service["spec"]["selector"]
    return [pod for pod in pods if has_labels(selector, labels_of(pod)) and addresses(pod) and not is_over(pod)]


def addresses(pod: Object) -> list[str]:
    """The pod's."""
    status = pod.get("status", {})
    return [each["ip"] for each in status.get("podIPs") or ()] or [ip for ip in [status.get("podIP")] if ip]


def number(pod: Object, port: Object) -> int | None:
    """What a port of a service means in this pod; None if it has no port of that name."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target or int(port["port"])
    for container in _containers(pod):
        for each in container.get("ports") or ():
            if each.get("name") == target and each.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(each["containerPort"])
    return None


def _containers(pod: Object) -> Iterator[Object]:
    yield from pod["spec"]["containers"]
    yield from (each for each in pod["spec"].get("initContainers") or () if each.get("restartPolicy") == "Always")


def hostname(pod: Object, service: Object) -> str:
    """The name under which the service's own name has an entry for this pod; "" if there is none."""
    spec = pod["spec"]
    return str(spec.get("hostname", "")) if spec.get("subdomain") == service["metadata"]["name"] else ""


def reference(pod: Object) -> dict[str, Any]:
    """Which pod stands behind an address."""
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def services_of_pod(store: Store, change: Change) -> Iterator[Key]:
    """Tell whom a change of a pod concerns: the services that take it or did."""
    for pod in (change.before, change.after):
        if pod is not None:
            for service in store.all(SERVICE, pod["metadata"]["namespace"]):
                if has_backends(service) and has_labels(service["spec"]["selector"], labels_of(pod)):
                    yield key_of(service)
