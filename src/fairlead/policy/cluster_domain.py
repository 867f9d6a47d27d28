"""Which DNS domain a cluster has below its services, from what it shows of itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fairlead.policy.hostnames import is_legal

DEFAULT = "cluster.local"
"""What nearly every cluster has."""
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
