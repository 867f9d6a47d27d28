"""What the settings of every run have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from fairlead.errors import UsageError
from fairlead.settings import ForwardSettings, ServicesSettings

if TYPE_CHECKING:
    from fairlead.cli.parse import Parsed

MOST_LANES = 256
"""As many as one API server is given in all."""


def only(fields: Collection[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that have one of these names."""
    return {name: value for name, value in values.items() if name in fields}


def command_of(parsed: Parsed, example: str) -> tuple[str, ...]:
    """The command after ``--``. Raises UsageError."""
    if parsed.after is not None and not parsed.after:
        raise UsageError("a command is missing after --", remedy=f"for example: fairlead {example} -- env")
    if parsed.after and not parsed.after[0]:
        raise UsageError("the command after -- is empty")
    return tuple(parsed.after or ())


def check(settings: ForwardSettings | ServicesSettings) -> None:
    """Raise UsageError where a value cannot be meant."""
    if settings.output not in ("text", "json"):
        raise UsageError(f'-o is text or json, not "{settings.output}"')
    check_lanes(settings.lanes)
    if settings.ready_file == "":
        raise UsageError("--ready-file needs a file")


def check_lanes(lanes: int) -> None:
    """Raise UsageError where there cannot be so many."""
    if not 1 <= lanes <= MOST_LANES:
        raise UsageError(f"--lanes is a number from 1 to {MOST_LANES}")
