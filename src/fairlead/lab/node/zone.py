"""The names of the cluster as its DNS has them, from Services and EndpointSlices; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fairlead.lab.node.backends import Object, by_service, is_ready
from fairlead.lab.node.plan import DOMAIN
from fairlead.model.named import GroupKey
from fairlead.policy.zone import Zone, ZoneEndpoint, ZoneEntry, ZonePort


def entries(services: Iterable[Object], slices: Iterable[Object]) -> dict[tuple[str, str], ZoneEntry]:
    """Each service's, by namespace and name."""
    of_service = by_service(slices)
    found = {}
    for service in services:
        meta, spec = service["metadata"], service.get("spec", {})
        namespace, name = meta.get("namespace", "default"), meta["name"]
        fqdn = f"{name}.{namespace}.svc.{DOMAIN}"
        ports = tuple(
            ZonePort(port.get("name", ""), port.get("protocol", "TCP"), int(port["port"]))
            for port in spec.get("ports") or ()
        )
        if spec.get("type") == "ExternalName":
            entry = ZoneEntry((fqdn,), fqdn, cname=spec.get("externalName", ""))
        elif spec.get("clusterIP") == "None":
            ends = tuple(_endpoints(of_service.get(f"{namespace}/{name}", ())))
            entry = ZoneEntry((fqdn,), fqdn, endpoints=ends)
        else:
            addresses = tuple(spec.get("clusterIPs") or filter(None, [spec.get("clusterIP")]))
            entry = ZoneEntry((fqdn,), fqdn, addresses, ports)
        found[namespace, name] = entry
    return found


def _endpoints(slices: Iterable[Object]) -> Iterator[ZoneEndpoint]:
    for each in slices:
        ports = tuple(
            ZonePort(port.get("name") or "", port.get("protocol", "TCP"), int(port["port"]))
            for port in each.get("ports") or ()
            if port.get("port")
        )
        for endpoint in each.get("endpoints") or ():
            if is_ready(endpoint):
                yield ZoneEndpoint(endpoint.get("hostname") or "", tuple(endpoint.get("addresses") or ()), ports)


class ClusterZone:
    """Keeps a zone as the services are; a change costs what it touches."""

    def __init__(self) -> None:
        self.zone = Zone((DOMAIN,))
        self._keys: dict[tuple[str, str], GroupKey] = {}

    def update(self, services: Iterable[Object], slices: Iterable[Object]) -> None:
        """These are all."""
        now = entries(services, slices)
        for name in self._keys.keys() - now.keys():
            self.zone.set(self._keys.pop(name), None)
        for name, entry in now.items():
            key = self._keys.setdefault(name, GroupKey("", *name))
            self.zone.set(key, entry)
