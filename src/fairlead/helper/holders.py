"""Who holds a TCP port of this machine (proc(5))."""

from __future__ import annotations

import ipaddress
import os
import pwd
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

SEARCH_LIMIT = 0.3
"""Seconds spent on looking for processes: an error message is worth a moment, not more."""

_LISTEN = "0A"


class Listener(NamedTuple):
    """One listening socket, as /proc/net/tcp and tcp6 list it."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    uid: int
    inode: str


def describe_holder(address: str, port: int, *, asker: int = 0, proc: str = "/proc") -> str:
    """Who listens where ``address`` and ``port`` would be bound: ``nginx (pid 42)``, or "" if that cannot be told.

    Root sees more than ``asker``, a user's id, is to know: of a third user's socket only whose it is.
    """
    return describe_holders([(address, port)], asker=asker, proc=proc)[0]


def describe_holders(wanted: Sequence[tuple[str, int]], *, asker: int = 0, proc: str = "/proc") -> list[str]:
    """The same for many, at the price of one."""
    found = in_the_way(wanted, proc=proc)
    may_know = [each for listeners in found for each in listeners if asker == 0 or each.uid in (0, asker)]
    processes = _processes_of({f"socket:[{each.inode}]" for each in may_know}, proc)
    return [_described(listeners, processes) for listeners in found]


def in_the_way(wanted: Sequence[tuple[str, int]], *, proc: str = "/proc") -> list[list[Listener]]:
    """For each address and port that would be bound, what listens there already."""
    by_port: dict[int, list[Listener]] = {}
    for listener in listeners(proc):
        by_port.setdefault(listener.port, []).append(listener)
    return [
        [each for each in by_port.get(port, ()) if _clash(ipaddress.ip_address(address), each.address)]
        for address, port in wanted
    ]


def _described(listeners: Sequence[Listener], processes: dict[str, str]) -> str:
    if not listeners:
        return ""
    named = (processes.get(f"socket:[{each.inode}]", "") for each in listeners)
    return next(filter(None, named), f"a process of user {_user(listeners[0].uid)}")


def _clash(wanted: ipaddress.IPv4Address | ipaddress.IPv6Address, held: object) -> bool:
    """Whether one port cannot be bound on both; a socket on :: may hold the IPv4 side too."""
    if wanted == held or (wanted.is_unspecified and type(wanted) is type(held)):
        return True
    assert isinstance(held, ipaddress.IPv4Address | ipaddress.IPv6Address)
    return held.is_unspecified and (held.version == wanted.version or held.version == 6)


def listeners(proc: str = "/proc") -> Iterator[Listener]:
    """Every socket of this machine that listens for TCP, where that can be told."""
    for name in ("tcp", "tcp6"):
        try:
            with open(f"{proc}/net/{name}") as file:
                next(file, None)
                for line in file:
                    listener = _parse(line) if f" {_LISTEN} " in line else None
                    if listener:
                        yield listener
        except OSError:
            continue  # no IPv6 on this machine, or no /proc


def _parse(line: str) -> Listener | None:
    fields = line.split()
    if len(fields) < 10 or fields[3] != _LISTEN:
        return None
    address, _, port = fields[1].partition(":")
    # Each 32-bit word is printed as a number of this machine.
    words = [int(address[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(address), 8)]
    return Listener(ipaddress.ip_address(b"".join(words)), int(port, 16), int(fields[7]), fields[9])


def _processes_of(sockets: set[str], proc: str) -> dict[str, str]:
    """The processes that have these sockets open, as far as this user may look."""
    found: dict[str, str] = {}
    give_up = time.monotonic() + SEARCH_LIMIT
    pids = sorted(filter(str.isdigit, os.listdir(proc)), key=int, reverse=True) if sockets else []
    for pid in pids:
        if found.keys() >= sockets or time.monotonic() > give_up:
            break
        try:
            held = {_target(f"{proc}/{pid}/fd/{number}") for number in os.listdir(f"{proc}/{pid}/fd")} & sockets
            if held - found.keys():
                with open(f"{proc}/{pid}/comm") as file:
                    name = f"{file.read().strip()} (pid {pid})"
                found = {**dict.fromkeys(held, name), **found}
        except OSError:
            continue  # another user's, or just ended
    return found


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""  # closed meanwhile


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
