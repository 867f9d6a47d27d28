"""The main process's side of the helper: started, asked, and gone."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from fairlead.errors import MachineError, ProtocolError
from fairlead.helper.requests import fitting
from fairlead.helper.wire import MOST_SOCKETS, Message, Reader, encode
from fairlead.host.helper_start import Early, Rights, connected
from fairlead.host.rights import receive
from fairlead.policy.hostsblock import Entry, Mention

HELLO = 5.0
"""Seconds in which a helper that is connected has detached itself."""
UNDONE = 45.0
"""Seconds in which it removes its lines: milliseconds, unless others keep the file. Then it ends what it is writing,
and tries again (``helper.serve.TRY_FOR``)."""


class Left(NamedTuple):
    """A name that another living run serves."""

    name: str
    pid: int


class HostsReply(NamedTuple):
    """What became of the names."""

    left: tuple[Left, ...]
    """Not written: they stay the other run's. Ask again later: its end is not told."""
    clashes: tuple[Mention, ...]
    """Written, before the lines of others that have another address for them."""
    dead: tuple[int, ...]
    """Process ids of killed runs whose blocks were removed."""
    rest: tuple[str, ...] = ()
    """Not written: more than the helper takes."""
    lost: bool = False
    """Another program had removed this run's lines; they are written again."""


class Bound(NamedTuple):
    """One address and port."""

    sock: socket.socket | None
    """It listens already, and never blocks; the caller's to close. None if it could not be bound."""
    errno: int = 0
    holder: str = ""
    """Who has the port: ``nginx (pid 42)``; "" if that cannot be told."""


class Helper:
    """A running helper. Use ``start``; it ends with ``close``, or when this process does.

    ``on_gone`` is called once if it ends by itself, with whether it has undone everything. What it bound goes on
    listening.
    """

    def __init__(self, sock: socket.socket, on_gone: Callable[[bool], None]) -> None:
        self.pid = 0
        """The helper's process id."""
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._on_gone = on_gone
        self._reader = Reader()
        self._out = bytearray()
        self._received: deque[int] = deque()
        """Descriptors whose message is not complete yet."""
        self._turn = asyncio.Lock()
        self._asked = 0
        self._waiting: asyncio.Future[tuple[Message, list[socket.socket]]] | None = None
        self._hello: asyncio.Future[Message] = self._loop.create_future()
        self._ended = asyncio.Event()
        self._closing = False
        self._undone: Message = {}
        sock.setblocking(False)
        self._loop.add_reader(sock.fileno(), self._readable)

    @classmethod
    async def start(
        cls,
        hosts_file: str,
        rights: Rights,
        env: Mapping[str, str],
        *,
        on_gone: Callable[[bool], None],
        early: Early | None = None,
    ) -> Helper:
        """Start one for ``hosts_file``; ``rights`` are what it takes to change that (see ``privilege``).

        ``early`` is one that was started before this process gave up root's. Raises MachineError.
        """
        helper = cls(await connected(hosts_file, rights, env, early), on_gone)
        try:
            async with asyncio.timeout(HELLO):
                helper.pid = (await helper._hello)["pid"]
        except BaseException as error:
            helper._closing = True
            helper._end()
            if isinstance(error, TimeoutError):
                raise MachineError("the helper does not answer") from None
            raise
        return helper

    async def hosts(self, entries: Sequence[Entry]) -> HostsReply:
        """Have these lines in the hosts file, all of this run's. Raises MachineError."""
        kept, rest = fitting(entries)
        reply, _ = await self._ask("hosts", kept)
        return HostsReply(
            tuple(Left(name, pid) for pid, names in reply["left"] for name in names),
            tuple(Mention(name, address, line) for name, address, line in reply["clashes"]),
            tuple(reply["dead"]),
            tuple(rest),
            reply["lost"],
        )

    async def bind(self, wanted: Sequence[tuple[str, int]]) -> list[Bound]:
        """Listen on these addresses and ports (IPv4, TCP): for each what came of it, in order. Raises MachineError."""
        found: list[Bound] = []
        try:
            for at in range(0, len(wanted), MOST_SOCKETS):
                reply, sockets = await self._ask("bind", list(map(list, wanted[at : at + MOST_SOCKETS])))
                rest = iter(sockets)
                found += [_bound(rest) if each == 0 else Bound(None, *each) for each in reply["bound"]]
        except BaseException:
            _close(bound.sock for bound in found if bound.sock is not None)
            raise
        return found

    async def heal(self) -> tuple[int, ...]:
        """Remove the blocks of killed runs: their process ids. Raises MachineError."""
        reply, _ = await self._ask("heal")
        return tuple(reply["dead"])

    async def close(self) -> bool:
        """Have everything undone and wait for that; False if it vanished without a word: then it was killed.

        Raises MachineError if it says that something is left, or says nothing for too long.
        """
        self._closing = True
        try:
            async with asyncio.timeout(UNDONE):
                with suppress(OSError):  # its other end is closed already: what it said is still to be read
                    self._sock.shutdown(socket.SHUT_WR)
                await self._ended.wait()
        except TimeoutError:
            raise MachineError(f"the helper has not undone everything within {UNDONE:g} s") from None
        finally:
            self._end()
        if self._undone.get("error"):
            raise MachineError(str(self._undone["error"]))
        return bool(self._undone.get("undone"))

    async def _ask(self, operation: str, value: object = None) -> tuple[Message, list[socket.socket]]:
        async with self._turn:
            if self._ended.is_set():
                raise _gone()
            self._asked += 1
            self._out += encode({"id": self._asked, "op": operation, "with": value})
            waiting = self._waiting = self._loop.create_future()
            self._writable()
            try:
                reply, sockets = await waiting
            except asyncio.CancelledError:
                if waiting.done() and not waiting.cancelled() and not waiting.exception():
                    _close(waiting.result()[1])  # the answer had just come
                raise
            finally:
                self._waiting = None
        if "error" in reply:
            raise MachineError(str(reply["error"]), remedy=str(reply.get("remedy", "")))
        return reply, sockets

    def _writable(self) -> None:
        try:
            del self._out[: self._sock.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self._out.clear()  # its end comes by the other way
        if self._out:
            self._loop.add_writer(self._sock.fileno(), self._writable)
        else:
            self._loop.remove_writer(self._sock.fileno())

    def _readable(self) -> None:
        try:
            data, descriptors = receive(self._sock, 65536, MOST_SOCKETS)
            self._received += descriptors
            messages = self._reader.feed(data)
        except BlockingIOError:
            return
        except (OSError, ProtocolError):
            data, messages = b"", []
        for message in messages:
            self._take(message)
        if not data:
            self._end()

    def _take(self, message: Message) -> None:
        count = min(sum(each == 0 for each in message.get("bound", ())), len(self._received))
        sockets = [socket.socket(fileno=self._received.popleft()) for _ in range(count)]
        for sock in sockets:
            sock.setblocking(False)
        if "hello" in message and not self._hello.done():
            self._hello.set_result(message["hello"])
        elif "undone" in message:
            self._undone = message
        elif self._waiting is not None and not self._waiting.done() and message.get("id") == self._asked:
            self._waiting.set_result((message, sockets))
        else:
            _close(sockets)  # nobody waits for it any more

    def _end(self) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        self._sock.close()
        while self._received:
            os.close(self._received.popleft())
        for future in (self._hello, self._waiting):
            if future is not None and not future.done():
                future.set_exception(_gone())
        if not self._hello.cancelled():
            self._hello.exception()  # looked at, lest the event loop says that nobody did
        if not self._closing:
            self._on_gone(bool(self._undone.get("undone")))


def _close(sockets: Iterable[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def _bound(sockets: Iterator[socket.socket]) -> Bound:
    sock = next(sockets, None)
    # The kernel drops what this process may not open any more.
    return Bound(sock) if sock is not None else Bound(None, errno.EMFILE)


def _gone() -> MachineError:
    return MachineError("the helper is gone")
