"""Port-forward over SPDY, the server's side, over real sockets: our own client engine, and frames made by hand."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fairlead.lab.cri.connection import IDLE
from fairlead.lab.cri.endpoints import DEFAULT, Options
from fairlead.lab.cri.hold import PATIENCE, STREAM_UNREAD
from fairlead.lab.cri.portforward import GRACE
from fairlead.protocol.portforward import Outcome
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.frames import FrameType
from fairlead.protocol.spdy.headers import HeaderEncoder
from tests.support.cri import HOST, Runtime, SpdyClient, echo, http_server, runtime, serving, spdy
from tests.support.loop import LOOPS, now, run, run_on, run_virtual
from tests.support.loopback import ACCEPTING

MIB = 1 << 20
FAITHFUL = Options(faithful_errors=True)
CLEAN = Outcome.CLEAN


@asynccontextmanager
async def session(options: Options = DEFAULT) -> AsyncIterator[SpdyClient]:
    async with runtime(options=options) as made, spdy(await made.service.port_forward(HOST.id)) as client:
        yield client


async def turns(number: int = 2 * ACCEPTING) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def parsed(raw: bytes) -> list[tuple[object, ...]]:
    """The frames in ``raw``: ("data", stream, fin, length), or (type, stream or id, last word)."""
    found: list[tuple[object, ...]] = []
    while len(raw) >= 8:
        first, rest = struct.unpack_from(">II", raw)
        length, flags = rest & 0xFFFFFF, rest >> 24
        body, raw = raw[8 : 8 + length], raw[8 + length :]
        if first & 0x80000000:
            words = struct.unpack(f">{len(body) // 4}I", body[: len(body) // 4 * 4])
            kind = FrameType(first & 0xFFFF)
            found.append((kind, words[0]) if kind is FrameType.SYN_REPLY else (kind, *words))
        else:
            found.append(("data", first, bool(flags & 1), body))
    return found


def payload(client: SpdyClient, stream: int) -> bytes:
    """All data that came on a stream."""
    found = b""
    for kind, *rest in parsed(bytes(client.raw)):
        if kind == "data" and rest[0] == stream:
            assert isinstance(rest[2], bytes)
            found += rest[2]
    return found


class ByHand:
    """Frames of the client, in the order in which they are made."""

    def __init__(self) -> None:
        self._headers = HeaderEncoder()

    def open(self, stream: int, **headers: str) -> bytes:
        return frames.syn_stream(stream, self._headers.encode(headers))

    def pair(self, first: int, port: int, request: str = "0") -> bytes:
        return self.open(first, streamtype="error", port=str(port), requestid=request) + self.open(
            first + 2, streamtype="data", port=str(port), requestid=request
        )


# -- what goes over the wire --


def test_the_server_never_speaks_first() -> None:
    """Item 19."""

    async def main() -> None:
        async with session() as client:
            await asyncio.sleep(IDLE - 1)
            assert not client.raw

    run_virtual(main())


def test_replies_come_before_data_and_both_streams_are_ended() -> None:
    """Items 20, 21, and pipelining: all in one write."""

    async def main() -> None:
        async with serving(echo) as port, session() as client:
            client.write(ByHand().pair(1, port) + frames.data(1, fin=True) + frames.data(3, b"abc", fin=True))
            await client.until(lambda: len(parsed(bytes(client.raw))) == 5)
            reply = FrameType.SYN_REPLY
            assert parsed(bytes(client.raw)) == [
                (reply, 1),
                (reply, 3),
                ("data", 3, False, b"abc"),
                ("data", 3, True, b""),
                ("data", 1, True, b""),
            ]

    run(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_pod_that_speaks_first(loop: str) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello ")
        await echo(reader, writer)

    async def main() -> None:
        async with serving(greet) as port, session() as client:
            assert await client.forward(port, b"you", eof=True).end() == (CLEAN, b"hello you", "")

    run_on(loop, main())


def test_a_session_byte_by_byte() -> None:
    """Item 26."""

    async def main() -> None:
        async with serving(echo) as port, session() as client:
            whole = (
                ByHand().pair(1, port) + frames.data(1, fin=True) + frames.data(3, b"abc", fin=True) + frames.ping(1)
            )
            for at in range(len(whole)):
                client.write(whole[at : at + 1])
                await client.drain()
                await turns(4)
            await client.until(lambda: {("data", 1, True, b""), (FrameType.PING, 1)} <= set(parsed(bytes(client.raw))))
            assert payload(client, 3) == b"abc"

    run(main())


@pytest.mark.parametrize("second", ["data", "error"])
def test_streams_are_paired_by_request_in_any_order(second: str) -> None:
    """Item 23; the port is the data stream's."""

    async def main() -> None:
        async with serving(echo) as port, session() as client:
            hand = ByHand()
            first = "error" if second == "data" else "data"
            for stream, kind, number in ((1, first, "7"), (3, first, "8"), (5, second, "8"), (7, second, "7")):
                own = port if kind == "data" else 1
                client.write(hand.open(stream, streamtype=kind, port=str(own), requestid=number))
            data = {"7": 7 if second == "data" else 1, "8": 5 if second == "data" else 3}
            client.write(frames.data(data["7"], b"seven", fin=True) + frames.data(data["8"], b"eight", fin=True))
            await client.until(lambda: sum(frame[0] == "data" for frame in parsed(bytes(client.raw))) == 6)
            got = {frame[1]: frame[3] for frame in parsed(bytes(client.raw)) if frame[0] == "data" and frame[3]}
            assert got == {data["7"]: b"seven", data["8"]: b"eight"}

    run(main())


def test_clients_without_request_ids() -> None:
    """Item 23: the data stream is the one after the error stream."""

    async def main() -> None:
        async with serving(echo) as port, session() as client:
            hand = ByHand()
            client.write(hand.open(1, streamtype="error", port=str(port)))
            client.write(hand.open(3, streamtype="data", port=str(port)) + frames.data(3, b"old", fin=True))
            await client.until(lambda: ("data", 1, True, b"") in parsed(bytes(client.raw)))
            assert ("data", 3, False, b"old") in parsed(bytes(client.raw))

    run(main())


def test_a_stream_that_stays_alone_is_told_after_thirty_seconds() -> None:
    """Item 23."""

    async def main() -> None:
        async with session() as client:
            client.write(ByHand().open(1, streamtype="error", port="80", requestid="0"))
            await asyncio.sleep(29.9)
            assert parsed(bytes(client.raw)) == [(FrameType.SYN_REPLY, 1)]
            await asyncio.sleep(0.2)
            told = ("data", 1, True, b"(request=0) timed out waiting for streams")
            assert parsed(bytes(client.raw))[1:] == [told]

    run_virtual(main())


BAD = [
    {"streamtype": "data", "port": "0"}, {"streamtype": "data", "port": "65536"}, {"streamtype": "data", "port": "x"},
    {"streamtype": "error"}, {"streamtype": "other", "port": "80"}, {"port": "80"}, {},
]  # fmt: skip


@pytest.mark.parametrize("headers", BAD, ids=lambda headers: " ".join(f"{k}={v}" for k, v in headers.items()) or "none")
def test_a_bad_stream_is_reset_and_the_session_goes_on(headers: dict[str, str]) -> None:
    """Item 24."""

    async def main() -> None:
        async with serving(echo) as port, session() as client:
            hand = ByHand()
            client.write(hand.open(1, **headers, requestid="0"))
            await client.until(lambda: parsed(bytes(client.raw)) == [(FrameType.RST_STREAM, 1, 5)])
            client.write(hand.pair(3, port, "1") + frames.data(5, b"on", fin=True))
            await client.until(lambda: ("data", 3, True, b"") in parsed(bytes(client.raw)))

    run(main())


def test_kubectl_sends_data_after_its_own_end_and_resets_after_ours() -> None:
    """Item 25: what comes late is dropped, and the answer goes on."""

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read(-1)
        await asyncio.sleep(60)
        writer.write(data.upper())

    async def main() -> None:
        async with serving(late) as port, session() as client:
            client.write(ByHand().pair(1, port) + frames.data(3, b"abc", fin=True) + frames.data(3, b"late"))
            client.write(frames.data(1, fin=True) + frames.data(1, b"", fin=True))
            await client.until(lambda: ("data", 1, True, b"") in parsed(bytes(client.raw)), 100)
            client.write(frames.rst_stream(3, 5) + frames.rst_stream(1, 5) + frames.ping(1))
            await client.until(lambda: parsed(bytes(client.raw))[-1] == (FrameType.PING, 1))
            assert [frame for frame in parsed(bytes(client.raw)) if frame[0] == "data"] == [
                ("data", 3, False, b"ABC"),
                ("data", 3, True, b""),
                ("data", 1, True, b""),
            ]

    run_virtual(main())


# -- halves and ends --


@pytest.mark.parametrize("seconds", [0.5, 2.0, 3600.0])
def test_the_answer_to_a_half_close_may_take_any_time(seconds: float) -> None:
    """Item 29."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read(-1)
        await asyncio.sleep(seconds)
        writer.write(b"%d" % len(data))

    async def main() -> None:
        async with serving(slow) as port, session() as client:
            log = client.forward(port, b"x" * 100_000, eof=True)
            async with asyncio.timeout(seconds + 1):
                await log.ended.wait()
            assert (log.outcome, bytes(log.data)) == (CLEAN, b"100000")
            assert now() == pytest.approx(seconds, abs=0.1)

    run_virtual(main())


def test_the_end_of_the_pod_is_told_at_once() -> None:
    """The original tells it a second late. The error stream follows when the client has ended too, or is silent."""

    async def main() -> None:
        async with serving(http_server) as port, session() as client:
            silent = client.forward(port, b"GET / HTTP/1.0\r\n\r\n")
            await silent.half_ended.wait()
            assert now() < 0.1
            await silent.end()
            assert now() == pytest.approx(GRACE, abs=0.1)
            assert (silent.outcome, bytes(silent.data)) == (CLEAN, b"HTTP/1.0 200 OK\r\n\r\nhello\n")
            begin = now()
            ends = client.forward(port, b"GET / HTTP/1.0\r\n\r\n")
            await ends.half_ended.wait()
            ends.forward.finish()
            client.flush()
            assert (await ends.end())[0] is CLEAN
            resets = client.forward(port, b"GET / HTTP/1.0\r\n\r\n")
            await resets.half_ended.wait()
            client.session.reset(resets.forward.data_stream)
            client.flush()
            await client.until(lambda: parsed(bytes(client.raw))[-1] == ("data", 9, True, b""))
            assert now() - begin < 0.1

    run_virtual(main())


def test_bytes_for_a_pod_that_has_ended_its_own() -> None:
    """As long as they come, they are delivered."""
    got = bytearray()

    async def reads_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"done")
        writer.write_eof()
        while data := await reader.read(100):
            got.extend(data)

    async def main() -> None:
        async with serving(reads_on) as port, session() as client:
            log = client.forward(port)
            await log.half_ended.wait()
            for _ in range(10):
                await asyncio.sleep(GRACE * 0.9)
                client.session.send_data(log.forward.data_stream, b"x")
                client.flush()
            log.forward.finish()
            client.flush()
            assert (await log.end())[:2] == (CLEAN, b"done")
            await turns()
            assert got == b"x" * 10

    run_virtual(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_refused_connection_ends_alone_and_without_a_word(loop: str) -> None:
    """Item 22, the resilient way."""

    async def main() -> None:
        async with serving(echo) as port, session() as client:
            async with serving(echo) as closed:
                pass
            other = client.forward(port, b"first ")
            refused = client.forward(closed, b"x")
            assert await refused.end() == (Outcome.RESET, b"", "")
            client.session.send_data(other.forward.data_stream, b"second")
            other.forward.finish()
            client.flush()
            assert await other.end() == (CLEAN, b"first second", "")

    run_on(loop, main())


def test_a_refused_connection_as_containerd_tells_it() -> None:
    """Item 22, the faithful way."""

    async def main() -> None:
        async with serving(echo) as port:
            pass
        async with session(FAITHFUL) as client:
            outcome, _, text = await client.forward(port).end()
            assert outcome is Outcome.ERROR
            assert text == (
                f"error forwarding port {port} to pod {HOST.id}, uid : failed to execute portforward in network "
                f'namespace "host": failed to connect to localhost:{port} inside namespace "{HOST.id}", '
                f"IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused "
                f"IPv6 dial tcp6 [::1]:{port}: connect: connection refused"
            )

    run(main())


async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"some")
    await turns()
    writer.transport.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize("options", [DEFAULT, FAITHFUL], ids=["", "faithful"])
def test_a_connection_that_the_pod_resets(options: Options) -> None:
    async def main() -> None:
        async with serving(breaks) as port, serving(echo) as good, session(options) as client:
            log = client.forward(port, b"x")
            outcome, data, text = await log.end()
            if options.faithful_errors:
                assert outcome is Outcome.ERROR
                begins = f"error forwarding port {port} to pod {HOST.id}, uid : "
                assert text == begins + "read tcp: connection reset by peer"
            else:
                assert (outcome, text) == (Outcome.RESET, "")
            assert b"some".startswith(data)
            assert (await client.forward(good, b"on", eof=True).end())[:2] == (CLEAN, b"on")

    run(main())


def test_a_connection_that_the_client_resets_is_reset_for_the_pod() -> None:
    broken: list[str] = []

    async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"there")
        try:
            await reader.read(-1)
            broken.append("end")
        except ConnectionResetError:
            broken.append("reset")

    async def main() -> None:
        async with serving(told) as port, session() as client:
            log = client.forward(port, b"x")
            await client.until(lambda: bytes(log.data) == b"there")
            log.forward.cancel()
            client.flush()
            while not broken:
                await asyncio.sleep(0.01)
            assert broken == ["reset"]
            assert (await client.forward(port, b"x", eof=True).end())[:2] == (CLEAN, b"there")
            assert broken == ["reset", "end"]

    run(main())


@pytest.mark.parametrize(("eof", "expected"), [(True, "end"), (False, "reset")])
def test_when_the_client_is_gone_the_pod_can_tell_a_whole_from_a_part(eof: bool, expected: str) -> None:
    got: list[str] = []

    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"there")
        try:
            got.append(f"{len(await reader.read(-1))}")
            got.append("end")
        except ConnectionResetError:
            got.append("reset")

    async def main() -> None:
        async with runtime() as made, serving(whole) as port:
            async with spdy(await made.service.port_forward(HOST.id)) as client:
                log = client.forward(port)
                await client.until(lambda: bytes(log.data) == b"there")
                client.session.send_data(log.forward.data_stream, b"x" * 300_000)
                if eof:
                    log.forward.finish()
                client.session.goaway()
                await client.drain()
            while len(got) < 1 + eof:
                await asyncio.sleep(0.01)
            assert got[-1] == expected
            assert not eof or got[0] == "300000"

    run(main())


def test_a_request_whose_client_is_gone_before_the_dial_is_done() -> None:
    got = bytearray()

    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.extend(await reader.read(-1))

    async def main() -> None:
        async with runtime() as made, serving(whole) as port:
            async with spdy(await made.service.port_forward(HOST.id)) as client:
                client.forward(port, b"all of it", eof=True)
                client.session.goaway()
                client.flush()
            while not got:
                await asyncio.sleep(0.01)
            assert got == b"all of it"
            assert len(made.streaming.tasks) == 0

    run(main())


# -- one stream and the others --


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads nothing, for ever."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.Event().wait()


@pytest.mark.parametrize("loop", LOOPS)
def test_pings_and_others_do_not_notice_a_pod_that_does_not_read(loop: str) -> None:
    """Items 27 and 30: up to STREAM_UNREAD bytes."""

    async def main() -> None:
        async with serving(deaf) as port, serving(echo) as good, session() as client:
            client.forward(port, b"x" * (STREAM_UNREAD - MIB))
            await client.drain()
            ident = client.session.ping()
            client.flush()
            await client.until(lambda: ident in client.pongs)
            assert (await client.forward(good, b"on", eof=True).end())[:2] == (CLEAN, b"on")

    run_on(loop, main())


def test_a_pod_that_does_not_read_is_given_up_for_the_others() -> None:
    """Item 30: after PATIENCE seconds, once it has more unread than one may."""

    async def main() -> None:
        async with serving(deaf) as port, serving(echo) as good, session() as client:
            other = client.forward(good, b"before ")
            await client.until(lambda: bytes(other.data) == b"before ")
            stuck = client.forward(port, b"x" * (STREAM_UNREAD + 8 * MIB))
            begin = now()
            client.session.send_data(other.forward.data_stream, b"after")
            other.forward.finish()
            client.flush()
            assert (await other.end())[:2] == (CLEAN, b"before after")
            assert await stuck.end() == (Outcome.RESET, b"", "")
            assert PATIENCE <= now() - begin < PATIENCE + 1

    run_virtual(main())


def test_a_pod_that_reads_slowly_is_not_given_up() -> None:
    size = STREAM_UNREAD + 6 * MIB
    got = 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal got
        while data := await reader.read(1 << 16):
            got += len(data)
            await asyncio.sleep(0.2)
        writer.write(b"all")

    async def main() -> None:
        async with serving(slow) as port, serving(echo) as good, session() as client:
            client.forward(good)
            log = client.forward(port, b"x" * size, eof=True)
            async with asyncio.timeout(600):
                await log.ended.wait()
            assert (log.outcome, bytes(log.data), got) == (CLEAN, b"all", size)

    run_virtual(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_pod_that_reads_again_gets_all(loop: str) -> None:
    size = STREAM_UNREAD + 8 * MIB
    reads = asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reads.wait()
        count = 0
        while data := await reader.read(1 << 18):
            count += len(data)
        writer.write(b"%d" % count)

    async def main() -> None:
        async with serving(late) as port, session() as client:
            log = client.forward(port, b"x" * size, eof=True)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await client.drain()
                    client.session.ping()
                    client.flush()
                    await client.until(lambda: bool(client.pongs))
            reads.set()
            assert await log.end() == (CLEAN, b"%d" % size, "")
            await client.until(lambda: bool(client.pongs))

    run_on(loop, main())


def test_alone_it_may_take_any_time() -> None:
    size = STREAM_UNREAD + 8 * MIB

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1000)
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        count = 0
        while data := await reader.read(1 << 18):
            count += len(data)
        writer.write(b"%d" % count)

    async def main() -> None:
        async with serving(late) as port, session() as client:
            log = client.forward(port, b"x" * size, eof=True)
            async with asyncio.timeout(2000):
                await log.ended.wait()
            assert (log.outcome, bytes(log.data)) == (CLEAN, b"%d" % size)

    run_virtual(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_does_not_read_stops_its_pods(loop: str) -> None:
    """Memory is bounded in this direction too, and nothing is lost."""
    sent = 0

    async def source(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while sent < 64 * MIB:
            writer.write(bytes(MIB))
            await writer.drain()
            sent += MIB

    async def main() -> None:
        async with serving(source) as port, session() as client:
            client.reading.clear()
            log = client.forward(port, eof=True)
            while True:
                before = sent
                await asyncio.sleep(0.3)
                if sent and sent == before:
                    break
            assert sent < 32 * MIB  # what three pairs of socket buffers hold, and 1 MiB of ours
            client.reading.set()
            assert await log.end() == (CLEAN, bytes(64 * MIB), "")

    run_on(loop, main())


def test_a_flood_of_pings_whose_answers_nobody_reads_is_not_kept() -> None:
    async def main() -> None:
        async with session() as client:
            client.reading.clear()
            flood = frames.ping(1) * 10_000
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2):
                    for _ in range(200):
                        client.write(flood)
                        await client.drain()
            client.reading.set()
            await client.until(lambda: len(client.pongs) > 50_000)

    run(main())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("size", [32 * 1024, (1 << 24) - 1])
def test_frames_of_any_length_both_ways(loop: str, size: int) -> None:
    """Item 30."""
    piece = bytes(range(256)) * (size // 256 + 1)

    async def main() -> None:
        async with serving(echo) as port, session() as client:
            log = client.forward(port)
            count = 33 * MIB // size
            for _ in range(count):
                client.session.send_data(log.forward.data_stream, piece[:size])
                await client.drain()
            log.forward.finish()
            client.flush()
            assert await log.end() == (CLEAN, piece[:size] * count, "")

    run_on(loop, main())


def test_a_thousand_at_once() -> None:
    async def main() -> None:
        async with serving(echo) as port, session() as client:
            logs = [client.forward(port, b"%d" % number) for number in range(1000)]
            await client.until(lambda: all(log.data for log in logs), 30)
            for number, log in enumerate(logs):
                client.session.send_data(log.forward.data_stream, b"!" * number)
                log.forward.finish()
            client.flush()
            for number, log in enumerate(logs):
                assert await log.end() == (CLEAN, b"%d" % number + b"!" * number, "")

    run(main(), limit=60)


# -- the connection --


def test_idle_connections_end_after_four_hours() -> None:
    async def main() -> None:
        async with session() as client:
            for _ in range(5):
                await asyncio.sleep(IDLE - 60)
                client.session.ping()
                client.flush()
            await turns()
            begin = now()
            await client.gone.wait()
            assert now() - begin == pytest.approx(IDLE, abs=1)
            assert parsed(bytes(client.raw))[-1][0] is FrameType.GOAWAY

    run_virtual(main())


@pytest.mark.parametrize(
    "sent", [b"\x80\x03\x00\x63" + bytes(4), frames.ping(0), frames.syn_stream(1, b"not deflated")]
)
def test_a_client_that_breaks_the_protocol_ends_alone(sent: bytes) -> None:
    async def main() -> None:
        async with (
            runtime() as made,
            serving(echo) as port,
            spdy(await made.service.port_forward(HOST.id)) as good,
            spdy(await made.service.port_forward(HOST.id)) as bad,
        ):
            log = good.forward(port, b"x")
            bad.forward(port, b"x")
            bad.write(sent)
            await bad.gone.wait()
            log.forward.finish()
            good.flush()
            assert (await log.end())[0] is CLEAN

    run(main())


def test_a_sandbox_that_ended_is_told_to_the_client() -> None:
    """No connection could survive that: kubectl ends on it."""

    async def told(made: Runtime, client: SpdyClient, port: int, words: str) -> None:
        outcome, _, text = await client.forward(port, b"x").end()
        assert (outcome, text) == (Outcome.ERROR, f"error forwarding port {port} to pod {HOST.id}, uid : {words}")

    async def main() -> None:
        async with runtime() as made, serving(echo) as port, spdy(await made.service.port_forward(HOST.id)) as client:
            assert (await client.forward(port, b"x", eof=True).end())[0] is CLEAN
            made.boxes.boxes[HOST.id] = HOST.__class__(HOST.id, 1, "/nowhere", ready=False)
            await told(made, client, port, f'network namespace for sandbox "{HOST.id}" is closed')
            made.boxes.boxes[HOST.id] = HOST.__class__(HOST.id, 1, "", host_network=True, ready=False)
            await told(made, client, port, "sandbox container is not running")
            del made.boxes.boxes[HOST.id]
            await told(made, client, port, f'failed to find sandbox "{HOST.id}" in store: not found')

    run(main())
