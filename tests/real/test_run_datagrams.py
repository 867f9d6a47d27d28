"""UDP of a private network: to ends of our own, and through the laptop's own sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager

import pytest

from fairlead.dial.flows import Flows
from fairlead.entry.datagrams import Datagrams
from fairlead.host.listening import ListeningPorts
from fairlead.host.private.network import PrivateNetwork
from fairlead.host.private.setup import Names
from fairlead.policy.capture import PORT, CaptureRules
from fairlead.protocol.ip import End
from tests.support.loop import LOOPS, run_on

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

OWN = ("192.168.77.5", "fd77::5")
RULES = CaptureRules(own=OWN, sources=OWN, ipv6=True)
LOCALHOST = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
ELSEWHERE = {socket.AF_INET: "10.96.0.{}", socket.AF_INET6: "2001:db8::{}"}
SOCKETS, ROUNDS = 50, 20
LARGE = bytes(range(240)) * 250

_MAKE = """
import socket, sys
link, family, kind, count = socket.socket(fileno=int(sys.argv[1])), *map(int, sys.argv[2:])
made = [socket.socket(family, kind) for _ in range(count)]
socket.send_fds(link, [b"."], [each.fileno() for each in made])
"""


def make_inside(network: PrivateNetwork, family: int, kind: int, count: int = 1) -> list[socket.socket]:
    """Sockets that a program made in the private network."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        words = [sys.executable, "-c", _MAKE, *map(str, (theirs.fileno(), int(family), int(kind), count))]
        subprocess.run(words, pass_fds=[theirs.fileno()], preexec_fn=network.enter(), check=True)
        _, descriptors, _, _ = socket.recv_fds(ours, 1, count)
    made = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    for sock in made:
        sock.setblocking(False)
    return made


class Wired:
    """A private network, what takes its datagrams, and flows to this machine's own network."""

    def __init__(self, network: PrivateNetwork, stack: ExitStack, deliver: Callable[..., None] | None) -> None:
        names = network.sockets
        self._network = network
        self._stack = stack
        self.flows = Flows(self._answered, lambda source, destination: self.datagrams.refuse(source, destination))
        self.datagrams = Datagrams(
            [names["udp4"], names["udp6"]], [names["raw4"], names["raw6"]], deliver or self.flows.send
        )

    def _answered(self, payload: memoryview, source: End, destination: End) -> None:
        self.datagrams.reply(payload, source, destination)

    def inside(self, family: int, kind: int = socket.SOCK_DGRAM, count: int = 1) -> list[socket.socket]:
        made = make_inside(self._network, family, kind, count)
        for sock in made:
            self._stack.callback(sock.close)
        return made

    def outside(self, family: int) -> socket.socket:
        """A UDP socket on this machine's loopback."""
        sock = socket.socket(family, socket.SOCK_DGRAM)
        self._stack.callback(sock.close)
        sock.bind((LOCALHOST[sock.family], 0))
        sock.setblocking(False)
        return sock


@asynccontextmanager
async def wired(network: PrivateNetwork, deliver: Callable[..., None] | None = None) -> AsyncIterator[Wired]:
    await network.made()
    with ExitStack() as stack:
        made = Wired(network, stack, deliver)
        try:
            yield made
        finally:
            made.datagrams.close()
            made.flows.close()
            await network.close()


@pytest.fixture
def network() -> PrivateNetwork:
    return PrivateNetwork.start(RULES, Names())


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def family(request: pytest.FixtureRequest) -> socket.AddressFamily:
    return socket.AddressFamily(request.param)


async def taken(sock: socket.socket) -> tuple[bytes, End]:
    """The next datagram, and who it is of."""
    async with asyncio.timeout(10):
        while True:
            try:
                payload, source = sock.recvfrom(65536)
            except BlockingIOError:
                await asyncio.sleep(0)
            else:
                return payload, source[:2]


def test_a_thousand_queries_are_answered_by_whom_they_asked(
    loop: str, network: PrivateNetwork, family: socket.AddressFamily
) -> None:
    async def main() -> None:
        def answer(payload: memoryview, source: End, destination: End) -> None:
            made.datagrams.reply(b"re " + payload, source, destination)

        async with wired(network, answer) as made:

            async def ask(sock: socket.socket, number: int) -> None:
                for turn in range(ROUNDS):
                    query, to = f"{number} {turn}".encode(), (ELSEWHERE[family].format(number + turn + 1), 53 + turn)
                    sock.sendto(query, to)
                    assert await taken(sock) == (b"re " + query, to)

            async with asyncio.TaskGroup() as group:
                for number, sock in enumerate(made.inside(family, count=SOCKETS)):
                    group.create_task(ask(sock, number))

    run_on(loop, main())


def test_the_laptops_own_servers_answer(loop: str, network: PrivateNetwork, family: socket.AddressFamily) -> None:
    async def main() -> None:
        async with wired(network) as made:
            first, second = made.outside(family), made.outside(family)
            connected, plain = made.inside(family, count=2)
            connected.connect(first.getsockname())
            for payload in (b"", b"small", LARGE):
                connected.send(payload)
                plain.sendto(payload, second.getsockname())
                for server, sock in ((first, connected), (second, plain)):
                    got, source = await taken(server)
                    assert got == payload
                    server.sendto(payload[::-1], source)
                    assert await taken(sock) == (payload[::-1], server.getsockname()[:2])
            assert len(made.flows) == 2

    run_on(loop, main())


def test_answers_may_come_late_and_out_of_turn(network: PrivateNetwork, family: socket.AddressFamily) -> None:
    async def main() -> None:
        async with wired(network) as made:
            server, socks = made.outside(family), made.inside(family, count=5)
            sources = []
            for number, sock in enumerate(socks):
                sock.sendto(bytes([number]), server.getsockname())
                sources.append((await taken(server))[1])
            for number in reversed(range(5)):
                server.sendto(bytes([number, 1]), sources[number])
                server.sendto(bytes([number, 2]), sources[number])
                for part in (1, 2):
                    assert await taken(socks[number]) == (bytes([number, part]), server.getsockname()[:2])

    asyncio.run(main())


def test_a_port_that_nobody_has_refuses(loop: str, network: PrivateNetwork, family: socket.AddressFamily) -> None:
    async def main() -> None:
        async with wired(network) as made:
            server = made.outside(family)
            (sock,) = made.inside(family)
            sock.connect(server.getsockname())
            server.close()
            for _ in range(3):
                sock.send(b"anybody?")
                with pytest.raises(ConnectionRefusedError):
                    await taken(sock)

    run_on(loop, main())


def test_a_program_inside_comes_before_one_outside(network: PrivateNetwork, family: socket.AddressFamily) -> None:
    async def main() -> None:
        async with wired(network) as made:
            outside = made.outside(family)
            inside, sock = made.inside(family, count=2)
            inside.bind(outside.getsockname())
            sock.sendto(b"who?", outside.getsockname())
            payload, source = await taken(inside)
            inside.sendto(payload, source)
            assert await taken(sock) == (b"who?", outside.getsockname()[:2])
            assert len(made.flows) == 0

    asyncio.run(main())


def test_who_listens_inside_is_seen_from_outside(network: PrivateNetwork, family: socket.AddressFamily) -> None:
    async def main() -> None:
        async with wired(network) as made:
            ports = ListeningPorts(network.sockets["diag"])
            (sock,) = made.inside(family, socket.SOCK_STREAM)
            sock.bind((LOCALHOST[family], 8080))
            ours = {("0.0.0.0", PORT), ("::", PORT)}
            assert ports.now() == ours
            sock.listen()
            assert ports.now() == ours | {(LOCALHOST[family], 8080)}
            sock.close()
            assert ports.now() == ours

    asyncio.run(main())


def test_nothing_is_left(network: PrivateNetwork) -> None:
    async def main() -> int:
        async with wired(network) as made:
            server, (sock,) = made.outside(socket.AF_INET), made.inside(socket.AF_INET)
            sock.sendto(b"", server.getsockname())
            await taken(server)
            return os.fstat(network._namespaces["net"]).st_ino

    number = asyncio.run(main())
    assert f"net:[{number}]" not in {namespace(name) for name in os.listdir("/proc") if name.isdigit()}


def namespace(process: str) -> str:
    try:
        return os.readlink(f"/proc/{process}/ns/net")
    except OSError:
        return ""  # it has ended
