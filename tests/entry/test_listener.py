"""Listening for local connections: on which addresses, with what in the way, and for crowds."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fairlead.entry import listener
from fairlead.entry.listener import LOCALHOST, Bound, Group, Listeners, bind, parse_addresses
from fairlead.errors import ListenError, UsageError
from fairlead.kit.tasks import Background
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.net.stream import RemoteEnd
from tests.support.loop import run
from tests.support.running import free_port, listens

V4, V6 = LOCALHOST
LOCAL = [Group(LOCALHOST, any_will_do=True)]
Refuse = Callable[..., list[int]]


def ip(text: str) -> Any:
    return ipaddress.ip_address(text)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that we hold, on IPv4 alone."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """``refuse(address, errno, times)``: listening there fails that often; gives the ports for which it did."""

    def set_up(address: listener.Address, number: int, times: int = sys.maxsize) -> list[int]:
        refused: list[int] = []
        real = listener.listening_socket

        def listen(asked: listener.Address, port: int) -> socket.socket:
            if asked == address and len(refused) < times:
                refused.append(port)
                raise OSError(number, os.strerror(number))
            return real(asked, port)

        monkeypatch.setattr(listener, "listening_socket", listen)
        return refused

    return set_up


def test_localhost_that_somebody_holds_on_ipv4_is_refused(taken: int) -> None:
    with pytest.raises(ListenError, match=f"127.0.0.1:{taken} is in use by"):
        bind(taken, LOCAL)
    with socket.create_server(("::1", taken), family=socket.AF_INET6):
        pass  # and the other family was left free


def test_localhost_that_somebody_holds_on_ipv6_is_served_on_ipv4() -> None:
    """127.0.0.1 is what a command is told, so that is the one which has to be ours."""
    number = free_port()
    with socket.create_server(("::1", number), family=socket.AF_INET6):
        bound = bind(number, LOCAL)
        assert bound.addresses == ["127.0.0.1"]
        bound.close()
        assert len(bound.missing) == 1
        assert bound.missing[0].startswith(f"[::1]:{number} is in use by ")
        assert f"(pid {os.getpid()})" in bound.missing[0]
        with pytest.raises(ListenError, match="in use"):
            bind(number, [Group((V4,), True), Group((V6,), False)])


def test_without_ipv4_the_other_family_must_be_free(refuse: Refuse) -> None:
    refuse(V4, errno.EADDRNOTAVAIL)
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as holder:
        number = holder.getsockname()[1]
        with pytest.raises(ListenError, match="in use"):
            bind(number, LOCAL)
    bound = bind(number, LOCAL)
    assert bound.addresses == ["::1"]
    bound.close()


# -- addresses --


@pytest.mark.parametrize(
    ("words", "groups"),
    [
        (["localhost"], [Group((V4, V6), True)]),
        (["127.0.0.1"], [Group((V4,), False)]),
        (["::1", "127.0.0.1"], [Group((V4,), False), Group((V6,), False)]),
        (["localhost", "10.0.0.1"], [Group((ip("10.0.0.1"),), False), Group((V4, V6), True)]),
        (["localhost", "localhost"], [Group((V4, V6), True)]),
        # Named by itself, it is no longer one of which the other would do.
        (["localhost", "127.0.0.1"], [Group((V4,), False), Group((V6,), True)]),
        (["127.0.0.1", "::1", "localhost"], [Group((V4,), False), Group((V6,), False)]),
        (["[::1]", "::1"], [Group((V6,), False)]),
        (["0.0.0.0"], [Group((ip("0.0.0.0"),), False)]),
        # All addresses of a family have the others in them, which would be taken by ourselves.
        (["0.0.0.0", "127.0.0.1"], [Group((ip("0.0.0.0"),), False)]),
        (["10.0.0.1", "localhost", "0.0.0.0"], [Group((ip("0.0.0.0"),), False), Group((V6,), True)]),
        (["::", "localhost", "0.0.0.0"], [Group((ip("0.0.0.0"),), False), Group((ip("::"),), False)]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else "",
)
def test_addresses_are_grouped_by_what_must_be_served_together(words: list[str], groups: list[Group]) -> None:
    assert parse_addresses(words) == groups


@pytest.mark.parametrize("word", ["example.com", "", "127.0.0.1:80", "[::1", "[1.2.3.4]", "256.0.0.1", "LOCALHOST"])
def test_what_is_no_address(word: str) -> None:
    with pytest.raises(UsageError, match="is not a valid IP"):
        parse_addresses(["localhost", word])


def test_at_least_one_address_is_needed() -> None:
    with pytest.raises(UsageError, match="at least 1 address"):
        parse_addresses([])


# -- binding --


def test_an_ephemeral_port_is_the_same_on_both_families() -> None:
    bound = bind(0, LOCAL)
    try:
        assert {sock.getsockname()[:2] for sock in bound.sockets} == {("127.0.0.1", bound.port), ("::1", bound.port)}
        assert bound.addresses == ["127.0.0.1", "::1"]
        assert bound.missing == []
    finally:
        bound.close()


@pytest.mark.parametrize("groups", [LOCAL, [Group((V4,), False), Group((V6,), False)]], ids=["either", "both"])
def test_a_number_that_one_family_lacks_is_not_taken(groups: list[Group], refuse: Refuse) -> None:
    """The kernel chooses by the first address; the second may refuse: then another number is asked for."""
    refused = refuse(V6, errno.EADDRINUSE, 3)
    bound = bind(0, groups)
    bound.close()
    assert (len(refused), bound.missing, len(bound.sockets)) == (3, [], 2)


@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT])
def test_localhost_does_with_the_family_that_there_is(number: int, refuse: Refuse) -> None:
    refuse(V6, number)
    bound = bind(0, LOCAL)
    bound.close()
    assert len(bound.sockets) == 1
    assert bound.missing == [f"[::1]:{bound.port} cannot be bound: this machine has no such address"]


def test_localhost_held_on_both_families(taken: int) -> None:
    with socket.create_server(("::1", taken), family=socket.AF_INET6), pytest.raises(ListenError, match="in use"):
        bind(taken, LOCAL)


def test_an_address_that_is_taken_leaves_no_other_one_bound(taken: int) -> None:
    with pytest.raises(ListenError, match=f"127.0.0.1:{taken} is in use"):
        bind(taken, [Group((V6,), False), Group((V4,), False)])
    assert not listens("::1", taken)


def test_it_says_who_holds_the_port(taken: int) -> None:
    with pytest.raises(ListenError) as caught:
        bind(taken, [Group((V4,), False)])
    assert f"(pid {os.getpid()})" in caught.value.what
    assert ":REMOTE for any free one" in caught.value.remedy


def test_an_address_of_another_machine() -> None:
    with pytest.raises(ListenError, match=r"192\.0\.2\.1:\d+ cannot be bound: this machine has no such address"):
        bind(40000, [Group((ip("192.0.2.1"),), False)])


def test_a_low_port_and_its_remedy(refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel says it to users who are not root."""
    refuse(V6, errno.EACCES)
    monkeypatch.setattr(listener, "low_port_remedy", lambda port: f"remedy for {port}")
    with pytest.raises(ListenError) as caught:
        bind(81, [Group((V6,), False)])
    assert str(caught.value) == "[::1]:81 may not be bound by this user (remedy for 81)"
    assert caught.value.exit_code == 9


# -- serving --


class Silent:
    """An opposite end that nothing comes from."""

    def send(self, buffer: memoryview, start: int, end: int) -> None: ...

    def send_eof(self) -> None: ...

    def local_blocked(self) -> None: ...

    def local_drained(self) -> None: ...

    def local_lost(self) -> None: ...


class Served(list[LocalConnection]):
    """Accepts what comes."""

    def __call__(self, local: LocalConnection) -> RemoteEnd:
        self.append(local)
        return Silent()


def crowd(bound: Bound, size: int) -> list[socket.socket]:
    return [socket.create_connection(("127.0.0.1", bound.port)) for _ in range(size)]


def test_closing_stops_listening_and_resets_what_is_open() -> None:
    async def main() -> tuple[Bound, bytes | type[BaseException]]:
        accepted: asyncio.Future[LocalConnection] = asyncio.get_running_loop().create_future()

        def accept(local: LocalConnection) -> RemoteEnd:
            accepted.set_result(local)
            return Silent()

        listeners, bound = Listeners(ReadBuffer(), print), bind(0, LOCAL)
        async with Background() as tasks:
            await listeners.serve(bound, accept, tasks)
            reader, writer = await asyncio.open_connection("::1", bound.port)
            await accepted
            await listeners.close(1.0)
        try:
            got: bytes | type[BaseException] = await reader.read(1)
        except ConnectionError as error:
            got = type(error)
        writer.close()
        return bound, got

    bound, got = run(main())
    assert got is ConnectionResetError
    assert not listens("127.0.0.1", bound.port)
    assert not listens("::1", bound.port)


def test_one_port_stops_listening_and_its_connections_go_on() -> None:
    async def main() -> None:
        listeners, served = Listeners(ReadBuffer(), print), Served()
        first, second = bind(0, LOCAL), bind(0, LOCAL)
        async with Background() as tasks:
            for bound in (first, second):
                await listeners.serve(bound, served, tasks)
            reader, writer = await asyncio.open_connection("127.0.0.1", first.port)
            async with asyncio.timeout(5):
                while not served:
                    await asyncio.sleep(0.001)
            listeners.stop(first)
            async with asyncio.timeout(5):
                while listens("127.0.0.1", first.port):
                    await asyncio.sleep(0.001)
            assert listens("127.0.0.1", second.port)
            served[0].write(memoryview(b"still there"))
            served[0].flush()
            assert await reader.readexactly(11) == b"still there"
            writer.close()
            await listeners.close(1.0)

    run(main())


def test_connections_over_the_mark_are_reset_and_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And once more when there is room again."""
    monkeypatch.setattr(listener, "QUIET", 0.0)
    told: list[str] = []

    async def main() -> None:
        served = Served()

        async def connect() -> bool:
            """Whether it is served."""
            before = len(served)
            with socket.create_connection(("127.0.0.1", bound.port)) as client:
                client.setblocking(False)
                loop = asyncio.get_running_loop()
                try:
                    while len(served) == before:
                        await asyncio.wait_for(loop.sock_recv(client, 1), 0.05)
                except TimeoutError:
                    return True
                except ConnectionResetError:
                    return False
            return True

        listeners, bound = Listeners(ReadBuffer(), told.append), bind(0, [Group((V4,), False)])
        async with Background() as tasks:
            await listeners.serve(bound, served, tasks)
            listeners._mark = 0
            assert [await connect() for _ in range(3)] == [False] * 3
            assert len(told) == 1
            assert "ulimit -n" in told[0]
            listeners._mark = 1 << 20
            assert [await connect() for _ in range(3)] == [True] * 3
            assert told[1:] == ["connections are accepted again; 3 or more were reset"]
            await listeners.close(1.0)

    run(main())


def test_a_far_side_that_found_no_descriptor_counts_as_a_connection_that_was_refused() -> None:
    told: list[str] = []

    async def main() -> None:
        listeners = Listeners(ReadBuffer(), told.append)
        listeners.failed(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
        assert told == []
        for _ in range(3):
            listeners.failed(OSError(errno.EMFILE, "Too many open files"))
        assert len(told) == 1
        assert "ulimit -n" in told[0]

    run(main())


def test_a_crowd_is_accepted_before_any_of_it_has_its_say() -> None:
    async def main() -> list[int]:
        turns: list[int] = []
        turn = 0

        def accept(local: LocalConnection) -> RemoteEnd:
            turns.append(turn)
            return Silent()

        listeners, bound = Listeners(ReadBuffer(), print), bind(0, [Group((V4,), False)])
        clients = crowd(bound, 20)
        async with Background() as tasks:
            await listeners.serve(bound, accept, tasks)
            while len(turns) < 20:
                turn += 1
                await asyncio.sleep(0)
            await listeners.close(1.0)
        for client in clients:
            client.close()
        return turns

    turns = run(main())
    assert len(turns) - len(set(turns)) >= 16  # the event loop accepts one in a turn, and asyncio a second one


def test_a_crowd_that_finds_no_room_takes_no_descriptors() -> None:
    """No more than the few that the event loop itself accepts in a turn; each is counted."""
    told: list[str] = []

    async def main() -> tuple[int, int]:
        served = Served()

        listeners, bound = Listeners(ReadBuffer(), told.append), bind(0, [Group((V4,), False)])
        clients = crowd(bound, 40)
        lowest = os.dup(0)
        os.close(lowest)
        listeners._mark = lowest + 8
        before = set(os.listdir("/proc/self/fd"))
        most = 0
        async with Background() as tasks:
            await listeners.serve(bound, served, tasks)
            while listeners._refused + len(served) < len(clients):
                await asyncio.sleep(0)
                taken = set(os.listdir("/proc/self/fd")) - before
                most = max([most, *map(int, taken)])
            for client in clients:
                client.close()
            await listeners.close(1.0)
        return most, listeners._mark

    most, mark = run(main())
    assert most < mark + 6
    assert len(told) == 1


def test_closing_while_a_crowd_is_being_accepted() -> None:
    """Nothing is left, and nothing is raised, though many were accepted and none has had its say."""

    async def main() -> list[socket.socket]:
        listeners, bound = Listeners(ReadBuffer(), print), bind(0, [Group((V4,), False)])
        clients = crowd(bound, 20)
        async with Background() as tasks:
            await listeners.serve(bound, lambda local: Silent(), tasks)
            while not listeners._accepted:
                await asyncio.sleep(0)
            await listeners.close(1.0)
            while listeners._accepted or listeners._live:
                await asyncio.sleep(0)
        return clients

    for client in run(main()):
        with client:
            client.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
