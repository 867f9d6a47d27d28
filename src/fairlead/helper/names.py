"""The run's block in the hosts file: written, healed and removed with the rights that this file asks for."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice

from fairlead.helper import hostsfile, journal, turn
from fairlead.helper.processes import alive
from fairlead.helper.rights import only_those_of
from fairlead.policy.hostsblock import Block, Entry, Mention, Owner, blocks, heal, mentions, replace

SYSTEM = "/etc/hosts"
MOST_CLASHES = 100
"""That are told: nobody reads more."""


@dataclass
class Outcome:
    """What became of the names that were asked for."""

    left: list[tuple[str, int]] = field(default_factory=list)
    """Names that another living run serves, with its process id: they stay its."""
    clashes: list[Mention] = field(default_factory=list)
    """Names that somebody else's line gives another address; ours stands before it."""
    dead: list[int] = field(default_factory=list)
    """Process ids of runs that were killed, whose blocks were removed."""
    lost: bool = False
    """Somebody had removed the block since it was written."""


class Names:
    """One run's block in one hosts file.

    The system's file is root's; any other is touched with the rights of the user whom we serve, whoever we are.
    """

    def __init__(self, path: str, state: str, owner: Owner, uid: int, env: Mapping[str, str]) -> None:
        self._owner = owner
        self._uid = uid
        self._env = env
        self._as_root = os.geteuid() == 0 and os.path.realpath(path) == os.path.realpath(SYSTEM)
        self._path = SYSTEM if self._as_root else path  # which may be a link that the user changes later
        self._journals = journal.SYSTEM if self._as_root else (state,)
        self._turns = turn.FOLDER if self._as_root else turn.users_folder(state, path)
        self._written = False
        self._stands = False
        """The file has the block, as far as we know."""

    def write(self, entries: Sequence[Entry]) -> Outcome:
        """Make the block hold these, but for names of other living runs. Raises MachineError."""
        self._written = True
        return self._update(entries)

    def heal(self) -> list[int]:
        """Remove the blocks of runs that were killed; their process ids. Raises MachineError."""
        outcome = Outcome()

        def edit(data: bytes) -> bytes:
            data, dead = heal(data, self._alive)
            outcome.dead = [owner.pid for owner in dead]
            return data

        with self._rights():
            hostsfile.update(self._path, edit, self._journals, turns=self._turns)
        return outcome.dead

    def undo(self) -> None:
        """Remove the block. Raises MachineError."""
        if self._written and os.path.exists(self._path):
            self._update(())
            self._written = False

    def _update(self, entries: Sequence[Entry]) -> Outcome:
        outcome = Outcome()
        kept: list[Entry] = []

        def edit(data: bytes) -> bytes:
            nonlocal kept
            data, dead = heal(data, self._alive)
            outcome.dead = [owner.pid for owner in dead]
            found = blocks(data)
            outcome.lost = self._stands and all(block.owner != self._owner for block in found)
            kept, outcome.left = _share(entries, found, self._owner)
            data = replace(data, self._owner, kept)
            addresses = {name: entry.address for entry in kept for name in entry.names}
            clashes = (each for each in mentions(data, addresses) if each.address != addresses[each.name])
            outcome.clashes = list(islice(clashes, MOST_CLASHES))
            return data

        with self._rights():
            hostsfile.update(self._path, edit, self._journals, turns=self._turns)
        self._stands = bool(kept)
        return outcome

    def _alive(self, owner: Owner) -> bool:
        return owner == self._owner or alive(owner)

    def _rights(self) -> AbstractContextManager[None]:
        return nullcontext() if self._as_root else only_those_of(self._uid, self._env)


def own_names() -> frozenset[str]:
    """What this machine calls itself: no service may be called so."""
    name = socket.gethostname().lower()
    return frozenset({name, name.partition(".")[0]})


def _share(entries: Sequence[Entry], found: Sequence[Block], owner: Owner) -> tuple[list[Entry], list[tuple[str, int]]]:
    """``entries`` without the names of other runs, and those names."""
    theirs = {
        name: block.owner.pid
        for block in found
        if block.owner != owner
        for entry in block.entries
        for name in entry.names
    }
    left = [(name, theirs[name]) for entry in entries for name in entry.names if name in theirs]
    kept = [Entry(entry.address, tuple(name for name in entry.names if name not in theirs)) for entry in entries]
    return [entry for entry in kept if entry.names], left
