"""The client sides of SOCKS5 and HTTP CONNECT, before a proxy that does as it likes; fed until they are done."""

from __future__ import annotations

from fairlead.protocol.http_connect import MAX_HEAD, HttpConnect
from fairlead.protocol.socks5 import Socks5Connect
from fuzz.harness import Feed
from fuzz.program import Program

HELD = MAX_HEAD * 9 // 8 + 8192
PEAK = 3 * MAX_HEAD + 8192


def play(program: Program, feed: Feed) -> None:
    named = {"username": "user", "password": "secret"} if program.flag() else {}
    engine: Socks5Connect | HttpConnect
    socks = program.flag()
    engine = Socks5Connect("api.example", 6443, **named) if socks else HttpConnect("api.example:6443", **named)
    out = bytearray(engine.start())

    def receive(piece: memoryview) -> None:
        nonlocal out
        out += engine.receive(bytes(piece))

    def take() -> bytes:
        taken = bytes(out)
        out.clear()
        return taken

    feed.measure()
    while program.more and not engine.done:
        feed(receive, reply(program, socks=socks), take)
    feed.log.append(("done", engine.done))


def reply(program: Program, *, socks: bool) -> bytes:
    choice = program.number(8)
    if choice == 0:
        return program.text()
    if socks:
        return ((b"\x05\x00", b"\x05\x02", b"\x01\x00", b"\x05\x00\x00\x01\0\0\0\0\0\0", b"\x05\x00\x00\x03\x02hi\0\0",
                 b"\x05\x01", b"\x05\x00\x00\x04"))[choice - 1]  # fmt: skip
    return (b"HTTP/1.1 200 OK\r\n", b"\r\n", b"HTTP/1.1 407 who\r\n", b"Header: x\r\n", b"HTTP/1.0 ", b"x" * 5000,
            b"200\r\n\r\n")[choice - 1]  # fmt: skip
