"""One message at a time, and descriptors that nobody inherits."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from fairlead.host.private import wire
from fairlead.host.private.setup import MOST_SAID


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        yield near, far


def test_messages_stay_apart(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    for said in {"a": 1}, {}, {"rules": "x" * 100_000}:
        wire.send(near, said)
    assert [wire.receive(far) for _ in range(3)] == [({"a": 1}, []), ({}, []), ({"rules": "x" * 100_000}, [])]
    near.close()
    with pytest.raises(EOFError):
        wire.receive(far)


def test_descriptors_are_the_receivers_own_and_no_childs(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    given = [os.open(os.devnull, os.O_RDONLY) for _ in range(wire.MOST_DESCRIPTORS)]
    wire.send(near, {"made": ["x"]}, given)
    said, got = wire.receive(far)
    assert said == {"made": ["x"]}
    assert len(got) == len(given)
    assert not set(got) & set(given)
    assert not any(map(os.get_inheritable, got))
    for each in (*given, *got):
        os.close(each)


def test_the_largest_message_goes_through_at_once(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    near.setblocking(False)
    wire.send(near, {"x": "y" * (wire.MOST - 20)})
    assert len(wire.receive(far)[0]["x"]) == wire.MOST - 20


def test_what_a_program_says_fits() -> None:
    # As JSON each byte may take six.
    assert 6 * MOST_SAID < wire.MOST
