"""Listening under names: on loopback addresses of their own, with a hosts file that knows them."""

from __future__ import annotations

import errno
import ipaddress
import os
from collections.abc import Sequence

from fairlead.entry.listener import Bound, explain, listening_socket
from fairlead.errors import ListenError, MachineError
from fairlead.host import ports
from fairlead.host.helper import Helper
from fairlead.net.descriptors import limit, listeners_mark

Endpoint = tuple[str, int]
"""An IPv4 address and a port."""


async def listen(wanted: Sequence[Endpoint], helper: Helper | None) -> dict[Endpoint, Bound | ListenError]:
    """Listen on each; what this user may not bind, the helper does. One that fails leaves the others alone."""
    lowest = 0 if os.geteuid() == 0 or helper is None else ports.lowest_free()
    found: dict[Endpoint, Bound | ListenError] = {}
    for endpoint in wanted:
        if endpoint[1] >= lowest:
            result = _by_ourselves(endpoint)
            if result is not None:
                found[endpoint] = result
    rest = [endpoint for endpoint in wanted if endpoint not in found]
    if rest and helper is not None:
        found.update(await _by_helper(rest, helper))
    elif rest:
        found.update(zip(rest, map(_in_use, rest, ports.describe_holders(rest)), strict=True))
    return found


def _by_ourselves(endpoint: Endpoint) -> Bound | ListenError | None:
    """None where something else has the port: who that is, is asked for all of them at once."""
    address = ipaddress.ip_address(endpoint[0])
    try:
        sock = listening_socket(address, endpoint[1])
    except OSError as error:
        return None if error.errno == errno.EADDRINUSE else explain(error, address, endpoint[1])
    bound = Bound(endpoint[1])
    bound.sockets.append(sock)
    return _with_room(endpoint, bound)


async def _by_helper(wanted: Sequence[Endpoint], helper: Helper) -> dict[Endpoint, Bound | ListenError]:
    found: dict[Endpoint, Bound | ListenError] = {}
    try:
        answers = await helper.bind(wanted)
    except MachineError as error:
        return {endpoint: ListenError(f"{_text(endpoint)} cannot be bound: {error}") for endpoint in wanted}
    for endpoint, answer in zip(wanted, answers, strict=True):
        if answer.sock is not None:
            bound = Bound(endpoint[1])
            bound.sockets.append(answer.sock)
            found[endpoint] = _with_room(endpoint, bound)
        elif answer.errno == errno.EADDRINUSE:
            found[endpoint] = _in_use(endpoint, answer.holder)
        else:
            found[endpoint] = ListenError(f"{_text(endpoint)} cannot be bound: {os.strerror(answer.errno)}")
    return found


def _with_room(endpoint: Endpoint, bound: Bound) -> Bound | ListenError:
    """The same, unless it takes what connections will need."""
    if all(sock.fileno() < listeners_mark() for sock in bound.sockets):
        return bound
    bound.close()
    return ListenError(
        f"{_text(endpoint)} is not listened on: this process may have {limit()} files open (ulimit -n), "
        "and connections need the rest"
    )


def _in_use(endpoint: Endpoint, holder: str) -> ListenError:
    return ListenError(f"{_text(endpoint)} is in use{f' by {holder}' if holder else ''}")


def _text(endpoint: Endpoint) -> str:
    return f"{endpoint[0]}:{endpoint[1]}"
