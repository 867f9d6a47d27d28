"""The hosts file of a run: written soon after each change, and not for each of many; and again if it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from fairlead.errors import FairleadError, MachineError
from fairlead.host import files
from fairlead.host.helper import Helper, HostsReply
from fairlead.model.events import Note
from fairlead.policy.few import few
from fairlead.policy.hostsblock import Entry

EVERY = 0.25
"""Seconds at least from one write to the next, so that a burst of changes is a few of them."""
LOOK = 5.0
"""Seconds until a file is looked at that others may write, and until a name is asked for again that another run serves:
nobody tells of either."""


class HostsFile:
    """``want`` is cheap to call often; ``written`` waits until the file has what was wanted last."""

    def __init__(self, helper: Helper | None, report: Callable[[Note], None], path: str) -> None:
        self.helper = helper
        self._report = report
        self._path = path
        self._wanted: tuple[Entry, ...] = ()
        self._version = 0
        self._done = 0
        self._failed: FairleadError | None = None
        self._checked = False
        """Whether a write was found to be good; from then on nobody looks."""
        self.standing: dict[str, tuple[str, ...]] = {}
        """What the file has of this run, by address, as far as is known."""
        self._seen: tuple[int, ...] = ()
        """The file at the last look: see ``files.stamp``."""
        self._wake = asyncio.Event()
        self._moved = asyncio.Condition()
        self._said: set[object] = set()

    def want(self, entries: Sequence[Entry]) -> None:
        """Have these lines, and no others."""
        if tuple(entries) != self._wanted:
            self._wanted = tuple(entries)
            self._version += 1
            self._wake.set()

    def again(self) -> None:
        """Write what is wanted once more: another helper has it to do."""
        self._version += 1
        self._wake.set()

    def check(self) -> None:
        """Raise what the last write met, if it failed."""
        if self._failed is not None:
            raise self._failed
        self._checked = True

    async def written(self) -> None:
        """Return once the file has what is wanted now, or was found not to take it: see ``standing``."""
        version = self._version
        async with self._moved:
            await self._moved.wait_for(lambda: self._done >= version)

    async def run(self) -> None:
        """Write for ever."""
        again = False
        while True:
            try:
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()
            except TimeoutError:
                if not self._is_another() and not again:
                    continue
            self._wake.clear()
            version = self._version
            again = await self._write()
            async with self._moved:
                self._done = version
                self._moved.notify_all()
            await asyncio.sleep(EVERY)

    def _is_another(self) -> bool:
        """Whether somebody has written it since the last look; also we, perhaps."""
        before, self._seen = self._seen, files.stamp(self._path)
        return self._seen != before

    async def _write(self) -> bool:
        """Write once; whether something has to be tried again."""
        wanted = self._wanted
        if self.helper is None:
            self._failed = MachineError("the helper is gone")
            return True
        try:
            reply = await self.helper.hosts(wanted)
        except FairleadError as error:
            self._failed = error
            if not self._checked:
                return True  # whoever looks raises it
            self._say_once(str(error), f"{self._path} could not be written: {error}")
            return True
        self._failed = None
        missing = {each.name for each in reply.left}.union(reply.rest)
        kept = ((entry.address, tuple(name for name in entry.names if name not in missing)) for entry in wanted)
        self.standing = {address: names for address, names in kept if names}
        self._tell(reply)
        return bool(reply.left)

    def _tell(self, reply: HostsReply) -> None:
        for pid in reply.dead:
            self._report(Note(f"removed from {self._path} what a killed run (pid {pid}) had left there"))
        if reply.lost:
            self._say_once("lost", f"another program removed this run's names from {self._path}; they are there again")
        for pid in dict.fromkeys(left.pid for left in reply.left):
            names = self._new("left", [left.name for left in reply.left if left.pid == pid])
            if names:
                self._warn(f"left to the run with pid {pid}, which serves them: {few(names)}")
        if names := self._new("rest", reply.rest):
            self._warn(f"more names than one run can have in {self._path}, so that these are not there: {few(names)}")
        for clash in reply.clashes:
            self._say_once(
                ("clash", clash.name, clash.address),
                f"{self._path} has {clash.name} on line {clash.line} as {clash.address}; "
                "while this runs, it means the service",
            )

    def _new(self, what: str, names: Sequence[str]) -> list[str]:
        """Those of which this has not been said."""
        found = [name for name in names if (what, name) not in self._said]
        self._said.update((what, name) for name in found)
        return found

    def _say_once(self, what: object, text: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._warn(text)

    def _warn(self, text: str) -> None:
        self._report(Note(text, warning=True))
