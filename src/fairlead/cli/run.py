"""``fairlead run``: words to settings, settings to a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.cli.parse import Parsed


def run(parsed: Parsed, program: str) -> int:
    """Run one command in a network of its own; its exit code."""
    from fairlead.cli import report
    from fairlead.cli.forward import cluster_options
    from fairlead.cli.run_screen import RunScreen
    from fairlead.cli.run_settings import run_settings
    from fairlead.host.stdio import keep_places
    from fairlead.kit import log
    from fairlead.session.run import run

    keep_places()
    values = parsed.values
    verbosity = values.get("verbosity", 0)
    screen = RunScreen(verbose=verbosity > 0, contexts=len(values.get("contexts", ())) > 1)
    log.setup(verbosity, screen.say)
    try:
        return run(run_settings(parsed), cluster_options(values), screen.show)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        _, code = report.failure(error)
        for line in report.lines(error):
            screen.say(line)
        return code
    finally:
        screen.finish()
