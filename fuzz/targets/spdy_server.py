"""The SPDY server engine with the pairing of port-forward streams, between a client and a pod that do as they like."""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.protocol.portforward import Pair, Pairing
from fairlead.protocol.spdy.headers import MAX_BLOCK
from fairlead.protocol.spdy.session import MAX_CONTROL, Role, Session, StreamListener
from fuzz.harness import Feed
from fuzz.program import Program
from fuzz.wire import Peer
from tests.support.engines import StreamLog

STREAMS = 16
# An unfinished control frame (a bytearray may be an eighth larger), the window of zlib, and the streams' own records.
HELD = MAX_CONTROL * 9 // 8 + 48 * 1024 + STREAMS * 2048
# A whole control frame, its block inflated and as text.
PEAK = HELD + MAX_CONTROL + 4 * MAX_BLOCK


class Server:
    def __init__(self, program: Program, feed: Feed) -> None:
        self._program = program
        self._feed = feed
        self.session = Session(Role.SERVER, self, max_streams=STREAMS)
        self._pairing = Pairing(self.session, self._on_pair)
        self._pairs: list[Pair] = []
        self._now = 0.0

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        if not self._pairing.opened(stream, headers, self._now):
            return None
        listener = StreamLog(str(stream), self._feed.log, accepted=True)
        listener.ended = fin
        return listener

    def on_pong(self, ident: int) -> None:
        self._feed.log.append(("pong", ident))

    def on_goaway(self, last_good: int, status: int) -> None:
        self._feed.log.append(("goaway", last_good, status))

    def _on_pair(self, pair: Pair) -> None:
        assert 0 < pair.port < 65536
        self._feed.log.append(("pair", pair))
        self._pairs = [*self._pairs[-7:], pair]

    def act(self) -> None:
        """Something that this side does by itself."""
        choice = self._program.number(8)
        if choice == 0:
            self._now += self._program.number()
            self._pairing.handle_timer(self._now)
            due = self._pairing.next_timer()
            assert due is None or due > self._now
        elif choice == 1:
            self.session.ping()
        elif choice == 2 and self._program.number() == 0:
            self.session.goaway()
        elif self._pairs:
            pair = self._pairs[self._program.number(len(self._pairs))]
            if choice == 3:
                self._pairing.succeeded(pair)
            elif choice == 4:
                self._pairing.failed(pair, "no" if self._program.flag() else "")
            elif choice == 5:
                self.session.reset(pair.data_stream)
            elif self.session.may_send(pair.data_stream):
                self.session.send_data(pair.data_stream, b"answer", fin=choice == 6)


def play(program: Program, feed: Feed) -> None:
    server, peer = Server(program, feed), Peer(program)
    feed.measure()
    while program.more:
        if program.number(4) == 0:
            server.act()
            wire = b""
        else:
            wire = peer.frame()
        feed(server.session.receive, wire, server.session.take_outgoing)
        assert server.session.streams <= STREAMS
