from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest

from fairlead.net import connect
from fairlead.net.connect import connect_tcp
from fairlead.net.resolve import Address, Resolver
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


class Given(Resolver):
    """Knows these addresses for every name."""

    def __init__(self, *addresses: Address) -> None:
        super().__init__()
        self._addresses = addresses

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        return self._addresses


def test_a_socket_is_quick_kept_alive_and_not_given_up_early() -> None:
    with listener(V4, "127.0.0.1") as server:

        async def main() -> None:
            with await connect_tcp("127.0.0.1", server.getsockname()[1], Resolver()) as sock:
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert not sock.getsockopt(socket.IPPROTO_TCP, 18)  # TCP_USER_TIMEOUT
                assert not sock.getblocking()

        run(main())


def test_a_refused_address_gives_way_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "HEAD_START", 1000.0)
    with listener(V4, "127.0.0.1") as server:
        given = Given(refused(), refused("127.0.0.2"), (V4, server.getsockname()))

        async def main() -> None:
            with await connect_tcp("host.test", 1, given) as sock:
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
        given = Given(silent, (V4, server.getsockname()), silent)

        async def main() -> None:
            (await connect_tcp("host.test", 1, given)).close()

        run(main())


def test_if_all_addresses_refuse_the_refusal_is_told() -> None:
    given = Given(refused(), refused("127.0.0.2"))
    with pytest.raises(ConnectionRefusedError):
        run(connect_tcp("host.test", 1, given))


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
            task = group.create_task(connect_tcp("host.test", 1, given), name="racing")
            await asyncio.sleep(0.05)
            gate.set()
            await asyncio.sleep(0)
            task.cancel()
        assert task.cancelled()

    monkeypatch.setattr(connect, "HEAD_START", 0.01)
    with listener(V4, "127.0.0.1") as server:
        given = Given((V4, server.getsockname()), (V4, server.getsockname()))
        run(main())
