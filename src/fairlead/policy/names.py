"""Names that no object can have (RFC 1123, as Kubernetes uses it): of these the server only says "not found"."""

from __future__ import annotations

import re

from fairlead.errors import UsageError

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
_NAMESPACE = re.compile(_LABEL, re.ASCII)
MOST, MOST_NAMESPACE = 253, 63
"""Characters."""


def check_name(name: str, *, remedy: str = "") -> None:
    """Raise UsageError if no object that has pods can have this name; words in brackets are kubectl's."""
    if name in (".", ".."):
        _refuse("resource name", name, f"[may not be '{name}']", remedy)
    if "%" in name:
        _refuse("resource name", name, "[may not contain '%']", remedy)
    if len(name) > MOST:
        _refuse("resource name", name, f"it may not be longer than {MOST} characters", remedy)
    if not _NAME.fullmatch(name):
        words = "it may have lower case letters, digits, '-' and '.', and must start and end with a letter or a digit"
        _refuse("resource name", name, words, remedy)


def check_namespace(namespace: str) -> None:
    """Raise UsageError if there can be no namespace of this name."""
    if "/" in namespace:
        _refuse("namespace", namespace, "[may not contain '/']", "")
    if len(namespace) > MOST_NAMESPACE:
        _refuse("namespace", namespace, f"it may not be longer than {MOST_NAMESPACE} characters", "")
    if not _NAMESPACE.fullmatch(namespace):
        words = "it may have lower case letters, digits and '-', and must start and end with a letter or a digit"
        _refuse("namespace", namespace, words, "")


def _refuse(what: str, name: str, rule: str, remedy: str) -> None:
    shown = name.encode(errors="backslashreplace").decode()
    raise UsageError(f'invalid {what} "{shown if len(shown) <= MOST else shown[:40] + "..."}": {rule}', remedy=remedy)
