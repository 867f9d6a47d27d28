"""Engines joined back to back, raw frames, and listeners that write down what they are told.

The listeners also hold an engine to its contract: a call that the contract forbids fails the test, or the fuzzer, at
once.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping

from fairlead.protocol.portforward import Outcome
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.headers import HeaderEncoder
from fairlead.protocol.spdy.session import Role, Session, StreamListener

Event = tuple[object, ...]


class StreamLog:
    """What one stream was told; neighbouring pieces of data are joined, since their borders mean nothing."""

    def __init__(self, name: str = "", log: list[Event] | None = None, *, accepted: bool = False) -> None:
        self.name = name
        self.log: list[Event] = [] if log is None else log
        self.accepted = accepted
        self.ended = False
        self.dead = False
        self.on_piece: Callable[[bytes], None] = lambda piece: None
        """A test's own reaction to data, from inside the call."""

    @property
    def data(self) -> bytes:
        return b"".join(event[1] for event in self.events if event[0] == "data" and isinstance(event[1], bytes))

    @property
    def over(self) -> bool:
        """No data may come any more."""
        return self.ended or self.dead

    @property
    def events(self) -> list[Event]:
        """Without the name."""
        return [event[1:] for event in self.log if event[0] == self.name]

    def on_reply(self, headers: Mapping[str, str]) -> None:
        assert not self.over, f"reply to {self}"
        assert not self.accepted, f"second reply to {self}"
        self.accepted = True
        self.log.append((self.name, "reply", dict(headers)))

    def on_data(self, data: memoryview) -> None:
        assert self.accepted, f"data before the reply to {self}"
        assert not self.over, f"data after the end of {self}"
        assert len(data), f"empty data for {self}"
        piece = bytes(data)
        last = self.log[-1] if self.log else ()
        if last[:2] == (self.name, "data") and isinstance(last[2], bytes):
            self.log[-1] = (self.name, "data", last[2] + piece)
        else:
            self.log.append((self.name, "data", piece))
        self.on_piece(piece)

    def on_fin(self) -> None:
        assert self.accepted, f"end before the reply to {self}"
        assert not self.over, f"second end of {self}"
        self.ended = True
        self.log.append((self.name, "fin"))

    def on_reset(self, status: int) -> None:
        assert not self.dead, f"second reset of {self}"
        self.dead = True
        self.log.append((self.name, "reset", int(status)))

    def __repr__(self) -> str:
        return f"<stream {self.name} accepted={self.accepted} ended={self.ended} dead={self.dead}>"


class SessionLog:
    """A session's listener: accepts every stream the peer opens, unless ``accept`` says otherwise."""

    def __init__(self) -> None:
        self.log: list[Event] = []
        self.streams: dict[int, StreamLog] = {}
        self.session: Session | None = None
        self.accept: Callable[[int, Mapping[str, str]], bool] = self.accept_all

    def accept_all(self, stream: int, headers: Mapping[str, str]) -> bool:
        assert self.session is not None
        self.session.reply(stream)
        return True

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        assert stream not in self.streams, f"stream {stream} opened twice"
        self.log.append((str(stream), "open", dict(headers), fin))
        if not self.accept(stream, headers):
            return None
        listener = self.streams[stream] = StreamLog(str(stream), self.log, accepted=True)
        listener.ended = fin
        return listener

    def on_pong(self, ident: int) -> None:
        self.log.append(("session", "pong", ident))

    def on_goaway(self, last_good: int, status: int) -> None:
        self.log.append(("session", "goaway", last_good, status))


class End:
    """One engine and all that it said."""

    def __init__(self, role: Role, *, max_streams: int = 8192) -> None:
        self.told = SessionLog()
        self.session = Session(role, self.told, max_streams=max_streams)
        self.told.session = self.session
        self.headers = HeaderEncoder()
        """Compresses for a peer that is no engine; its blocks go to ``session`` in the order they were made."""

    def open(self, name: str = "stream", /, *, fin: bool = False, **headers: str) -> tuple[int, StreamLog]:
        stream = StreamLog(name, self.told.log)
        return self.session.open(headers, stream, fin=fin), stream

    def receive(self, *parts: bytes, size: int = 0) -> bytes:
        """Take what a peer sent, in pieces of ``size`` (0: whole); returns the answer."""
        for piece in pieces(b"".join(parts), size):
            self.session.receive(memoryview(piece))
        return self.session.take_outgoing()

    def block(self, **headers: str) -> bytes:
        return self.headers.encode(headers)


class Pair:
    """A client and a server, joined."""

    def __init__(self, *, max_streams: int = 8192) -> None:
        self.client = End(Role.CLIENT, max_streams=max_streams)
        self.server = End(Role.SERVER, max_streams=max_streams)

    def settle(self, size: int = 0) -> None:
        """Carry bytes both ways, one side after the other, until neither has any; in pieces of ``size`` (0: whole)."""
        for _ in range(1000):
            up = self.client.session.take_outgoing()
            down = self.server.receive(up, size=size)
            for piece in pieces(down, size):
                self.client.session.receive(memoryview(piece))
            if not (up or down):
                return
        raise AssertionError("the two engines never stop talking")


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut in pieces of ``size`` bytes; 0 leaves it whole."""
    step = size or len(data) or 1
    return (data[at : at + step] for at in range(0, len(data), step))


def control(kind: int, body: bytes = b"", *, flags: int = 0, version: int = 3, length: int | None = None) -> bytes:
    """A control frame as wrong as the test wants it."""
    size = len(body) if length is None else length
    return struct.pack(">HHI", 0x8000 | version, kind, flags << 24 | size) + body


def u32(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


class ForwardLog:
    """A ForwardListener that writes down what it is told."""

    def __init__(self) -> None:
        self.data = b""
        self.events: list[tuple[object, ...]] = []

    def on_data(self, data: memoryview) -> None:
        assert not any(event[0] == "end" for event in self.events)
        self.data += data

    def on_half_end(self) -> None:
        self.events.append(("half end",))

    def on_end(self, outcome: Outcome, text: str) -> None:
        self.events.append(("end", outcome, text))


def client_with_stream() -> tuple[End, int, StreamLog]:
    """A client with one stream, which the server has accepted."""
    end = End(Role.CLIENT)
    ident, stream = end.open()
    end.receive(frames.syn_reply(ident, end.block()))
    end.session.take_outgoing()
    stream.log.clear()
    return end, ident, stream


def server_with_stream(*, max_streams: int = 8192) -> End:
    """A server with stream 1."""
    end = End(Role.SERVER, max_streams=max_streams)
    end.receive(frames.syn_stream(1, end.block(port="80")))
    end.told.log.clear()
    return end
