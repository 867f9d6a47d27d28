"""Loopback addresses that stay: the first choice is a hash of what an address is for, and what was given is remembered.

The addresses are those of 127.0.0.0/8 without 127.0.0.0/16 (where systems keep addresses of their own) and without a
last octet of 0 or 255, which some programs take for a network or a broadcast.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Container, Generator, Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

from fairlead.errors import UsageError
from fairlead.model.named import GroupKey, Reservation
from fairlead.policy.hostnames import is_legal

KEPT = 30
"""Days that an address is kept for what does not come back."""
FLEETING = 1
"""The same for what cannot come back: a pod whose name was made up for it."""
MOST = 20_000
"""Entries in a table: the least recently used go first, but never one that is asked for."""
MOST_BYTES = 32 << 20
"""Of a table's text: a hundred times what a laptop comes to."""

_VERSION = 1
_HEAD, _BETWEEN, _TAIL = f'{{"version":{_VERSION},"entries":[\n', ",\n", "\n]}\n"
"""Around the entries, which are a line each: what was read or written before need not be read again."""
_STEP = 500
"""Entries that are read at a time."""
_OCTET = "(0|[1-9][0-9]{0,2})"
_LOOPBACK = re.compile(rf"127\.{_OCTET}\.{_OCTET}\.{_OCTET}", re.ASCII)
_EXAMPLE = "for example --reserve api=127.9.9.9"

NONE: Mapping[GroupKey, str] = {}


class Entry(NamedTuple):
    """An address that was given."""

    address: str
    day: int
    """When it was last asked for: a day's number, from any fixed day. So much earlier for what is fleeting, that it is
    forgotten sooner."""
    text: str = ""
    """How it was read or written; "" if it was not yet."""


_FIELDS = (*GroupKey._fields, "address", "day")
Read = tuple[GroupKey, Entry]


class Table:
    """What was given to whom; a later key never moves an earlier one, and no address is given twice."""

    def __init__(self, entries: Mapping[GroupKey, Entry] = {}) -> None:
        self._entries: dict[GroupKey, Entry] = {}
        self._holders: dict[str, GroupKey] = {}
        self._today: int | None = None
        for key, entry in entries.items():
            self.take(key, entry)

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, key: GroupKey, entry: Entry) -> bool:
        """Put in an entry that was read; False, and nothing is done, if another one has its address."""
        if entry.address in self._holders:
            return False
        self._put(key, entry)
        return True

    def allot(
        self,
        keys: Iterable[GroupKey],
        today: int,
        *,
        fixed: Mapping[GroupKey, str] = NONE,
        kept: Collection[str] = (),
        fleeting: Container[GroupKey] = (),
    ) -> dict[GroupKey, str]:
        """The address of each key; entries that were not asked for in a month are dropped.

        ``fixed`` are the keys whose addresses are known, by a reservation or since they are used; ``kept`` are all
        reserved addresses, which no other key is given: one that has such an address is given another, now and not
        when it is needed. ``fleeting`` are those that are soon forgotten.
        """
        wanted = list(keys)
        if today != self._today:
            self._expire(today)
            self._today = today
        for key, address in fixed.items():
            before = self._entries.get(key)
            if before is None or before.address != address:
                self._put(key, Entry(address, _day(key, today, fleeting)))
        for address in kept:
            holder = self._holders.get(address)
            if holder is not None and fixed.get(holder) != address:
                self._drop(holder)
        for key in wanted:
            entry = self._entries.get(key)
            self._put(key, Entry(entry.address if entry else self._free(key, kept), _day(key, today, fleeting)))
        if len(self._entries) > MOST:
            self._trim({*wanted, *fixed})
        return {key: self._entries[key].address for key in wanted}

    def dump(self) -> str:
        """The table as text, for ``load``."""
        for key, entry in self._entries.items():
            if not entry.text:
                item = dict(zip(_FIELDS, (*key, entry.address, entry.day), strict=True))
                self._entries[key] = entry._replace(text=json.dumps(item, separators=(",", ":")))
        return f"{_HEAD}{_BETWEEN.join(entry.text for entry in self._entries.values())}{_TAIL}"

    def known(self) -> dict[str, Read]:
        """Entries by their text, for ``load``."""
        return {entry.text: (key, entry) for key, entry in self._entries.items()}

    def _put(self, key: GroupKey, entry: Entry) -> None:
        holder = self._holders.get(entry.address)
        if holder is not None and holder != key:
            self._drop(holder)
        before = self._entries.get(key)
        if before is not None and before[:2] == entry[:2]:
            entry = before
        self._drop(key)  # so that the least recently used stand first
        self._entries[key] = entry
        self._holders[entry.address] = key

    def _drop(self, key: GroupKey) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            del self._holders[entry.address]

    def _expire(self, today: int) -> None:
        for key in [key for key, entry in self._entries.items() if today - entry.day > KEPT]:
            self._drop(key)

    def _trim(self, asked: Container[GroupKey]) -> None:
        not_asked = (key for key in self._entries if key not in asked)
        for key in list(islice(not_asked, len(self._entries) - MOST)):
            self._drop(key)

    def _free(self, key: GroupKey, kept: Collection[str]) -> str:
        attempt = 0
        while (address := choice(key, attempt)) in self._holders or address in kept:
            attempt += 1
        return address


def choice(key: GroupKey, attempt: int) -> str:
    """The address that the key asks for first, second (``attempt`` 1), and so on."""
    text = "\0".join((*key, str(attempt)))
    while True:
        second, third, last = blake2b(text.encode(errors="surrogatepass"), digest_size=3).digest()
        if second != 0 and 0 < last < 255:
            return f"127.{second}.{third}.{last}"
        text += "\0"


def load(text: str, known: Mapping[str, Read] = {}) -> tuple[Table, str]:
    """The table in ``text``; in words what is wrong with it, if anything is, and then what could be read is kept.

    ``known`` are lines that were read before.
    """
    steps = loading(text, known)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: tuple[Table, str] = end.value
            return found


def loading(text: str, known: Mapping[str, Read]) -> Generator[None, None, tuple[Table, str]]:
    """``load`` in steps of milliseconds, for who has other things to do in between."""
    if len(text) > MOST_BYTES:
        return Table(), "it is too long"
    table, wrong = Table(), 0
    try:
        for number, found in enumerate(_items(text, known), 1):
            wrong += found is None or not table.take(*found)
            if number % _STEP == 0:
                yield
    except _StrangeError as error:
        return Table(), str(error)
    except (ValueError, RecursionError):
        return Table(), "it is broken"
    return table, f"{wrong} of its entries make no sense" if wrong else ""


def is_usable(address: str) -> bool:
    """Whether ``address`` is a loopback address that the system does not need for itself."""
    found = _LOOPBACK.fullmatch(address)
    if found is None:
        return False
    octets = tuple(map(int, found.groups()))
    return max(octets) <= 255 and octets[:2] != (0, 0) and octets not in ((0, 1, 1), (255, 255, 255))


def parse_reservations(words: Iterable[str]) -> tuple[Reservation, ...]:
    """Read each ``NAME=IP``. Raises UsageError."""
    found: list[Reservation] = []
    for word in words:
        name, equals, address = word.partition("=")
        name = name.lower()
        if not equals or not is_legal(name):
            raise UsageError(f'--reserve is NAME=IP, not "{word}"', remedy=_EXAMPLE)
        _check_address(word, address)
        for other in found:
            if other.name == name:
                raise UsageError(f"--reserve names {name} twice")
            if other.address == address:
                raise UsageError(f"--reserve gives {address} to {other.name} and to {name}")
        found.append(Reservation(name, address))
    return tuple(found)


def reserved(names: Iterable[str], reservations: Iterable[Reservation]) -> str | None:
    """The address that is reserved for the group of these names, if one is."""
    known = frozenset(names)
    return next((each.address for each in reservations if each.name in known), None)


def _check_address(word: str, address: str) -> None:
    if is_usable(address):
        return
    from ipaddress import IPv4Address, ip_address  # for an error message alone

    try:
        found = ip_address(address)
    except ValueError:
        raise UsageError(f'--reserve {word}: "{address}" is not an IP address', remedy=_EXAMPLE) from None
    if not (isinstance(found, IPv4Address) and found.is_loopback):
        raise UsageError(f"--reserve {word}: the address is not in 127.0.0.0/8", remedy=_EXAMPLE)
    raise UsageError(f"--reserve {word}: the system needs that address for itself", remedy=_EXAMPLE)


class _StrangeError(Exception):
    """It is no table of ours; why, in words."""


def _day(key: GroupKey, today: int, fleeting: Container[GroupKey]) -> int:
    return today - KEPT + FLEETING if key in fleeting else today


def _items(text: str, known: Mapping[str, Read]) -> Iterator[Read | None]:
    """Each entry; None for one that makes no sense. Raises ValueError, RecursionError and _StrangeError."""
    if text.startswith(_HEAD) and text.endswith(_TAIL):
        for line in filter(None, text[len(_HEAD) : -len(_TAIL)].split(_BETWEEN)):
            yield known.get(line) or _entry(json.loads(line), line)
        return
    document = json.loads(text)
    if not isinstance(document, dict) or not isinstance(document.get("entries"), list):
        raise _StrangeError("it is no table of addresses")
    if document.get("version") != _VERSION:
        raise _StrangeError("it was written by another version")
    for item in document["entries"]:
        yield _entry(item)


def _entry(item: Any, text: str = "") -> Read | None:
    try:
        key = GroupKey(*(item[name] for name in GroupKey._fields))
        entry = Entry(item["address"], item["day"], text)
    except (KeyError, TypeError):
        return None
    if not all(isinstance(part, str) for part in (*key, entry.address)) or type(entry.day) is not int:
        return None
    return (key, entry) if is_usable(entry.address) else None
