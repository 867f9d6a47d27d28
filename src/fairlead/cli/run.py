"""``fairlead run``: words to settings, settings to a session."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from fairlead.cli.codes import INTERRUPTED

if TYPE_CHECKING:
    from fairlead.cli.parse import Parsed


def run(parsed: Parsed, program: str) -> int:
    """Run one command in a network of its own; its exit code."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        # While all of it is loaded, Python might drop a KeyboardInterrupt; there is nothing to undo yet.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return _run(parsed)
    finally:
        signal.signal(signal.SIGINT, before)


def _run(parsed: Parsed) -> int:
    from fairlead.cli import report
    from fairlead.cli.forward import cluster_options
    from fairlead.cli.run_screen import RunScreen
    from fairlead.cli.run_settings import run_settings
    from fairlead.host.children import has_terminal
    from fairlead.host.signals import end_by
    from fairlead.host.stdio import keep_places
    from fairlead.kit import log
    from fairlead.session.run import run

    keep_places()
    values = parsed.values
    verbosity = values.get("verbosity", 0)
    screen = RunScreen(verbose=verbosity > 0, contexts=len(values.get("contexts", ())) > 1)
    log.setup(verbosity, screen.say)
    interrupted = False
    try:
        code = run(run_settings(parsed), cluster_options(values), screen.show)
    except KeyboardInterrupt:
        code, interrupted = INTERRUPTED, True
    except Exception as error:
        _, code = report.failure(error)
        for line in report.lines(error):
            screen.say(line)
    screen.finish()
    if interrupted and has_terminal():
        # As the command was: a shell goes on with a script whose program only says that it was interrupted.
        end_by(signal.SIGINT)
    return code
