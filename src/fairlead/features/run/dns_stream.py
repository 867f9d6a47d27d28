"""DNS over TCP as the far side of a captured connection (RFC 7766): questions may follow each other unanswered."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from fairlead.errors import ProtocolError
from fairlead.kit.tasks import Background
from fairlead.net.local import LocalConnection
from fairlead.protocol.dns import MOST_MESSAGE, MessageReader, framed

MOST_OPEN = 64
"""Questions of one connection that are answered at once; the next are taken up when one of these was."""

Answer = Callable[[bytes, int], Awaitable[bytes | None]]
"""The answer to a query, of so many bytes at most; None if there is nobody to tell."""


class DnsStream:
    """The RemoteEnd."""

    def __init__(self, local: LocalConnection, answer: Answer, tasks: Background) -> None:
        self._local = local
        self._answer = answer
        self._tasks = tasks
        self._reader = MessageReader()
        self._asked: deque[bytes] = deque()
        self._open = 0
        self._blocked = False
        self._eof = False
        self._gone = False

    def send(self, buffer: memoryview, start: int, end: int) -> None:
        """Questions, or parts of them."""
        if self._gone:
            return
        try:
            self._asked.extend(self._reader.feed(buffer[start:end]))
        except ProtocolError:
            self.local_lost()
            self._local.abort()
            return
        self._go_on()

    def send_eof(self) -> None:
        """No more questions."""
        self._eof = True
        self._end_if_done()

    def local_blocked(self) -> None:
        """The program does not read its answers: it gets no more."""
        self._blocked = True
        self._go_on()

    def local_drained(self) -> None:
        """It reads again."""
        self._blocked = False
        self._go_on()

    def local_lost(self) -> None:
        """It is gone."""
        self._gone = True
        self._asked.clear()

    def _go_on(self) -> None:
        """Answer what there is room for, and read on only where nothing is left to answer."""
        while self._asked and self._open < MOST_OPEN and not self._blocked:
            self._open += 1
            self._tasks.start(self._reply(self._asked.popleft()), name="answer a question over TCP")
        if self._gone:
            return
        if self._blocked or self._open >= MOST_OPEN:
            self._local.pause_reading()
        else:
            self._local.resume_reading()

    async def _reply(self, query: bytes) -> None:
        try:
            answer = await self._answer(query, MOST_MESSAGE)
        finally:
            self._open -= 1
        if self._gone:
            return
        if answer is not None:
            self._local.write(memoryview(framed(answer)))
            self._local.flush()
        self._go_on()
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._eof and not self._open and not self._asked and not self._gone:
            self._gone = True
            self._local.close()
