"""Whether the server's words mean that the pod took no byte of a connection, so that another pod may be tried."""

from __future__ import annotations

_NOTHING_DELIVERED = (
    "failed to connect to localhost:",  # containerd and CRI-O: both families were refused
    "connection refused",  # CRI-O's single dial; socat
    "network namespace for sandbox",  # containerd: ... "ID" is closed
    "sandbox container is not running",
    "failed to find sandbox",
    "socat not found",
    "nsenter not found",
)


def dial_was_refused(words: str) -> bool:
    """True only for words that are said before a connection to the pod exists."""
    lower = words.lower()
    return any(known in lower for known in _NOTHING_DELIVERED)
