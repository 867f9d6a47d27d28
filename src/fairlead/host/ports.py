"""TCP ports of this machine: who holds one, and what it takes to bind a low one (proc(5), ip(7))."""

from __future__ import annotations

import ipaddress
import os
import pwd
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

SEARCH_LIMIT = 0.3
"""Seconds spent on looking for a process: an error message is worth a moment, not more."""

_LISTEN = "0A"


class Listener(NamedTuple):
    """One listening socket, as /proc/net/tcp and tcp6 list it."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    uid: int
    inode: str


def describe_holder(address: str, port: int, *, proc: str = "/proc") -> str:
    """Who listens where ``address`` and ``port`` would be bound: ``nginx (pid 42)``, or "" if that cannot be told."""
    wanted = ipaddress.ip_address(address)
    found = [each for each in _listeners(proc) if each.port == port and _clash(wanted, each.address)]
    if not found:
        return ""
    holder = _process_of({f"socket:[{each.inode}]" for each in found}, proc)
    return holder or f"a process of user {_user(found[0].uid)}"


def low_port_remedy(port: int, *, proc: str = "/proc") -> str:
    """What lets this user bind ``port``, after the kernel said that it may not."""
    lowest = _lowest_free(proc)
    if port >= lowest:
        return "a security rule of this machine forbids it: choose another local port"
    python = os.path.realpath(sys.executable)
    return (
        f"choose a local port from {lowest}; or allow low ports to everybody: "
        f"sudo sysctl -w net.ipv4.ip_unprivileged_port_start={port}; "
        f"or to this Python: sudo setcap cap_net_bind_service=+ep {python}"
    )


def _lowest_free(proc: str) -> int:
    try:
        with open(f"{proc}/sys/net/ipv4/ip_unprivileged_port_start") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 1024


def _clash(wanted: ipaddress.IPv4Address | ipaddress.IPv6Address, held: object) -> bool:
    """Whether one port cannot be bound on both; a socket on :: may hold the IPv4 side too."""
    if wanted == held or (wanted.is_unspecified and type(wanted) is type(held)):
        return True
    assert isinstance(held, ipaddress.IPv4Address | ipaddress.IPv6Address)
    return held.is_unspecified and (held.version == wanted.version or held.version == 6)


def _listeners(proc: str) -> Iterator[Listener]:
    for name in ("tcp", "tcp6"):
        try:
            with open(f"{proc}/net/{name}") as file:
                next(file, None)
                for line in file:
                    listener = _parse(line)
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


def _process_of(sockets: set[str], proc: str) -> str:
    """The process that has one of these sockets open, as far as this user may look."""
    give_up = time.monotonic() + SEARCH_LIMIT
    for pid in sorted(filter(str.isdigit, os.listdir(proc)), key=int, reverse=True):
        if time.monotonic() > give_up:
            return ""
        try:
            if any(_target(f"{proc}/{pid}/fd/{number}") in sockets for number in os.listdir(f"{proc}/{pid}/fd")):
                with open(f"{proc}/{pid}/comm") as file:
                    return f"{file.read().strip()} (pid {pid})"
        except OSError:
            continue  # another user's, or just ended
    return ""


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
