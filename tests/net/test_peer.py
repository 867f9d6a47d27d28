"""What Linux tells of a peer that is there, one that reads nothing, and one that is gone."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from fairlead.net.peer import peer_state
from fairlead.policy import silence
from fairlead.policy.silence import Kernel
from tests.support.vanish import vanish
from tests.support.world import within

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO as Linux has it")


class Transport:
    """As much of one as is asked."""

    def __init__(self, sock: socket.socket | None) -> None:
        self._sock = sock

    def get_extra_info(self, name: str) -> Any:
        return self._sock


def state(sock: socket.socket | None) -> Kernel:
    return peer_state(cast("Any", Transport(sock)))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as near:
        far, _ = server.accept()
        with far:
            yield near, far


def test_a_peer_that_is_there(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    near.send(b"hello")
    assert state(near) is Kernel.ACKNOWLEDGES


def test_a_peer_that_reads_nothing_is_not_gone(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "UNACKNOWLEDGED", 1.0)
    near, _ = pair
    near.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            near.send(bytes(65536))
    within(5, lambda: state(near) is Kernel.FULL, "the window is known to be closed", pause=0.02)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        assert state(near) is not Kernel.SILENT
        time.sleep(0.05)


def test_a_peer_that_is_gone(pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "UNACKNOWLEDGED", 0.5)
    near, far = pair
    vanish(far)
    near.send(b"hello")
    assert state(near) is Kernel.ACKNOWLEDGES
    within(5, lambda: state(near) is Kernel.SILENT, "nothing is acknowledged", pause=0.02)


def test_where_there_is_no_tcp() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert state(near) is Kernel.UNKNOWN
    assert state(near) is Kernel.UNKNOWN
    assert state(None) is Kernel.UNKNOWN
