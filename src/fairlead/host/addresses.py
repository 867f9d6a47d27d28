"""The user's table of loopback addresses: one file for all runs, so that two at once never give an address twice."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from fairlead.errors import MachineError
from fairlead.host import dirs, files
from fairlead.model.named import GroupKey
from fairlead.policy.addresses import MOST_BYTES, NONE, Table, load

PATIENCE = 1.0
"""Seconds to wait for another run, which holds the file for milliseconds unless it was stopped."""
_PAUSE = 0.005


def today() -> int:
    """The number of this day."""
    return int(time.time() // 86_400)


class AddressBook:
    """The addresses of one run, remembered in ``addresses.json`` in the state folder.

    Where that is not possible, ``say`` is told once, and the addresses are those of this run alone. With ``look_only``
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
        self._day = 0
        self._alone: Table | None = None
        """The table, once there is no file to keep it in."""
        try:
            folder = dirs.state_place(env) if look_only else dirs.state(env)
            self._path = os.path.join(folder, "addresses.json")
            if look_only:
                self._alone = self._read()
        except MachineError as error:
            self._path = ""
            self._go_on_alone(str(error))

    def allot(self, keys: Iterable[GroupKey], fixed: Mapping[GroupKey, str] = NONE) -> dict[GroupKey, str]:
        """The addresses of ``keys``, which this run has until they are released; ``fixed`` as in ``Table.allot``.

        Reads and writes the file only for what is new, and once a day: takes milliseconds, ``PATIENCE`` at the worst.
        """
        wanted, day = list(keys), self._today()
        new = [key for key in wanted if key not in self._given or self._given[key] != fixed.get(key, self._given[key])]
        if new or day != self._day:
            self._day = day
            # What this run has given stays, whatever became of the table meanwhile.
            self._ask(dict.fromkeys((*self._given, *wanted)), {**self._given, **fixed})
        return {key: self._given[key] for key in wanted}

    def release(self, keys: Iterable[GroupKey]) -> None:
        """Keep these for 30 more days only; until then they have the same addresses if they come back."""
        for key in keys:
            self._given.pop(key, None)

    def _ask(self, keys: Iterable[GroupKey], fixed: Mapping[GroupKey, str]) -> None:
        if self._alone is None:
            try:
                with _locked(f"{self._path}.lock"):
                    table = self._read()
                    fixed = self._given = table.allot(keys, self._day, fixed=fixed, kept=self._kept)
                    files.write_atomically(self._path, table.dump().encode())
            except MachineError as error:
                self._go_on_alone(str(error))
        if self._alone is not None:
            self._given = self._alone.allot(keys, self._day, fixed=fixed, kept=self._kept)

    def _read(self) -> Table:
        try:
            with open(self._path, "rb") as file:
                text = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return Table()
        except OSError as error:
            raise MachineError(f"cannot read {self._path}: {error.strerror}") from error
        table, wrong = load(text.decode(errors="replace"))
        if wrong:
            self._say(f"the table of addresses {self._path} is made anew, as {wrong}: some addresses may be others now")
        return table

    def _go_on_alone(self, reason: str) -> None:
        self._alone = Table()
        self._say(f"addresses are not kept for later runs: {reason}")


@contextmanager
def _locked(path: str) -> Iterator[None]:
    """Held while the file is read and written. Raises MachineError, also if another process holds it too long."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MachineError(f"cannot use {path}: {error.strerror}") from error
    try:
        until = time.monotonic() + PATIENCE
        while not _lock(handle, path):
            if time.monotonic() > until:
                raise MachineError(f"another process holds {path}")
            time.sleep(_PAUSE)
        yield
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
