"""Requests answered, one after the other, until the main process is gone; then everything is undone."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from fairlead.errors import FairleadError, ProtocolError
from fairlead.helper import requests
from fairlead.helper.holders import describe_holders
from fairlead.helper.names import Names, own_names
from fairlead.helper.wire import Message, Reader, encode

BACKLOG = 1024
"""Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn."""

MOST_DEAD = 1000
"""Killed runs that are told."""

_TRIES = 3
"""How often the end is tried: whoever keeps the hosts file locked may be gone a second later."""
TRY_FOR = 10.0
"""Seconds after which it is not tried again: a try that waits for others takes longer than that by itself."""


class Server:
    """One main process's helper; ``uid`` is whose process that is."""

    def __init__(self, sock: socket.socket, names: Names, uid: int) -> None:
        self._sock = sock
        self._uid = uid
        self._names = names
        self._forbidden = own_names()

    def run(self) -> None:
        """Serve until the other end closes, breaks the protocol, or SIGTERM comes, or we fail; undo all."""
        # It is gone, or not what we take it for; and whatever else it is, names must not stay.
        with suppress(Exception):
            self._send({"hello": {"pid": os.getpid(), "uid": os.geteuid()}})
            for request in _requests(self._sock):
                self._answer(request)
        left = self._undo()
        try:
            self._send({"undone": not left, "error": left})
        except OSError:
            pass  # nobody is there to be told
        self._sock.close()

    def _undo(self) -> str:
        left, until = "", time.monotonic() + TRY_FOR
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(1)
            if time.monotonic() > until:
                break
            try:
                self._names.undo()
                return ""
            except Exception as error:
                left = str(error) or type(error).__name__
        return left

    def _answer(self, request: Message) -> None:
        sockets: list[socket.socket] = []
        try:
            reply = self._do(request.get("op"), request.get("with"), sockets)
        except FairleadError as error:
            reply = {"error": error.what, "remedy": error.remedy}
        except OSError as error:
            reply = {"error": f"the helper cannot do it: {error.strerror}"}
        try:
            self._send({"id": request.get("id"), **reply}, sockets)
        finally:
            for sock in sockets:
                sock.close()  # the main process has it, and it ends with that one

    def _do(self, operation: Any, value: Any, sockets: list[socket.socket]) -> Message:
        if operation == "hosts":
            outcome = self._names.write(requests.entries(value, self._forbidden))
            left: dict[int, list[str]] = {}
            for name, pid in outcome.left:
                left.setdefault(pid, []).append(name)
            # No longer than the request, whatever the file has.
            return {
                "left": list(left.items()), "clashes": outcome.clashes, "dead": outcome.dead[:MOST_DEAD],
                "lost": outcome.lost,
            }  # fmt: skip
        if operation == "heal":
            return {"dead": self._names.heal()}
        if operation == "bind":
            return {"bound": _bind(requests.endpoints(value), sockets, asker=self._uid)}
        raise ProtocolError("no such request")

    def _send(self, message: Message, sockets: list[socket.socket] | None = None) -> None:
        data = encode(message)
        if sockets:
            sent = socket.send_fds(self._sock, [data], [sock.fileno() for sock in sockets])
            data = data[sent:]
        self._sock.sendall(data)


def _requests(sock: socket.socket) -> Iterator[Message]:
    """What comes, until the end or SIGTERM. Raises OSError and ProtocolError."""
    reader = Reader()
    with _termination() as terminated:
        while terminated not in (ready := select.select([sock, terminated], [], [])[0]):
            assert ready == [sock]
            data = sock.recv(65536)
            if not data:
                return
            yield from reader.feed(data)


def _bind(wanted: list[tuple[str, int]], sockets: list[socket.socket], *, asker: int) -> list[Any]:
    """For each: 0 if ``sockets`` has another one now, else the error's number and who has the port."""
    results: list[Any] = []
    for address, port in wanted:
        try:
            sockets.append(_listen(address, port))
            results.append(0)
        except OSError as error:
            results.append([error.errno, ""])
    failed = [index for index, result in enumerate(results) if result]
    holders = describe_holders([wanted[index] for index in failed], asker=asker)
    for index, holder in zip(failed, holders, strict=True):
        results[index][1] = holder
    return results


def _listen(address: str, port: int) -> socket.socket:
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _termination() -> socket.socket:
    """A socket that can be read once SIGTERM has come."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    return reader
