"""What the helper may be told, checked before anything is done: it serves root, and its asker is an ordinary user."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeGuard

from fairlead.errors import ProtocolError
from fairlead.helper.wire import LARGEST, MOST_SOCKETS
from fairlead.policy.hostnames import is_legal, is_ours
from fairlead.policy.hostsblock import Entry, may_serve

MOST_ENTRIES = 20_000
MOST_NAMES = 64
"""Names of one address: a pod has eight in one context, and five with another one's."""
_AROUND = 64 << 10
"""Bytes of a message, or of its reply, beside the names."""


def fitting(wanted: Iterable[Entry]) -> tuple[list[Entry], list[str]]:
    """As many of the ``wanted`` lines as may be asked for at once, and the names of the rest."""
    kept: list[Entry] = []
    rest: list[str] = []
    room = LARGEST - _AROUND
    for address, names in wanted:
        size = len(address) + 8 + sum(len(name) + 3 for name in names[:MOST_NAMES])
        if len(kept) == MOST_ENTRIES or size > room:
            rest += names
            continue
        room -= size
        kept.append(Entry(address, names[:MOST_NAMES]))
        rest += names[MOST_NAMES:]
    return kept, rest


def entries(value: Any, forbidden: Collection[str]) -> list[Entry]:
    """The lines of a hosts block. ``forbidden`` are the machine's own names. Raises ProtocolError."""
    found = [_entry(each, forbidden) for each in _list(value, MOST_ENTRIES)]
    names = [name for entry in found for name in entry.names]
    if len(set(names)) != len(names):
        raise ProtocolError("a name stands on two addresses")
    return found


def endpoints(value: Any) -> list[tuple[str, int]]:
    """Where to listen. Raises ProtocolError."""
    found = [endpoint(each) for each in _list(value, MOST_SOCKETS)]
    if len(set(found)) != len(found):
        raise ProtocolError("a port is asked for twice")
    return found


def endpoint(value: Any) -> tuple[str, int]:
    """An address and a port. Raises ProtocolError."""
    address, port = _list(value, 2, least=2)
    if not _is_address(address) or isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        raise ProtocolError(f"not an address and a port of ours: {value!r:.100}")
    return address, port


def _entry(value: Any, forbidden: Collection[str]) -> Entry:
    address, names = _list(value, 2, least=2)
    if not _is_address(address):
        raise ProtocolError(f"not an address of ours: {address!r:.100}")
    for name in _list(names, MOST_NAMES, least=1):
        if not isinstance(name, str) or not is_legal(name) or is_ours(name) or name in forbidden:
            raise ProtocolError(f"not a name for a service: {name!r:.300}")
    return Entry(address, tuple(names))


def _is_address(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and may_serve(value)


def _list(value: Any, most: int, least: int = 0) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ProtocolError(f"not a list of {least} to {most}: {value!r:.100}")
    return value
