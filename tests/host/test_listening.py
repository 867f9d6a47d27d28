from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from struct import pack

import pytest

from fairlead.errors import MachineError
from fairlead.host.listening import NETLINK_SOCK_DIAG, TRIES, ListeningPorts
from tests.support.netlink import DATA, DONE, ERROR, entry, message


@pytest.fixture
def ports() -> Iterator[ListeningPorts]:
    with closing(ListeningPorts(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG))) as made:
        yield made


@pytest.fixture
def kernel() -> Iterator[tuple[ListeningPorts, socket.socket]]:
    """What answers as the test says, in the place of the kernel."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with closing(ListeningPorts(near)) as made, far:
        yield made, far


def listener(address: str, *, v6only: bool = False) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if ":" in address:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    sock.bind((address, 0))
    sock.listen()
    return sock


@pytest.mark.parametrize(
    ("address", "v6only", "listened_on"),
    [
        ("127.0.0.1", False, {"127.0.0.1"}),
        ("127.0.0.9", False, {"127.0.0.9"}),
        ("0.0.0.0", False, {"0.0.0.0"}),
        ("::1", False, {"::1"}),
        ("::", True, {"::"}),
        ("::", False, {"::", "0.0.0.0"}),
        ("::ffff:127.0.0.1", False, {"127.0.0.1"}),
    ],
)
def test_who_listens_is_seen_at_once(ports: ListeningPorts, address: str, v6only: bool, listened_on: set[str]) -> None:
    sock = listener(address, v6only=v6only)
    port = sock.getsockname()[1]
    assert {name for name, number in ports.now() if number == port} == listened_on
    sock.close()
    assert not {name for name, number in ports.now() if number == port}


def test_what_is_bound_or_connected_does_not_listen(ports: ListeningPorts) -> None:
    with listener("127.0.0.1") as sock, socket.socket() as bound, socket.create_connection(sock.getsockname()) as near:
        bound.bind(("127.0.0.1", 0))
        far, _ = sock.accept()
        with far:
            quiet = {bound.getsockname()[1], near.getsockname()[1]}
            assert not quiet.intersection(port for _, port in ports.now())


def test_many_listeners_come_in_several_parts(ports: ListeningPorts) -> None:
    socks = [listener("127.0.0.1") for _ in range(600)]
    try:
        assert {sock.getsockname() for sock in socks} <= ports.now()
    finally:
        for sock in socks:
            sock.close()


def test_an_interrupted_dump_is_asked_for_again(kernel: tuple[ListeningPorts, socket.socket]) -> None:
    ports, far = kernel
    far.send(message(DATA, entry("127.0.0.1", 1), sequence=1, flags=0x12) + message(DONE, sequence=1))
    far.send(message(DATA, entry("127.0.0.1", 2), sequence=2) + message(DONE, sequence=2))
    far.send(message(DONE, sequence=3))
    assert ports.now() == {("127.0.0.1", 2)}


def test_one_that_is_always_interrupted_is_taken_as_it_is(kernel: tuple[ListeningPorts, socket.socket]) -> None:
    ports, far = kernel
    for sequence in range(1, TRIES + 1):
        far.send(message(DATA, entry("127.0.0.1", 1), sequence=sequence, flags=0x12) + message(DONE, sequence=sequence))
    far.send(message(DONE, sequence=TRIES + 1))
    assert ports.now() == {("127.0.0.1", 1)}


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (message(ERROR, pack("=i", -2), sequence=1), "error 2"),
        (message(DATA, b"", sequence=1), "cut off"),
        (message(DATA, entry("127.0.0.1", 1), sequence=1), "lists no sockets: "),
    ],
)
def test_after_an_error_it_can_be_asked_again(
    kernel: tuple[ListeningPorts, socket.socket], answer: bytes, what: str
) -> None:
    ports, far = kernel
    far.send(answer)
    with pytest.raises(MachineError, match=what):
        ports.now()
    far.send(message(DATA, entry("127.0.0.1", 1), sequence=2) + message(DONE, sequence=2))
    far.send(message(DONE, sequence=3))
    assert ports.now() == {("127.0.0.1", 1)}
