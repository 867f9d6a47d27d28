"""The cluster's DNS: CoreDNS as a deployment, as on any cluster."""

from __future__ import annotations

from typing import Any

from testbed import images
from testbed.network import Network

# There is no world outside: what is not the cluster's does not exist, and is said so at once.
_COREFILE = """\
.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }
    template ANY ANY . {
        rcode NXDOMAIN
    }
    cache 5
    reload
}
"""

_NAMESPACE = "kube-system"
_LABELS = {"k8s-app": "kube-dns"}

DEPLOYMENT = f"/apis/apps/v1/namespaces/{_NAMESPACE}/deployments/coredns"


def objects(network: Network) -> list[tuple[str, dict[str, Any]]]:
    """The objects to create, each with the path of its collection."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    inside = f"/api/v1/namespaces/{_NAMESPACE}"
    subject = {"kind": "ServiceAccount", "name": "coredns", "namespace": _NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:coredns"}
    return [
        (f"{inside}/serviceaccounts", {"metadata": {"name": "coredns"}}),
        (f"{rbac}/clusterroles", {"metadata": {"name": "system:coredns"}, "rules": _rules()}),
        (
            f"{rbac}/clusterrolebindings",
            {"metadata": {"name": "system:coredns"}, "subjects": [subject], "roleRef": role},
        ),
        (f"{inside}/configmaps", {"metadata": {"name": "coredns"}, "data": {"Corefile": _COREFILE}}),
        (f"{inside}/services", {"metadata": {"name": "kube-dns", "labels": _LABELS}, "spec": _service(network)}),
        (
            f"/apis/apps/v1/namespaces/{_NAMESPACE}/deployments",
            {"metadata": {"name": "coredns", "labels": _LABELS}, "spec": _deployment()},
        ),
    ]


def _rules() -> list[dict[str, list[str]]]:
    verbs = ["list", "watch"]
    return [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": verbs},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": verbs},
    ]


def _service(network: Network) -> dict[str, Any]:
    ports = [{"name": f"dns-{kind.lower()}", "port": 53, "protocol": kind} for kind in ("UDP", "TCP")]
    return {"clusterIP": network.dns, "selector": _LABELS, "ports": ports}


def _deployment() -> dict[str, Any]:
    container = {
        "name": "coredns",
        "image": images.COREDNS,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [{"name": f"dns-{kind.lower()}", "containerPort": 53, "protocol": kind} for kind in ("UDP", "TCP")],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": _LABELS},
        "template": {
            "metadata": {"labels": _LABELS},
            "spec": {
                "serviceAccountName": "coredns",
                "priorityClassName": "system-cluster-critical",
                # Bound before the node calls itself ready, so that its image and volumes are prepared meanwhile.
                "tolerations": [{"operator": "Exists"}],
                "dnsPolicy": "Default",
                "containers": [container],
                "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
            },
        },
    }
