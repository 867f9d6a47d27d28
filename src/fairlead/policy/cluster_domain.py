"""The DNS of a cluster: which domain its services are below, and which service it is itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fairlead.model.named import GroupKey
from fairlead.policy.hostnames import is_legal

DEFAULT = "cluster.local"
"""What nearly every cluster has."""
_DNS = frozenset({("kube-system", "kube-dns"), ("kube-system", "coredns"), ("kube-system", "rke2-coredns-rke2-coredns"),
                  ("openshift-dns", "dns-default")})  # fmt: skip
"""Namespace and name, as kubeadm and most others call it, and as a few do."""
_API_SERVER = "kubernetes.default.svc."
_ZONE = re.compile(r"^\s*kubernetes[ \t]+([^\s{]+)", re.MULTILINE)


def of_certificate(names: Iterable[str]) -> str | None:
    """From the names in the API server's certificate: its own service is among them, as those who issue it have it."""
    for name in names:
        domain = name.lower().rstrip(".").removeprefix(_API_SERVER)
        if domain != name.lower().rstrip(".") and is_legal(domain):
            return domain
    return None


def of_corefile(text: str) -> str | None:
    """From CoreDNS's configuration: the first zone of its kubernetes plugin."""
    found = _ZONE.search(text[:65536])
    domain = found[1].lower().rstrip(".") if found else ""
    return domain if is_legal(domain) else None


def is_cluster_dns(key: GroupKey) -> bool:
    """Whether this service is the cluster's own DNS."""
    return (key.namespace, key.service) in _DNS
