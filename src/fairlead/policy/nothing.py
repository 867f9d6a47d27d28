"""What is said of a run of ``services`` that has nothing to forward."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 3
"""Namespaces that are named."""


def nothing_forwarded(services: int, namespaces: Sequence[str]) -> tuple[str, str]:
    """A sentence, and what to do about it, which may be nothing.

    ``services`` were found, and of each was told why it is not forwarded; ``namespaces`` were looked in, () is all.
    """
    where = _where(namespaces)
    if services:
        what = f"of {services} service{'s' if services > 1 else ''}{where} none is forwarded, as told of each"
    else:
        what = f"no service was found{where or ' in any namespace'}"
    return what, "-n looks in others, -A in all" if namespaces else ""


def _where(namespaces: Sequence[str]) -> str:
    if not namespaces:
        return ""
    more = f" and {len(namespaces) - MOST} more" if len(namespaces) > MOST else ""
    return f" in namespace{'s' if len(namespaces) > 1 else ''} {', '.join(namespaces[:MOST])}{more}"
