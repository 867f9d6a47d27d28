"""``clean``: what killed runs left in a hosts file, removed at once."""

from __future__ import annotations

import asyncio
import os

from fairlead.host.helper import Helper
from fairlead.host.helper_start import Early, Rights
from fairlead.host.hosts import left_behind
from fairlead.host.privilege import helper_rights


def run(hosts_file: str, early: Early | None = None) -> tuple[int, ...]:
    """The process ids of the killed runs whose names were removed. Raises MachineError.

    ``early`` is a helper that has root's rights already. Nobody is asked for a password where there is nothing to do.
    """
    left = left_behind(hosts_file)
    rights = Rights() if early or not left else helper_rights(hosts_file, to_remove=True)
    if not left and early is None and not os.access(hosts_file, os.W_OK):
        return ()
    return asyncio.run(_heal(hosts_file, rights, early))


async def _heal(hosts_file: str, rights: Rights, early: Early | None) -> tuple[int, ...]:
    # Also where no names are left: a file whose writer was killed is completed.
    helper = await Helper.start(hosts_file, rights, os.environ, on_gone=lambda undone: None, early=early)
    try:
        return await helper.heal()
    finally:
        await helper.close()
