"""What listens on ports of this laptop."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fairlead.host.own_servers import own_servers
from fairlead.model.named import OwnServer


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("127.0.0.1", OwnServer.LOCALHOST),
        ("::1", OwnServer.LOCALHOST),
        ("0.0.0.0", OwnServer.EVERYWHERE),
        ("::", OwnServer.EVERYWHERE),
        ("127.93.1.1", OwnServer.ABSENT),
    ],
)
def test_a_server_is_known_by_where_it_listens(address: str, found: OwnServer) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as sock:
        sock.bind((address, 0))
        port = sock.getsockname()[1]
        assert own_servers([port]) == {port: OwnServer.ABSENT}, "it does not listen yet"
        sock.listen()
        assert own_servers([port]) == {port: found}


def test_where_it_cannot_be_told_there_is_one(tmp_path: Path) -> None:
    assert own_servers([1, 2], proc=str(tmp_path)) == dict.fromkeys((1, 2), OwnServer.EVERYWHERE)
