"""``fairlead services``: words to settings, settings to a session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fairlead.model.events import Ended

if TYPE_CHECKING:
    from fairlead.cli.parse import Parsed


def run(parsed: Parsed, program: str) -> int:
    """Run one ``services``; the exit code. Its end is told here: in words, as the last event, and by the code."""
    from fairlead.cli import report
    from fairlead.cli.forward import cluster_options
    from fairlead.cli.render import STDERR, STDOUT
    from fairlead.cli.services_render import ServicesScreen
    from fairlead.cli.services_settings import services_settings
    from fairlead.cli.services_text import Manner
    from fairlead.host import privilege
    from fairlead.host.stdio import keep_places
    from fairlead.kit import log
    from fairlead.session.services import run
    from fairlead.settings import HOSTS_FILE

    keep_places()
    values = parsed.values
    manner = Manner(
        verbose=values.get("verbosity", 0) > 0,
        contexts=len(values.get("contexts", ())) > 1,
        command=bool(parsed.after),
        dry_run=values.get("dry_run", False),
    )
    screen = ServicesScreen(values.get("output", ""), manner, lines_to=STDERR if parsed.after else STDOUT)
    log.setup(values.get("verbosity", 0), screen.say)
    reason = ""
    try:
        if parsed.error is not None:
            raise parsed.error
        user = privilege.invoker(os.environ)
        early = None
        if user is not None:
            # Before any file is read that the words name: with the user's rights, and not with root's.
            hosts_file = values.get("hosts_file") or HOSTS_FILE
            early = privilege.become(user, os.environ, hosts_file, with_helper=not values.get("dry_run"))
        settings = services_settings(parsed)
        code = run(settings, cluster_options(values), screen.show, early, screen.status)
    except KeyboardInterrupt:
        reason, code = "interrupted", 0
    except Exception as error:
        line, code = report.failure(error)
        reason = line.removeprefix("error: ")
        for each in [line] if values.get("output") == "json" else report.lines(error):
            screen.say(each)
    screen.show(Ended(reason, code))
    screen.finish()
    return code
