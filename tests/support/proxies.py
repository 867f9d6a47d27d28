"""Proxies on loopback that record what they are asked for and lead everything to one port."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from tests.support.loopback import LoopbackServer


@dataclass(frozen=True)
class Hop:
    """One request to a proxy: its kind, the target it was asked for, and who asked."""

    kind: str
    target: str
    login: str | None


class RecordingProxy(LoopbackServer):
    """``kind`` is ``http``, ``https`` or ``socks5``; names are not resolved, everything goes to 127.0.0.1:``port``.

    Requests with a whole address instead of a CONNECT go to ``plain``.
    """

    def __init__(
        self, kind: str, port: int, *, context: ssl.SSLContext | None = None, login: str = "", plain: int = 0
    ) -> None:
        super().__init__(context)
        self.kind = kind
        self.hops: list[Hop] = []
        self.answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
        self._to = port
        self._plain = plain
        self._login = login.encode()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handshake = self._socks5 if self.kind == "socks5" else self._connect
        first = await handshake(reader, writer)
        if first is not None:
            await self._splice(reader, writer, first)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.strip().split("\r\n")
        method, target, _ = request.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        kind = self.kind if method == "CONNECT" else f"{self.kind} without CONNECT"
        if method != "CONNECT":
            target = "/".join(target.split("/")[:3])
        self.hops.append(Hop(kind, target, headers.get("proxy-authorization")))
        if method != "CONNECT":
            return head.encode()
        writer.write(self.answer)
        return b"" if self.answer.startswith(b"HTTP/1.1 200") else None

    async def _socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        methods = await reader.readexactly((await reader.readexactly(2))[1])
        login = None
        if self._login:
            assert 2 in methods
            writer.write(b"\x05\x02")
            user = await reader.readexactly((await reader.readexactly(2))[1])
            secret = await reader.readexactly((await reader.readexactly(1))[0])
            login = f"{user.decode()}:{secret.decode()}"
            good = login.encode() == self._login
            writer.write(b"\x01\x00" if good else b"\x01\x01")
            if not good:
                return None
        else:
            writer.write(b"\x05\x00")
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = ".".join(map(str, await reader.readexactly(4)))
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.hops.append(Hop("socks5", f"{host}:{port}", login))
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x01")
        return b""

    async def _splice(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._plain if first else self._to)
        far_writer.write(first)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, far_writer))
                group.create_task(_copy(far_reader, writer))
        except* (ConnectionError, ssl.SSLError):
            pass
        finally:
            far_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
