"""The SPDY client engine with its forwarded connections, before a server that does as it likes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.protocol.portforward import MAX_ERROR_TEXT, Forward, Outcome
from fairlead.protocol.spdy.headers import MAX_BLOCK
from fairlead.protocol.spdy.session import MAX_CONTROL, Role, Session, StreamListener
from fuzz.harness import Feed, Log
from fuzz.program import Program
from fuzz.wire import Peer

FORWARDS = 6
HELD = MAX_CONTROL * 9 // 8 + 48 * 1024 + FORWARDS * (MAX_ERROR_TEXT * 9 // 8 + 4096)
# As for the server, and an error text as it is decoded.
PEAK = HELD + MAX_CONTROL + 4 * MAX_BLOCK + 8 * MAX_ERROR_TEXT


class Connection:
    """The owner of one Forward."""

    def __init__(self, name: int, session: Session, log: Log) -> None:
        self._name, self._log = name, log
        self._over = False
        self._half_ends = 0
        self.forward = Forward(session, 80, name, self)

    def on_data(self, data: memoryview) -> None:
        assert not self._over, "data after the end"
        assert len(data)
        last: tuple[Any, ...] = self._log[-1] if self._log else ()
        if last[:2] == (self._name, "data"):
            self._log[-1] = (self._name, "data", last[2] + bytes(data))
        else:
            self._log.append((self._name, "data", bytes(data)))

    def on_half_end(self) -> None:
        assert not self._over, "half end after the end"
        self._half_ends += 1
        assert self._half_ends <= 2, "the far half and ours have ended already"
        self._log.append((self._name, "half end"))

    def on_end(self, outcome: Outcome, text: str) -> None:
        assert not self._over, "second end"
        self._over = True
        assert (outcome is Outcome.ERROR) or not text
        self._log.append((self._name, "end", outcome, text))

    def act(self, choice: int) -> None:
        if choice == 0:
            self.forward.finish()
        elif choice == 1:
            self.forward.settle()
        else:
            self.forward.cancel()
            self._over = True
        assert not (self._over and self.forward.may_send)


class Client:
    def __init__(self, program: Program, feed: Feed) -> None:
        self._program = program
        self._feed = feed
        self.session = Session(Role.CLIENT, self, max_streams=0)
        self._forwards: list[Connection] = []

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        raise AssertionError("a client with max_streams=0 serves no streams")

    def on_pong(self, ident: int) -> None:
        self._feed.log.append(("pong", ident))

    def on_goaway(self, last_good: int, status: int) -> None:
        self._feed.log.append(("goaway", last_good, status))

    def act(self) -> None:
        choice = self._program.number(6)
        if choice == 0:
            self.session.ping()
        elif choice < 3 and len(self._forwards) < FORWARDS:
            self._forwards.append(Connection(len(self._forwards), self.session, self._feed.log))
        elif self._forwards:
            self._forwards[self._program.number(len(self._forwards))].act(choice - 3)


def play(program: Program, feed: Feed) -> None:
    client, peer = Client(program, feed), Peer(program)
    feed.measure()
    while program.more:
        if program.number(4) == 0:
            client.act()
            wire = b""
        else:
            wire = peer.frame()
        feed(client.session.receive, wire, client.session.take_outgoing)
        assert client.session.streams <= 2 * FORWARDS
