"""``fairlead run``: words and a team's files to settings."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from fairlead.cli.common import check_lanes, command_of
from fairlead.cli.services_settings import check_choice, one_too_many, values_of
from fairlead.errors import UsageError
from fairlead.settings import RunSettings

if TYPE_CHECKING:
    from fairlead.cli.parse import Parsed


def run_settings(parsed: Parsed) -> RunSettings:
    """The settings of one run. Raises UsageError, or ConfigError for a file."""
    if parsed.words and parsed.after is None:
        # Whatever else is wrong: the options were meant for the command.
        remedy = f"put -- before it: fairlead run [options] -- {quote(parsed.words[0])} ..."
        raise UsageError("the command stands after --", remedy=remedy)
    if parsed.error is not None:
        raise parsed.error
    if parsed.words:
        raise one_too_many(parsed)
    settings = RunSettings(**values_of(parsed, RunSettings), command=command_of(parsed, "run"))
    if not settings.command:
        raise UsageError("a command is missing", remedy="fairlead run -- COMMAND; for a shell: fairlead run -- bash")
    check_lanes(settings.lanes)
    check_choice(settings, parsed.values)
    return settings
