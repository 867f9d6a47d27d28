"""Channels in WebSocket messages: the engine, and port-forward over them with a client that is not ours."""

from __future__ import annotations

import asyncio
import base64
import struct
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from fairlead.errors import ProtocolError
from fairlead.lab.cri.channels import Channels
from fairlead.lab.cri.portforward_websocket import MOST_PORTS, ports_of
from fairlead.lab.cri.upgrade import Answer
from fairlead.protocol.websocket import WebSocket
from tests.support.cri import HOST, LIMIT, echo, http_server, runtime, serving
from tests.support.engines import pieces
from tests.support.loop import LOOPS, run, run_on

V4, V5, BASE64 = "v4.channel.k8s.io", "v5.channel.k8s.io", "v4.base64.channel.k8s.io"


class Told:
    """What the engine told, neighbouring pieces joined."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []

    def on_channel(self, channel: int, data: memoryview) -> None:
        assert data
        last = self.events[-1] if self.events else ()
        if last[:2] == ("data", channel) and isinstance(last[2], bytes):
            self.events[-1] = ("data", channel, last[2] + bytes(data))
        else:
            self.events.append(("data", channel, bytes(data)))

    def on_channel_end(self, channel: int) -> None:
        self.events.append(("end", channel))

    def on_close(self, code: int, reason: str) -> None:
        self.events.append(("close", code))


KEY = b"\x01\x02\x03\x04"


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A client's frame, of 125 bytes at most."""
    masked = bytes(byte ^ KEY[at % 4] for at, byte in enumerate(payload))
    return bytes(((0x80 if final else 0) | opcode, 0x80 | len(payload))) + KEY + masked


SAID: dict[str, tuple[str, bytes, list[tuple[object, ...]]]] = {
    "data": (V4, frame(2, b"\x00abc") + frame(2, b"\x04{}"), [("data", 0, b"abc"), ("data", 4, b"{}")]),
    "fragments": (
        V4,
        frame(2, b"", final=False)
        + frame(0, b"\x00a", final=False)
        + frame(9, b"ping")
        + frame(0, b"bc")
        + frame(8, b""),
        [("data", 0, b"abc"), ("close", 1005)],
    ),
    "empty": (V4, frame(2, b"") + frame(2, b"\x00") + frame(2, b"\x00x"), [("data", 0, b"x")]),
    "close a channel": (V5, frame(2, b"\xff\x00") + frame(2, b"\xff\x01\x02"), [("end", 0), ("end", 1), ("end", 2)]),
    "no close in v4": (V4, frame(2, b"\xff\x00"), [("data", 255, b"\x00")]),
    "base64": (
        BASE64, frame(1, b"0" + base64.b64encode(b"abcd")) + frame(1, b"1"), [("data", 0, b"abcd")],
    ),
    "base64 in fragments": (
        BASE64,
        frame(1, b"0YW", final=False) + frame(0, b"JjZ", final=False) + frame(0, b"A=="),
        [("data", 0, b"abcd")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("size", [0, 1, 3])
@pytest.mark.parametrize("case", SAID)
def test_what_clients_say(case: str, size: int) -> None:
    protocol, wire, events = SAID[case]
    told = Told()
    engine = Channels(told, protocol)
    for piece in pieces(wire, size):
        engine.receive(memoryview(piece))
    assert told.events == events
    assert (b"ping" in engine.take_outgoing()) is (case == "fragments")


WRONG = {
    "text": (V4, frame(1, b"0abc"), "text, against the subprotocol"),
    "binary": (BASE64, frame(2, b"\0abc"), "binary, against the subprotocol"),
    "half of base64": (BASE64, frame(1, b"0YWI"), "not complete"),
    "no base64": (BASE64, frame(1, b"0YW!j"), "no base64"),
    "no digit": (BASE64, frame(1, b"\x20YWJj"), "no digit"),
    "continuation": (V4, frame(0, b"\0abc"), "out of order"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong(case: str) -> None:
    protocol, wire, words = WRONG[case]
    with pytest.raises(ProtocolError, match=words):
        Channels(Told(), protocol).receive(memoryview(wire))


@pytest.mark.parametrize("size", [0, 1, 124, 125, 65534, 65535, 70000])
@pytest.mark.parametrize("protocol", [V4, BASE64])
def test_what_the_server_says(protocol: str, size: int) -> None:
    """Read by the other role of the engine below; a header in place says the same as a whole message."""
    engine = Channels(Told(), protocol)
    data = bytes(size)
    message = engine.message(3, data)
    if protocol == V4:
        buffer = bytearray(32) + data
        start = engine.header_into(memoryview(buffer), 32, 3, size)
        assert buffer[start:] == message
    got: list[bytes] = []

    class Client:
        def on_payload(self, data: memoryview) -> None:
            got.append(bytes(data))

        def on_close(self, code: int, reason: str) -> None: ...
        def on_begin(self, *, text: bool) -> None:
            assert text is (protocol == BASE64)

        def on_end(self) -> None:
            got.append(b"|")

    client = Client()
    WebSocket(client, client=True, mask=lambda: bytes(4), messages=client).receive(memoryview(message))
    payload = b"3" + base64.b64encode(data) if protocol == BASE64 else b"\x03" + data
    assert b"".join(got) == payload + b"|"


@pytest.mark.parametrize(
    ("query", "granted", "base64", "ports"),
    [
        ("port=80", (), False, [80]),
        ("port=80,443&port=8080", (), False, [80, 443, 8080]),
        ("", (80, 81), False, [80, 81]),
        ("port=1", (80,), False, [1]),
        ("", (), False, 'query parameter "port" is required'),
        ("port=", (), False, 'query parameter "port" is required'),
        ("port=0", (), False, 'unable to parse "0" as a port'),
        ("port=70000", (), False, 'unable to parse "70000" as a port'),
        ("port=" + ",".join(["1"] * (MOST_PORTS + 1)), (), False, f"more than {MOST_PORTS} ports"),
        ("port=1,2,3,4,5,6", (), True, "more than 5 ports"),
    ],
)  # fmt: skip
def test_ports(query: str, granted: tuple[int, ...], base64: bool, ports: list[int] | str) -> None:
    found = ports_of(query, granted, base64=base64)
    assert (found.body if isinstance(found, Answer) else found) == ports


class Client:
    """Reads messages until the end."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.data: dict[int, bytes] = {}
        self.code = 0

    async def until(self, channel: int, size: int) -> bytes:
        while len(self.data.get(channel, b"")) < size:
            await self.one()
        return self.data[channel]

    async def one(self) -> None:
        message = await self.socket.recv()
        if isinstance(message, str):
            channel, data = int(message[0]), base64.b64decode(message[1:])
        else:
            channel, data = message[0], message[1:]
        self.data[channel] = self.data.get(channel, b"") + data

    async def end(self) -> int:
        try:
            while True:
                await self.one()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0

    async def say(self, channel: int, data: bytes) -> None:
        if self.socket.subprotocol == BASE64:
            await self.socket.send(f"{channel}{base64.b64encode(data).decode()}")
        else:
            await self.socket.send(bytes((channel,)) + data)


def client_of(url: str, protocol: str, *ports: int) -> Any:
    address = url.replace("http://", "ws://") + "?port=" + ",".join(map(str, ports))
    return connect(address, subprotocols=[protocol] if protocol else None, max_size=None)  # type: ignore[list-item]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("protocol", [V4, BASE64, ""])
def test_two_ports(protocol: str, loop: str) -> None:
    async def main() -> None:
        async with (
            asyncio.timeout(LIMIT), runtime() as made, serving(echo) as first, serving(http_server) as second,
            client_of(await made.service.port_forward(HOST.id), protocol, first, second) as socket,
        ):  # fmt: skip
            assert (socket.subprotocol or "") == protocol
            client = Client(socket)
            for channel, port in ((0, first), (1, first), (2, second), (3, second)):
                assert await client.until(channel, 2) == struct.pack("<H", port)
            data = bytes(range(256)) * 4000
            await client.say(0, data)
            assert (await client.until(0, 2 + len(data)))[2:] == data
            await client.say(2, b"GET / HTTP/1.0\r\n\r\n")
            assert (await client.until(2, 27))[2:] == b"HTTP/1.0 200 OK\r\n\r\nhello\n"
            await client.say(0, b"on")
            assert (await client.until(0, 4 + len(data))).endswith(b"on")

    run_on(loop, main())


def test_the_connection_ends_with_its_last_port() -> None:
    async def main() -> None:
        async with (
            asyncio.timeout(LIMIT), runtime() as made, serving(http_server) as first, serving(http_server) as second,
            client_of(await made.service.port_forward(HOST.id), V4, first, second) as socket,
        ):  # fmt: skip
            client = Client(socket)
            for channel in (2, 0):
                await client.say(channel, b"GET / HTTP/1.0\r\n\r\n")
                await client.until(channel, 27)
            assert await client.end() == 1000

    run(main())


def test_what_fails_is_told_as_text() -> None:
    """There is no other way to say that a port has ended."""

    async def main() -> None:
        async with serving(echo) as refusing:
            pass
        async with (
            asyncio.timeout(LIMIT), runtime() as made, serving(echo) as good,
            client_of(await made.service.port_forward(HOST.id), V4, refusing, good) as socket,
        ):  # fmt: skip
            client = Client(socket)
            text = (await client.until(1, 300))[2:].decode()
            assert text.startswith(f"error forwarding port {refusing} to pod {HOST.id}, uid : failed to execute")
            await client.say(2, b"on")
            assert (await client.until(2, 4)).endswith(b"on")

    run(main())


def test_when_the_client_goes_the_pod_is_told() -> None:
    told: list[str] = []

    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(-1)
            told.append("end")
        except ConnectionResetError:
            told.append("reset")

    async def main() -> None:
        async with asyncio.timeout(LIMIT), runtime() as made, serving(whole) as port:
            async with client_of(await made.service.port_forward(HOST.id), V4, port) as socket:
                await Client(socket).until(1, 2)
                await socket.send(b"\x00part")
            while not told:
                await asyncio.sleep(0.01)
            assert told == ["reset"]

    run(main())
