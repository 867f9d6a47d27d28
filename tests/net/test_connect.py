from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from fairlead.net import connect
from fairlead.net.connect import Address, connect_tcp, resolve
from tests.support.loop import run

V4, V6 = socket.AF_INET, socket.AF_INET6


def listener(family: socket.AddressFamily, host: str) -> socket.socket:
    sock = socket.socket(family)
    sock.bind((host, 0))
    sock.listen()
    return sock


def refused(host: str = "127.0.0.1") -> Address:
    """An address where nothing listens."""
    with socket.socket() as sock:
        sock.bind((host, 0))
        return V4, (host, sock.getsockname()[1])


def given(monkeypatch: pytest.MonkeyPatch, *addresses: Address) -> None:
    async def fixed(host: str, port: int) -> Sequence[Address]:
        return addresses

    monkeypatch.setattr(connect, "resolve", fixed)


def test_literal_address() -> None:
    with listener(V4, "127.0.0.1") as server:

        async def main() -> None:
            with await connect_tcp("127.0.0.1", server.getsockname()[1]) as sock:
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert not sock.getsockopt(socket.IPPROTO_TCP, 18)  # TCP_USER_TIMEOUT
                assert not sock.getblocking()

        run(main())


def test_addresses_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(V6, "a"), (V6, "b"), (V6, "c"), (V4, "d")]

    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in found]

    async def main() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        assert await resolve("host.test", 1) == [(V6, "a"), (V4, "d"), (V6, "b"), (V6, "c")]
        assert await resolve("10.0.0.1", 1) == [(V4, ("10.0.0.1", 1))]
        assert await resolve("::1", 1) == [(V6, ("::1", 1))]

    run(main())


@pytest.mark.parametrize("host", ["a..b", 64 * "a" + ".test"])
def test_what_no_name_can_be_is_not_resolved(host: str) -> None:
    with pytest.raises(socket.gaierror, match="no name that DNS could have"):
        run(connect_tcp(host, 1))


def test_a_refused_address_gives_way_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "HEAD_START", 1000.0)
    with listener(V4, "127.0.0.1") as server:
        given(monkeypatch, refused(), refused("127.0.0.2"), (V4, server.getsockname()))

        async def main() -> None:
            with await connect_tcp("host.test", 1) as sock:
                assert sock.getpeername() == server.getsockname()

        run(main())


def test_a_silent_address_gives_way_after_the_head_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "HEAD_START", 0.01)
    made = connect._connect
    silent: Address = (V4, ("silent", 1))

    async def connect_one(address: Address) -> socket.socket:
        if address == silent:
            await asyncio.get_running_loop().create_future()
        return await made(address)

    monkeypatch.setattr(connect, "_connect", connect_one)
    with listener(V4, "127.0.0.1") as server:
        given(monkeypatch, silent, (V4, server.getsockname()), silent)

        async def main() -> None:
            (await connect_tcp("host.test", 1)).close()

        run(main())


def test_all_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, refused(), refused("127.0.0.2"))
    with pytest.raises(ConnectionRefusedError):
        run(connect_tcp("host.test", 1))


def test_cancelled_while_racing_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both addresses are won in the same turn of the loop in which the caller is cancelled."""
    made = connect._connect

    async def main() -> None:
        gate = asyncio.Event()

        async def connect_one(address: Address) -> socket.socket:
            sock = await made(address)
            await gate.wait()
            return sock

        monkeypatch.setattr(connect, "_connect", connect_one)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(connect_tcp("host.test", 1), name="racing")
            await asyncio.sleep(0.05)
            gate.set()
            await asyncio.sleep(0)
            task.cancel()

    monkeypatch.setattr(connect, "HEAD_START", 0.01)
    with listener(V4, "127.0.0.1") as server:
        given(monkeypatch, (V4, server.getsockname()), (V4, server.getsockname()))
        run(main())
