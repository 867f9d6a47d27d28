"""Image references, ``[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`` (the OCI distribution specification); pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?:(?P<host>{_HOST})/)?(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_HUB = "docker.io"


class Reference(NamedTuple):
    """One image."""

    registry: str
    repository: str
    """``library/nginx``."""
    tag: str = ""
    digest: str = ""

    @property
    def full(self) -> str:
        """As a node's list of images has it."""
        tag = f":{self.tag}" if self.tag else "" if self.digest else ":latest"
        return f"{self.registry}/{self.repository}{tag}{'@' if self.digest else ''}{self.digest}"


def parse(text: str) -> Reference | None:
    """Read a reference; None if it is none."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return None
    host, path = found["host"] or "", found["path"]
    # What has neither a dot nor a port is no host but a part of the path, unless it is this one (the Docker CLI).
    if host and not ("." in host or ":" in host or host == "localhost" or host != host.lower()):
        host, path = "", f"{host}/{path}"
    if not host and "/" not in path:
        path = f"library/{path}"
    return Reference(host or _HUB, path, found["tag"] or "", found["digest"] or "")
