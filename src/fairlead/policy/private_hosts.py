"""The hosts file (hosts(5)) of a private namespace: the laptop's, where names of the clusters mean the clusters'."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from fairlead.policy.hostsblock import Entry, heal, mentions, wrapped

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_WORD = re.compile(rb"\s+[^\s#\0]+")


def render(laptop: bytes, entries: Sequence[Entry], ours: Collection[str] = ()) -> bytes:
    """``entries`` before all that the laptop's file has, without what runs wrote there and without names of ours.

    These are the names of ``entries`` and those of ``ours``, lower case, which DNS answers. A line that has no other
    names goes; every other byte stays.
    """
    theirs, _ = heal(laptop, lambda owner: False)
    names = {*ours, *(name for entry in entries for name in entry.names)}
    return "".join(f"{line}\n" for line in wrapped(entries)).encode("ascii") + _without(theirs, names)


def _without(data: bytes, names: Collection[str]) -> bytes:
    touched = {mention.line for mention in mentions(data, names)}
    if not touched:
        return data
    wanted = {name.encode() for name in names}
    return b"".join(
        _shorter(line, wanted) if number in touched else line for number, line in enumerate(_LINE.findall(data), 1)
    )


def _shorter(line: bytes, names: Collection[bytes]) -> bytes:
    """A line without some of its names; nothing if it has no others."""
    text, mark, comment = line.partition(b"#")
    left = _WORD.sub(lambda found: b"" if found[0].strip().lower() in names else found[0], text)
    return left + mark + comment if len(left.split()) > 1 else b""
