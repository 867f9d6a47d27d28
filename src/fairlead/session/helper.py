"""The helper of one run: started, started again if it is lost, and gone at the end with all that it has done."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable

from fairlead.errors import MachineError
from fairlead.features.services.hosts import HostsFile
from fairlead.host import dirs
from fairlead.host.helper import Helper
from fairlead.host.helper_start import Early, Rights
from fairlead.host.hosts import SYSTEM, clean_command, is_system, keep_original, require_readable, what_is_left
from fairlead.host.privilege import LowPort, helper_rights
from fairlead.kit.tasks import Background, stop
from fairlead.model.events import Note

RESTART = 10.0
"""Seconds from one attempt to have a helper again to the next."""


class HelperKeeper:
    """Keeps a helper for the hosts file ``hosts``, which is at ``path``.

    ``lowest_port`` tells the lowest port that it may have to bind; ``early`` is one that has root's rights already.
    """

    def __init__(
        self,
        hosts: HostsFile,
        path: str,
        lowest_port: Callable[[], LowPort],
        tasks: Background,
        tell: Callable[[Note], None],
        early: Early | None,
    ) -> None:
        self._hosts = hosts
        self._path = path
        self._lowest_port = lowest_port
        self._tasks = tasks
        self._tell = tell
        self._early = early
        self._tried = -math.inf
        """When one was started again."""
        self._starting: asyncio.Task[None] | None = None
        self._over = False
        self._undoing = False
        """Whether a helper was told to undo everything, and has not said that it has."""

    async def start(self) -> None:
        """Start one, which may ask for a password, and keep a copy of what it will change. Raises MachineError."""
        require_readable(self._path)
        try:
            rights = Rights() if self._early else helper_rights(self._path, self._lowest_port())
            self._hosts.helper = await self._start(rights)
        except MachineError:
            self.tell_what_is_left(self._path)
            raise
        if not is_system(self._path):
            self.tell_what_is_left(SYSTEM)
        elif copy := keep_original(self._path, dirs.state(os.environ)):
            self._tell(Note(f"a copy of {self._path} as it was before the first change is in {copy}"))

    async def end(self) -> None:
        """Have everything undone. Raises MachineError if something is left."""
        self._over = True
        if self._starting is not None:
            await stop(self._starting)
        helper, self._hosts.helper = self._hosts.helper, None
        self._undoing = helper is not None
        if helper is not None and await helper.close():
            self._hosts.standing = {}
        self._undoing = False
        if self._hosts.standing:
            await self._last()

    def tell_what_stays(self) -> None:
        """To be called where the end is not waited for: a helper undoes everything without us, if there is one."""
        if self._hosts.standing and self._hosts.helper is None and not self._undoing:
            stays = f"{self._path} still has the names of this run; {clean_command(self._path)} removes them"
            self._tell(Note(stays, warning=True))

    def tell_what_is_left(self, path: str) -> None:
        """Of killed runs, in a file that this run does not heal."""
        if left := what_is_left(path):
            self._tell(Note(left, warning=True))

    async def _start(self, rights: Rights) -> Helper:
        early, self._early = self._early, None
        return await Helper.start(self._path, rights, os.environ, on_gone=self._gone, early=early)

    def _gone(self, undone: bool) -> None:
        self._hosts.helper = None
        if undone:
            self._hosts.standing = {}
        if not self._over:
            self._starting = self._tasks.start(self._start_again(undone), name="start the helper again")

    async def _start_again(self, undone: bool) -> None:
        """Until there is one; nobody is asked for a password, who may be away."""
        state = "has none of its names any more" if undone else "still has its names"
        loop, told = asyncio.get_running_loop(), False
        if (pause := self._tried + RESTART - loop.time()) > 0:
            what = f"the helper is gone again, and {self._path} {state}"
            self._tell(Note(f"{what}; another one is tried in {math.ceil(pause)} s", warning=True))
        while True:
            # One that ends as soon as it was started is no reason to start them one after the other.
            await asyncio.sleep(self._tried + RESTART - loop.time())
            self._tried = loop.time()
            try:
                rights = helper_rights(self._path, self._lowest_port(), ask=False)
                self._hosts.helper = await self._start(rights)
            except MachineError as error:
                if not told:
                    what = f"the helper is gone, and {self._path} {state}: end this run and start it again"
                    self._tell(Note(f"{what}; {error.what}", warning=True))
                told = True
                continue
            self._tell(Note("the helper was gone; another one took its place"))
            self._hosts.again()
            return

    async def _last(self) -> None:
        """Have one remove what another one, which is gone, has written; now somebody is there who may be asked."""
        try:
            helper = await self._start(helper_rights(self._path, to_remove=True))
            try:
                await helper.hosts(())
                self._hosts.standing = {}
            finally:
                await helper.close()
        except MachineError as error:
            remedy = f"{clean_command(self._path)} removes them"
            raise MachineError(f"{self._path} still has the names of this run: {error.what}", remedy=remedy) from None
