"""Services, but for their addresses."""

from __future__ import annotations

from fairlead.lab.registry.defaults.pods import default
from fairlead.lab.registry.values import Object

OUTSIDE = ("NodePort", "LoadBalancer")
"""Types that a client outside the cluster can reach."""
_STICKY_SECONDS = 10_800


def fill(service: Object) -> None:
    """v1."""
    spec = service.setdefault("spec", {})
    default(spec, sessionAffinity="None", type="ClusterIP")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        sticky = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        default(sticky, timeoutSeconds=_STICKY_SECONDS)
    for port in spec.get("ports", ()):
        default(port, protocol="TCP")
        if port.get("targetPort") in (None, "", 0) and port.get("port"):
            port["targetPort"] = port["port"]
    if spec["type"] in OUTSIDE or (spec["type"] == "ClusterIP" and spec.get("externalIPs")):
        default(spec, externalTrafficPolicy="Cluster")
    if spec["type"] != "ExternalName":
        default(spec, internalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        default(spec, allocateLoadBalancerNodePorts=True)
    service.setdefault("status", {}).setdefault("loadBalancer", {})
