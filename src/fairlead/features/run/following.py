"""What follows something for as long as a run goes on, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fairlead.errors import FairleadError
from fairlead.kit import log
from fairlead.model.events import Note

LOG = log.get(__name__)
AGAIN = 1.0
"""Seconds until what failed is begun again."""


async def follow(work: Callable[[], Awaitable[None]], name: str, report: Callable[[Note], None]) -> None:
    """Do ``work``, which is to go on for ever, and begin it again when it fails: only a bug comes out.

    What fails for a moment is logged. What fails twice the same way is told, once.
    """
    failed, said = "", set[str]()
    while True:
        try:
            return await work()
        except (OSError, FairleadError) as error:
            what = error.what if isinstance(error, FairleadError) else str(error)
        LOG.decision("%s: %s", name, what)
        if what == failed and what not in said:
            said.add(what)
            report(Note(f"cannot {name}: {what}; this is tried again", warning=True))
        failed = what
        await asyncio.sleep(AGAIN)
