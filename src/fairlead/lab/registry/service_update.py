"""What a service keeps when it is replaced by one that does not say everything."""

from __future__ import annotations

from fairlead.lab.registry.defaults.services import OUTSIDE
from fairlead.lab.registry.values import Object

_OF_ADDRESS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def carry_over(spec: Object, old: Object) -> None:
    """Set in ``spec`` what a client left out of what the service has, and drop what its new type has no use for."""
    if spec["type"] == "ExternalName":
        _drop_unchanged(spec, old, (*_OF_ADDRESS, "internalTrafficPolicy"))
        return
    if spec.get("clusterIP") != old.get("clusterIP") and spec.get("clusterIPs") == old.get("clusterIPs"):
        spec.pop("clusterIPs", None)  # of two fields for one thing, the one that was changed counts
    if old["type"] != "ExternalName":
        if not spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIP"], spec["clusterIPs"] = old["clusterIP"], list(old["clusterIPs"])
        for name in ("ipFamilies", "ipFamilyPolicy"):
            if name in old:
                spec.setdefault(name, old[name])
    _carry_ports(spec, old)
    if spec["type"] == "ClusterIP" and old["type"] in OUTSIDE and not spec.get("externalIPs"):
        _drop_unchanged(spec, old, ("externalTrafficPolicy",))
    if spec["type"] != "LoadBalancer":
        _drop_unchanged(spec, old, ("allocateLoadBalancerNodePorts",))


def _carry_ports(spec: Object, old: Object) -> None:
    numbers = {(port["protocol"], port["port"]): port.get("nodePort") for port in old.get("ports", ())}
    for port in spec.get("ports", ()):
        known = numbers.get((port["protocol"], port.get("port")))
        if spec["type"] in OUTSIDE and known:
            port["nodePort"] = port.get("nodePort") or known
        elif spec["type"] == "ClusterIP":
            _drop_unchanged(port, {"nodePort": known}, ("nodePort",))


def _drop_unchanged(value: Object, old: Object, names: tuple[str, ...]) -> None:
    for name in names:
        if name in value and value[name] == old.get(name):
            del value[name]
