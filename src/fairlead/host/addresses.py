"""The user's table of loopback addresses: one file for all runs, so that two at once never give an address twice."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from fairlead.errors import MachineError
from fairlead.host import dirs, files
from fairlead.model.named import GroupKey
from fairlead.policy.addresses import MOST_BYTES, NONE, Table, load, loading

PATIENCE = 1.0
"""Seconds to wait for another run, which holds the file for milliseconds unless it was stopped; then only once."""
_PAUSE = 0.005


def today() -> int:
    """The number of this day."""
    return int(time.time() // 86_400)


class AddressBook:
    """The addresses of one run, remembered in ``addresses.json`` in the state folder.

    What is known of it is kept in memory, and read again only where another run has written it. Where there can be no
    such file, ``say`` is told once, and the addresses are those of this run alone. With ``look_only``
    they are what a run would be given now; nothing is remembered, and no folder is made.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        say: Callable[[str], None],
        *,
        kept: Collection[str] = (),
        today: Callable[[], int] = today,
        look_only: bool = False,
    ) -> None:
        self._say = say
        self._kept = frozenset(kept)
        self._today = today
        self._given: dict[GroupKey, str] = {}
        self._fleeting: set[GroupKey] = set()
        """Of what was given."""
        self._day = 0
        self._turn = asyncio.Lock()
        self._table = Table()
        self._stamp: tuple[int, ...] = ()
        """The file that ``_table`` is of."""
        self._path = ""
        """Of the file; "" if there is none to keep the table in."""
        self._late = False
        """Whether something is not in the file that is to be."""
        self._said_late = False
        try:
            folder = dirs.state_place(env) if look_only else dirs.state(env)
            self._path = os.path.join(folder, "addresses.json")
            if look_only:
                self._table, wrong = load(self._text())
                self._tell(wrong)
                self._path = ""
        except MachineError as error:
            self._go_on_alone(error)

    async def allot(
        self, keys: Iterable[GroupKey], fixed: Mapping[GroupKey, str] = NONE, *, fleeting: Iterable[GroupKey] = ()
    ) -> dict[GroupKey, str]:
        """The addresses of ``keys``, which this run has until they are released; ``fixed`` and ``fleeting`` as in
        ``Table.allot``.

        Reads the file where others wrote it, and writes it for what is new: takes milliseconds, and ``PATIENCE`` at the
        worst, in which other tasks go on.
        """
        wanted = list(keys)
        async with self._turn:
            given = self._given
            new = [key for key in wanted if key not in given or given[key] != fixed.get(key, given[key])]
            self._fleeting.update(fleeting)
            if new:
                await self._ask(new, fixed)
        return {key: self._given[key] for key in wanted}

    async def refresh(self) -> None:
        """Say in the table, once a day, that what was given is still used; to be called often.

        What another process kept us from writing is written then, too.
        """
        async with self._turn:
            if self._given and (self._late or self._today() != self._day):
                await self._ask((), NONE)

    def release(self, keys: Iterable[GroupKey]) -> None:
        """Keep these for 30 more days only; until then they have the same addresses if they come back."""
        for key in keys:
            self._given.pop(key, None)
            self._fleeting.discard(key)

    async def _ask(self, new: Sequence[GroupKey], fixed: Mapping[GroupKey, str]) -> None:
        try:
            async with _locked(f"{self._path}.lock" if self._path else "", 0 if self._late else PATIENCE) as locked:
                if self._path and files.stamp(self._path) != self._stamp:
                    await self._read()
                self._give(new, fixed)
                self._late = bool(self._path) and not locked
                if self._path and locked:
                    files.write_atomically(self._path, self._table.dump().encode())
                    self._stamp = files.stamp(self._path)
        except MachineError as error:
            self._go_on_alone(error)
            self._give(new, fixed)
        if self._late and not self._said_late:
            self._said_late = True
            self._say(f"another process holds {self._path}.lock; addresses are not kept for later runs until it ends")

    def _give(self, new: Sequence[GroupKey], fixed: Mapping[GroupKey, str]) -> None:
        day = self._today()
        # What this run has given stays, whatever became of the table meanwhile.
        fixed = {**self._given, **fixed}
        keys = new if day == self._day else dict.fromkeys((*self._given, *new))
        self._day = day
        self._given |= self._table.allot(keys, day, fixed=fixed, kept=self._kept, fleeting=self._fleeting)

    async def _read(self) -> None:
        """Have the table as the file has it; other tasks go on meanwhile. Raises MachineError."""
        steps = loading(self._text(), self._table.known())
        while True:
            try:
                next(steps)
            except StopIteration as end:
                self._table, wrong = end.value
                self._tell(wrong)
                return
            await asyncio.sleep(0)

    def _text(self) -> str:
        try:
            with open(self._path, "rb") as file:
                return file.read(MOST_BYTES + 1).decode(errors="replace")
        except FileNotFoundError:
            return Table().dump()
        except OSError as error:
            raise MachineError(f"cannot read {self._path}: {error.strerror}") from error

    def _tell(self, wrong: str) -> None:
        if wrong:
            self._say(f"the table of addresses {self._path} is made anew, as {wrong}: some addresses may be others now")

    def _go_on_alone(self, reason: MachineError) -> None:
        self._path = ""
        self._late = False
        self._say(f"addresses are not kept for later runs: {reason}")


@asynccontextmanager
async def _locked(path: str, patience: float) -> AsyncIterator[bool]:
    """Held while the file is read and written, True then; False if another process holds it longer than ``patience``
    seconds, and for no path.

    Raises MachineError where it cannot be had at all.
    """
    if not path:
        yield False
        return
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MachineError(f"cannot use {path}: {error.strerror}") from error
    try:
        until = time.monotonic() + patience
        while not (locked := _lock(handle, path)) and time.monotonic() < until:  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(_PAUSE)
        yield locked
    finally:
        os.close(handle)


def _lock(handle: int, path: str) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # some network file systems have no locks
        raise MachineError(f"cannot lock {path}: {error.strerror}") from error
    return True
