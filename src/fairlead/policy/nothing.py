"""What is said of a run of ``services`` that has nothing to forward."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.policy.few import few
from fairlead.settings import Chosen

MOST = 3
"""Namespaces that are named."""


def nothing_forwarded(services: int, namespaces: Sequence[str], narrowed: Sequence[str] = ()) -> tuple[str, str]:
    """A sentence, and what to do about it, which may be nothing.

    ``services`` were found, and of each was told why it is not forwarded; ``namespaces`` were looked in, () is all;
    ``narrowed`` is as ``narrowed_by`` has it.
    """
    where = _where(namespaces)
    if services:
        what = f"of {services} service{'s' if services > 1 else ''}{where} none is forwarded, as told of each"
    else:
        what = f"no service was found{where or ' in any namespace'}{with_options(narrowed)}"
    return what, "-n looks in others, -A in all" if namespaces else ""


def narrowed_by(settings: Chosen) -> tuple[str, ...]:
    """The options that leave only some of the services."""
    chosen = (("--only", settings.only), ("--exclude", settings.exclude))
    return (*selected_by(settings), *(option for option, patterns in chosen if patterns))


def selected_by(settings: Chosen) -> tuple[str, ...]:
    """Those of them that the API server is told."""
    given = (("--selector", settings.selector), ("--field-selector", settings.field_selector))
    return tuple(f"{option} {text}" for option, text in given if text)


def with_options(options: Sequence[str]) -> str:
    """What a sentence on what was not found ends with."""
    return f" with {few(options)}" if options else ""


def _where(namespaces: Sequence[str]) -> str:
    if not namespaces:
        return ""
    more = f" and {len(namespaces) - MOST} more" if len(namespaces) > MOST else ""
    return f" in namespace{'s' if len(namespaces) > 1 else ''} {', '.join(namespaces[:MOST])}{more}"
