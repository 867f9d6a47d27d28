"""Listening under names: on loopback addresses of their own, with a hosts file that knows them."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from fairlead.entry.listener import Bound, listening_socket
from fairlead.errors import MachineError
from fairlead.host import ports
from fairlead.host.helper import Helper
from fairlead.net.descriptors import limit, listeners_mark, next_one

AT_ONCE = 200
"""Ports that are bound before it is looked whether there is room for more."""

Endpoint = tuple[str, int]
"""An IPv4 address and a port."""


class Why(Enum):
    """Why a port is not listened on."""

    HELD = auto()
    """By this user, or by root."""
    STRANGER = auto()
    """By another user, who would be told what is meant for the service."""
    NO_ROOM = auto()
    """For want of descriptors, and not for anything about this port."""
    OTHER = auto()


class Refused(NamedTuple):
    """A port that is not listened on."""

    text: str
    """As it follows on "ADDRESS:PORT is"."""
    why: Why = Why.OTHER


async def listen(
    wanted: Sequence[Endpoint], helper: Helper | None, *, share: float = 1.0
) -> dict[Endpoint, Bound | Refused]:
    """Listen on each, in this order; what this user may not bind, the helper does. One that fails is alone in that.

    ``share`` is how much of the descriptors that listening may take is for these.
    """
    found: dict[Endpoint, Bound | Refused] = {}
    try:
        for at in range(0, len(wanted), AT_ONCE):
            if not has_room(share):
                break
            await _listen(wanted[at : at + AT_ONCE], found, helper)
            for endpoint in wanted[at : at + AT_ONCE]:
                _keep_room(endpoint, found, share)
    except BaseException:
        for result in found.values():
            if isinstance(result, Bound):
                result.close()
        raise
    return {endpoint: found.get(endpoint) or _no_room() for endpoint in wanted}


def still_held(endpoints: Sequence[Endpoint]) -> list[Why | None]:
    """For each, HELD or STRANGER, None where nothing listens any more. Costs one look at the list of listeners."""
    ours = {0, os.geteuid()}
    return [
        None if not listeners else Why.STRANGER if {each.uid for each in listeners} - ours else Why.HELD
        for listeners in (ports.in_the_way(endpoints) if endpoints else ())
    ]


def has_room(share: float = 1.0) -> bool:
    """Whether one more port could be listened on."""
    return next_one() < share * listeners_mark()


def _keep_room(endpoint: Endpoint, found: dict[Endpoint, Bound | Refused], share: float) -> None:
    """Give it up if it takes what connections will need."""
    result = found[endpoint]
    if isinstance(result, Bound) and result.sockets[0].fileno() >= share * listeners_mark():
        result.close()
        found[endpoint] = _no_room()


async def _listen(wanted: Sequence[Endpoint], found: dict[Endpoint, Bound | Refused], helper: Helper | None) -> None:
    lowest = 0 if os.geteuid() == 0 or helper is None else ports.lowest_free()
    rest = []
    for endpoint in wanted:
        result = _by_ourselves(endpoint) if endpoint[1] >= lowest else None
        if result is None:
            rest.append(endpoint)
        else:
            found[endpoint] = result
    if rest and helper is not None:
        found.update(await _by_helper(rest, helper))
    elif rest:
        found.update(zip(rest, map(_in_use, ports.describe_holders(rest)), strict=True))
    held = [endpoint for endpoint in rest if isinstance(each := found[endpoint], Refused) and each.why is Why.HELD]
    for endpoint, why in zip(held, still_held(held), strict=True):
        result = found[endpoint]
        if isinstance(result, Refused) and why is not None:
            found[endpoint] = result._replace(why=why)


def _by_ourselves(endpoint: Endpoint) -> Bound | Refused | None:
    """None where something else has the port: who that is, is asked for all of them at once."""
    try:
        sock = listening_socket(ipaddress.ip_address(endpoint[0]), endpoint[1])
    except OSError as error:
        return None if error.errno == errno.EADDRINUSE else _refused(error.errno or 0, endpoint[1])
    return _bound(endpoint, sock)


async def _by_helper(wanted: Sequence[Endpoint], helper: Helper) -> dict[Endpoint, Bound | Refused]:
    try:
        answers = await helper.bind(wanted)
    except MachineError as error:
        return dict.fromkeys(wanted, Refused(f"not listened on: {error}"))
    found: dict[Endpoint, Bound | Refused] = {}
    for endpoint, answer in zip(wanted, answers, strict=True):
        if answer.sock is not None:
            found[endpoint] = _bound(endpoint, answer.sock)
        elif answer.errno == errno.EADDRINUSE:
            found[endpoint] = _in_use(answer.holder)
        else:
            found[endpoint] = _refused(answer.errno, endpoint[1])
    return found


def _bound(endpoint: Endpoint, sock: socket.socket) -> Bound:
    bound = Bound(endpoint[1])
    bound.sockets.append(sock)
    return bound


def _in_use(holder: str) -> Refused:
    return Refused(f"in use{f' by {holder}' if holder else ''}", Why.HELD)


def _refused(number: int, port: int) -> Refused:
    if number in (errno.EMFILE, errno.ENFILE):
        return _no_room()
    if number in (errno.EACCES, errno.EPERM) and port < (lowest := ports.lowest_free()):
        # Whoever starts a run is asked for more rights; who is in the middle of one may be away.
        return Refused(
            f"below {lowest}, which this run has no right to: start it again, or choose another (-m {port}:LOCAL)"
        )
    return Refused(f"not listened on: {os.strerror(number)}")


def _no_room() -> Refused:
    return Refused(
        f"not listened on: this process may have {limit()} files open (ulimit -n), and connections need the rest",
        Why.NO_ROOM,
    )
