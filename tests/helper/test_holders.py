from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

import pytest

from fairlead.helper.holders import describe_holder, describe_holders

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


@pytest.mark.parametrize(
    ("held", "asked"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0"), ("::1", "::1"), ("::", "::1")],
)
def test_the_holder_of_a_real_port_is_named(held: str, asked: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in held else socket.AF_INET) as sock:
        sock.bind((held, 0))
        sock.listen()
        found = describe_holder(asked, sock.getsockname()[1])
    assert re.fullmatch(rf".+ \(pid {os.getpid()}\)", found)


def test_nobody_holds_a_free_port() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert describe_holder("127.0.0.1", port) == ""


def fake_proc(folder: Path, tcp: str, tcp6: str = "") -> str:
    (folder / "net").mkdir()
    (folder / "net" / "tcp").write_text(HEADER + tcp)
    (folder / "net" / "tcp6").write_text(HEADER + tcp6)
    return str(folder)


@pytest.mark.skipif(sys.byteorder != "little", reason="the table below is a little-endian machine's")
def test_the_process_of_another_user_is_told_by_its_user(tmp_path: Path) -> None:
    line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  4711        0 31337 1 0\n"
    proc = fake_proc(tmp_path, line)
    assert describe_holder("127.0.0.1", 8080, proc=proc) == "a process of user 4711"
    assert describe_holder("127.0.0.2", 8080, proc=proc) == ""
    assert describe_holder("127.0.0.1", 8081, proc=proc) == ""
    assert describe_holder("::1", 8080, proc=proc) == ""


@pytest.mark.skipif(sys.byteorder != "little", reason="the table below is a little-endian machine's")
@pytest.mark.parametrize(
    ("uid", "asker", "told"),
    [
        (1000, 1000, "nginx (pid 42)"),
        (0, 1000, "nginx (pid 42)"),
        (4711, 1000, "a process of user 4711"),
        (4711, 0, "nginx (pid 42)"),
    ],
)
def test_root_does_not_tell_what_the_asker_may_not_see(tmp_path: Path, uid: int, asker: int, told: str) -> None:
    proc = fake_proc(tmp_path, f"   0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 {uid} 0 31337 1 0\n")
    (tmp_path / "42" / "fd").mkdir(parents=True)
    (tmp_path / "42" / "fd" / "3").symlink_to("socket:[31337]")
    (tmp_path / "42" / "comm").write_text("nginx\n")
    assert describe_holder("127.0.0.1", 8080, asker=asker, proc=proc) == told


@pytest.mark.skipif(sys.byteorder != "little", reason="the table below is a little-endian machine's")
def test_a_process_is_found_by_its_socket_and_connections_are_no_listeners(tmp_path: Path) -> None:
    connected = "   0: 0100007F:1F90 00000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n"
    any_v6 = "   0: " + "0" * 32 + ":1F90 " + "0" * 32 + ":0000 0A 0:0 00:0 0     0        0 31337 1 0\n"
    proc = fake_proc(tmp_path, connected, any_v6)
    (tmp_path / "42" / "fd").mkdir(parents=True)
    (tmp_path / "42" / "fd" / "3").symlink_to("socket:[31337]")
    (tmp_path / "42" / "comm").write_text("nginx\n")
    (tmp_path / "43" / "fd").mkdir(parents=True)
    assert describe_holder("127.0.0.1", 8080, proc=proc) == "nginx (pid 42)"


def test_without_proc_nothing_is_told(tmp_path: Path) -> None:
    assert describe_holder("127.0.0.1", 80, proc=str(tmp_path / "none")) == ""


def test_many_are_described_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [sock.getsockname()[1] for sock in (one, other)]
        found = describe_holders([("127.4.4.4", ports[0]), *(("127.0.0.1", port) for port in ports)])
    assert found[0] == ""
    assert all(re.fullmatch(rf".+ \(pid {os.getpid()}\)", each) for each in found[1:])
