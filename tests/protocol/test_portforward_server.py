"""Port forwarding as a server plays it, by itself and back to back with a client."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fairlead.protocol.portforward import Forward, Outcome, Pair, Pairing
from fairlead.protocol.spdy.frames import Status
from tests.support import engines
from tests.support.engines import ForwardLog


class Server:
    """A Pairing on a server engine, with a client engine in front of it."""

    def __init__(self) -> None:
        self.both = engines.Pair()
        self.pairs: list[Pair] = []
        self.now = 100.0
        self.session = self.both.server.session
        self.pairing = Pairing(self.session, self.pairs.append)
        self.both.server.told.accept = lambda stream, headers: self.pairing.opened(stream, headers, self.now)

    def open(self, **headers: str) -> engines.StreamLog:
        stream = engines.StreamLog(str(headers))
        self.both.client.session.open(headers, stream)
        self.both.settle()
        return stream

    @property
    def pending(self) -> bool:
        return self.pairing.next_timer() is not None


def headers(kind: str, request: str | None = "0", port: str = "80") -> dict[str, str]:
    both = {"streamtype": kind, "port": port}
    return both if request is None else {**both, "requestid": request}


def test_pairs_in_either_order() -> None:
    server = Server()
    for request in ("0", "1"):
        kinds = ["error", "data"] if request == "0" else ["data", "error"]
        for kind in kinds:
            assert server.open(**headers(kind, request)).events == [("reply", {})]
    assert server.pairs == [Pair("0", 80, 1, 3), Pair("1", 80, 7, 5)]
    assert not server.pending


def test_pairs_that_are_interleaved() -> None:
    server = Server()
    for request in "2", "0", "1":
        server.open(**headers("data", request, "80" + request))
    for request in "1", "2", "0":
        server.open(**headers("error", request, "1"))
    assert [(pair.request_id, pair.port) for pair in server.pairs] == [("1", 801), ("2", 802), ("0", 800)]


def test_request_id_may_be_used_again() -> None:
    server = Server()
    for _ in range(3):
        server.open(**headers("error"))
        server.open(**headers("data"))
    assert [(pair.error_stream, pair.data_stream) for pair in server.pairs] == [(1, 3), (5, 7), (9, 11)]


def test_clients_without_request_ids() -> None:
    server = Server()
    for kind in "error", "data", "error", "data":
        server.open(**headers(kind, None))
    assert [(pair.request_id, pair.error_stream, pair.data_stream) for pair in server.pairs] == [
        ("1", 1, 3),
        ("5", 5, 7),
    ]


INVALID = {
    "no headers": {},
    "no port": {"streamtype": "data", "requestid": "0"},
    "no streamtype": {"port": "80", "requestid": "0"},
    "streamtype": headers("stdin"),
    "streamtype in capitals": headers("DATA"),
    **{
        f"port {port!r}": headers("data", port=port)
        for port in ("", "0", "65536", "-1", "+80", "8 0", "0x50", "٣", "http")
    },
    "long port": headers("data", port="9" * 1000),
    "long request id": headers("data", "1" * (Pairing.MAX_REQUEST_ID + 1)),
}


@pytest.mark.parametrize("bad", INVALID.values(), ids=INVALID)
def test_invalid_requests_are_reset_and_the_session_goes_on(bad: dict[str, str]) -> None:
    server = Server()
    if all(char < "\u0100" for text in bad.values() for char in text):
        assert server.open(**bad).events == [("reset", Status.CANCEL)]
    else:
        assert not server.pairing.opened(1, bad, 0.0)
    assert not server.pending
    server.open(**headers("error"))
    server.open(**headers("data"))
    assert len(server.pairs) == 1


@pytest.mark.parametrize("port", ["1", "080", "65535"])
def test_a_pair_has_the_port_of_its_data_stream(port: str) -> None:
    server = Server()
    server.open(**headers("error", port="9"))
    server.open(**headers("data", port=port))
    assert [pair.port for pair in server.pairs] == [int(port)]


def test_what_is_kept_of_unfinished_requests_is_bounded() -> None:
    server = Server()
    kept = [server.pairing.opened(n, headers("error", "x" * 60000), 0.0) for n in range(10)]
    assert kept == [False] * 10
    server.pairing.MAX_PENDING = 3
    streams = [server.open(**headers("error", str(n))) for n in range(4)]
    assert [stream.dead for stream in streams] == [False, False, False, True]
    server.open(**headers("data", "0"))
    assert not server.open(**headers("error", "9")).dead


def test_timer_gives_up_what_waited_for_30_s() -> None:
    server = Server()
    error = server.open(**headers("error", "0"))
    server.now = 110.0
    data = server.open(**headers("data", "1"))
    assert server.pairing.next_timer() == 130.0
    server.pairing.handle_timer(129.9)
    server.both.settle()
    assert error.events == [("reply", {})]
    server.pairing.handle_timer(130.0)
    server.both.settle()
    assert error.events[1:] == [("data", b"(request=0) timed out waiting for streams"), ("fin",)]
    assert server.pairing.next_timer() == 140.0
    server.pairing.handle_timer(200.0)
    server.both.settle()
    assert data.events == [("reply", {})]
    assert not server.pending
    # Too late: it waits for a partner of its own now.
    server.open(**headers("data", "0"))
    assert server.pairs == []
    assert server.pending


@pytest.mark.parametrize("kind", ["error", "data"])
def test_duplicate_type_is_told_on_the_error_stream_and_the_pair_survives(kind: str) -> None:
    server = Server()
    first = server.open(**headers(kind))
    second = server.open(**headers(kind))
    assert second.events == [("reply", {})]
    if kind == "error":
        assert b"error stream for request 0 exists already" in first.data
    server.open(**headers("data" if kind == "error" else "error"))
    assert len(server.pairs) == 1
    assert server.pairs[0].error_stream == (1 if kind == "error" else 5)


def served(*, client_done: bool = False) -> tuple[Server, Pair, ForwardLog, Forward]:
    server, told = Server(), ForwardLog()
    forward = Forward(server.both.client.session, 80, 0, told)
    server.both.settle()
    if client_done:
        forward.finish()
        server.both.settle()
    (pair,) = server.pairs
    server.session.send_data(pair.data_stream, b"answer")
    return server, pair, told, forward


def succeed(server: Server, pair: Pair) -> None:
    server.pairing.succeeded(pair)


def fail(server: Server, pair: Pair) -> None:
    server.pairing.failed(pair, "connection refused")


def fail_silently(server: Server, pair: Pair) -> None:
    server.pairing.failed(pair, "")


@pytest.mark.parametrize(
    ("act", "verdict"),
    [
        (succeed, ("end", Outcome.CLEAN, "")),
        (fail, ("end", Outcome.ERROR, "connection refused")),
        (fail_silently, ("end", Outcome.RESET, "")),
    ],
)
@pytest.mark.parametrize("client_done", [False, True])
@pytest.mark.parametrize("size", [0, 1])
def test_both_sides_agree_on_the_end(
    act: Callable[[Server, Pair], None], verdict: tuple[object, ...], client_done: bool, size: int
) -> None:
    server, pair, told, _ = served(client_done=client_done)
    act(server, pair)
    server.both.settle(size)
    assert told.data == b"answer"
    assert told.events[-1] == verdict
    assert (server.session.streams, server.both.client.session.streams) == (0, 0)
    act(server, pair)
    assert server.session.take_outgoing() == b""


def test_client_cancels_before_the_verdict() -> None:
    server, pair, told, forward = served()
    forward.cancel()
    server.both.settle()
    for act in succeed, fail, fail_silently:
        act(server, pair)
    server.both.settle()
    assert (told.data, told.events) == (b"", [])
    assert (server.session.streams, server.both.client.session.streams) == (0, 0)
