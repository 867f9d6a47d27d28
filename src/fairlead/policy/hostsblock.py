"""Our blocks in a hosts file (hosts(5)): bytes in, bytes out, and a byte that is not ours never changes.

Each run has one block, named after its main process::

    # fairlead begin pid=4711 start=81234 boot=29ff7d19-42d5-4048-8d34-222a1fb50dbd
    127.44.5.6 nginx nginx.default.svc.cluster.local nginx.default nginx.default.svc
    # fairlead end pid=4711

Ours are these lines exactly, within a block; whatever else somebody wrote there is foreign and stays. A block whose end
is missing reaches as far as its lines follow each other.

What is before the first and behind the last of our lines, a list of 100,000 sites to be blocked perhaps, is one piece.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

LONGEST = 500
"""Bytes of a line that we write; musl reads lines of 511 bytes. More names go on another line of the same address."""

_BEGIN = re.compile(rb"# fairlead begin pid=([1-9]\d{0,9}) start=(\d{1,20}) boot=([0-9a-f-]{1,64})")
_END = re.compile(rb"# fairlead end pid=([1-9]\d{0,9})")
_ENTRY = re.compile(rb"(127\.\d{1,3}\.\d{1,3}\.\d{1,3})((?: [a-z0-9.-]+)+)")
_LOOPBACK = re.compile(r"127(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_MARK = b"# fairlead "
_PLAIN = bytes.maketrans(b"#\0ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"  abcdefghijklmnopqrstuvwxyz")
"""For a look at the words of a line: glibc compares without case, and a comment begins anywhere."""

_FOREIGN, _STRAY = -1, -2
"""Whose a line is, where it is of no block: somebody else's, or an end of ours whose begin is gone."""


class Owner(NamedTuple):
    """The main process of a run: told from every other one, before or after it, by all three together."""

    pid: int
    start: int
    """Clock ticks from the machine's start to the process's (proc(5), stat, field 22)."""
    boot: str
    """The id of the machine's start (/proc/sys/kernel/random/boot_id)."""


class Entry(NamedTuple):
    """One address and its names."""

    address: str
    names: tuple[str, ...]


class Block(NamedTuple):
    """What one run has in the file."""

    owner: Owner
    entries: tuple[Entry, ...]


class Mention(NamedTuple):
    """A name on a line that is not ours."""

    name: str
    address: str
    line: int
    """From 1."""


class _Extent(NamedTuple):
    owner: Owner
    begin: int
    last: int
    """The line of its end, or where that is missing the last one that can be its."""
    closed: bool


class _Parsed(NamedTuple):
    lines: list[bytes]
    """And before and behind them, whole, what is too far from any line of ours to be of a block."""
    whose: list[int]
    """For each the index of its owner, or _FOREIGN, or _STRAY."""
    owners: list[Owner]
    open: frozenset[int]
    """Of the owners, those whose block has no end."""

    def bytes_where(self, wanted: Callable[[int], bool]) -> bytes:
        return b"".join(line for line, whose in zip(self.lines, self.whose, strict=True) if wanted(whose))


def may_serve(address: str) -> bool:
    """Whether services may stand on ``address``: loopback, and not where the machine itself is called."""
    return _LOOPBACK.fullmatch(address) is not None and not address.startswith("127.0.0.") and address != "127.0.1.1"


def blocks(data: bytes) -> list[Block]:
    """All blocks, in the file's order."""
    parsed = _parse(data)
    entries: list[list[Entry]] = [[] for _ in parsed.owners]
    for line, whose in zip(parsed.lines, parsed.whose, strict=True):
        if whose >= 0 and (found := _entry(_text(line))):
            entries[whose].append(found)
    return [Block(owner, tuple(found)) for owner, found in zip(parsed.owners, entries, strict=True)]


def replace(data: bytes, owner: Owner, entries: Sequence[Entry]) -> bytes:
    """``data`` with ``entries`` as the owner's only block, before all that is not ours; without any for no entries."""
    parsed = _parse(data)
    mine = {index for index, each in enumerate(parsed.owners) if each == owner}
    block = _render(owner, entries) if entries else b""
    before = parsed.whose[: next((at for at, whose in enumerate(parsed.whose) if whose in mine), 0)]
    if parsed.bytes_where(lambda whose: whose in mine) == block and _FOREIGN not in before:
        return data  # it need not be the first one of several runs
    return block + parsed.bytes_where(lambda whose: whose not in mine)


def heal(data: bytes, alive: Callable[[Owner], bool]) -> tuple[bytes, list[Owner]]:
    """``data`` without the blocks of owners that are not ``alive``, and those owners; and without ends of no block.

    Such an end stays while a living block has none: it may be what parts that one from a line of somebody else's.
    """
    parsed = _parse(data)
    dead = {index for index, owner in enumerate(parsed.owners) if not alive(owner)}
    gone = dead if parsed.open - dead else {*dead, _STRAY}
    healed = parsed.bytes_where(lambda whose: whose not in gone)
    return healed, list(dict.fromkeys(parsed.owners[index] for index in sorted(dead)))


def wrapped(entries: Sequence[Entry]) -> Iterator[str]:
    """The lines of these entries, none of which is too long for any reader."""
    for address, names in entries:
        line = address
        for name in names:
            if len(line) + 1 + len(name) > LONGEST:
                yield line
                line = address
            line += f" {name}"
        yield line


def mentions(data: bytes, names: Collection[str]) -> list[Mention]:
    """Where others' lines have one of ``names`` (lower case), as glibc reads the file."""
    parsed = _parse(data)
    wanted = {name.encode() for name in names}
    found, before = [], 0
    for piece, whose in zip(parsed.lines, parsed.whose, strict=True):
        if whose == _FOREIGN and not wanted.isdisjoint(piece.translate(_PLAIN).split()):
            found += [
                Mention(name, address, number)
                for number, line in enumerate(_LINE.findall(piece), before + 1)
                if not wanted.isdisjoint(line.translate(_PLAIN).split())
                for address, name in _read(line)
                if name in names
            ]
        before += piece.count(b"\n")
    return found


def _read(line: bytes) -> Iterator[tuple[str, str]]:
    """Address and name, for each name of a line."""
    words = line.partition(b"\0")[0].partition(b"#")[0].split()
    if len(words) < 2:
        return
    try:
        address = str(ipaddress.ip_address(words[0].decode("ascii")))
    except ValueError:
        return
    for word in words[1:]:
        yield address, word.decode("ascii", "replace").lower()


def _text(line: bytes) -> bytes:
    """Without its end; an editor may have given a whole file DOS line ends."""
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _entry(text: bytes) -> Entry | None:
    found = _ENTRY.fullmatch(text) if text.startswith(b"127.") and len(text) <= LONGEST else None
    if found is None or not may_serve(address := found[1].decode()):
        return None
    return Entry(address, tuple(found[2].decode().split()))


def _render(owner: Owner, entries: Sequence[Entry]) -> bytes:
    begin = f"# fairlead begin pid={owner.pid} start={owner.start} boot={owner.boot}"
    text = [begin, *wrapped(entries), f"# fairlead end pid={owner.pid}"]
    return "".join(f"{line}\n" for line in text).encode("ascii")


def _parse(data: bytes) -> _Parsed:
    begin, end = _ours(data)
    lines = [piece for piece in (data[:begin], *_LINE.findall(data, begin, end), data[end:]) if piece]
    extents, strays = _extents(lines)
    begins = {extent.begin: index for index, extent in enumerate(extents)}
    ends = {extent.last: index for index, extent in enumerate(extents) if extent.closed}
    whose = [_FOREIGN] * len(lines)
    within: list[int] = []  # the blocks around a line, on top the one that began last
    for at, line in enumerate(lines):
        while within and extents[within[-1]].last < at:
            within.pop()
        if at in begins:
            whose[at] = begins[at]
            within.append(begins[at])
        elif at in ends:
            whose[at] = ends[at]
        elif at in strays:
            whose[at] = _STRAY
        elif within and _entry(_text(line)):
            whose[at] = within[-1]
    unclosed = frozenset(index for index, extent in enumerate(extents) if not extent.closed)
    return _Parsed(lines, whose, [extent.owner for extent in extents], unclosed)


def _ours(data: bytes) -> tuple[int, int]:
    """From where to where there may be lines of ours: to the last mark, and the lines that may follow one."""
    first = 0 if data.startswith(_MARK) else data.find(b"\n" + _MARK) + 1
    last = max(data.rfind(b"\n" + _MARK) + 1, first)
    if not data.startswith(_MARK, first):
        return 0, 0
    while True:
        end = data.find(b"\n", last) + 1 or len(data)
        last = end
        following = data.find(b"\n", end) + 1 or len(data)
        if not _entry(_text(data[end:following])):
            return first, end


def _extents(lines: Sequence[bytes]) -> tuple[list[_Extent], set[int]]:
    """From where to where each block goes, and the ends without a begin."""
    extents: list[_Extent] = []
    strays: set[int] = set()
    waiting: dict[int, int] = {}  # by process id, the block whose end may still come
    for at, line in enumerate(lines):
        if not line.startswith(_MARK):
            continue
        text = _text(line)
        if begin := _BEGIN.fullmatch(text):
            waiting[int(begin[1])] = len(extents)
            extents.append(_Extent(Owner(int(begin[1]), int(begin[2]), begin[3].decode()), at, at, closed=False))
        elif end := _END.fullmatch(text):
            index = waiting.pop(int(end[1]), None)
            if index is None:
                strays.add(at)
            else:
                extents[index] = extents[index]._replace(last=at, closed=True)
    return [extent if extent.closed else _without_end(extent, lines) for extent in extents], strays


def _without_end(extent: _Extent, lines: Sequence[bytes]) -> _Extent:
    last = extent.begin
    while last + 1 < len(lines) and _entry(_text(lines[last + 1])):
        last += 1
    return extent._replace(last=last)
