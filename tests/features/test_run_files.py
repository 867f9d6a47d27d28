"""The files inside follow the laptop's and the clusters'."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fairlead.errors import MachineError
from fairlead.features.run import files as module
from fairlead.features.run.captured import RESOLVER
from fairlead.features.run.files import EVERY, Files, laptops
from fairlead.kit.tasks import Background, stop
from fairlead.policy.hostnames import Scope
from tests.support.loop import run_virtual

WEB = [("10.0.0.1", ("web", "web.ns"))]


class Network:
    """Takes the files in the place of a namespace."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.writes: list[str] = []
        self.broken = False

    async def show(self, name: str, data: bytes) -> None:
        if self.broken:
            raise MachineError("no space left")
        self.files[name] = data.decode(errors="surrogateescape")
        self.writes.append(name)

    @property
    def lines(self) -> list[str]:
        """Of the hosts file, without comments."""
        return [line for line in self.files["hosts"].splitlines() if line and not line.startswith("#")]


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (
        ("hosts", "127.0.0.1 localhost\n"),
        ("resolv.conf", "nameserver 192.0.2.53\nsearch corp.test\n"),
        ("nsswitch.conf", "hosts: files mymachines resolve [!UNAVAIL=return] dns\n"),
    ):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(module, name.partition(".")[0].upper(), str(tmp_path / name))
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
    return tmp_path


def now(work: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing."""
    with pytest.raises(StopIteration):
        work.send(None)


def following(network: Network, *, ipv6: bool = True, bare: str | None = "ns") -> Files:
    context = SimpleNamespace(scope=Scope(domain="corp.example", bare=bare))
    return Files(cast("Any", network), [cast("Any", context)], ipv6=ipv6)


def test_what_stands_inside_before_the_clusters_are_known(etc: Path) -> None:
    names = laptops()
    assert names.hosts == b"127.0.0.1 localhost\n"
    assert names.resolv == b"nameserver 192.0.2.53\nsearch corp.test\n"
    assert names.nsswitch is not None
    assert b"resolve" not in names.nsswitch
    assert b"dns" in names.nsswitch


def test_what_could_not_be_shown_is_shown_with_the_next_look(etc: Path) -> None:
    network = Network()
    made = following(network)
    now(made.look())
    network.broken = True
    (etc / "resolv.conf").write_text("nameserver 192.0.2.54\nsearch other.test\n")
    for work in made.names(WEB, {"web"}), made.look():
        with pytest.raises(MachineError):
            work.send(None)
    network.broken = False
    now(made.look())
    assert "10.0.0.1 web web.ns" in network.lines
    assert "other.test" in network.files["resolv"]


def test_a_laptop_without_files(etc: Path) -> None:
    for each in etc.iterdir():
        each.unlink()
    names = laptops()
    assert (names.hosts, names.resolv) == (b"", b"")
    network = Network()
    files = following(network)
    now(files.look())
    now(files.names(WEB, ["web"]))
    assert network.lines == ["10.0.0.1 web web.ns"]
    assert files.resolv_conf.nameservers == ("127.0.0.1",)


def test_bytes_that_are_no_text_stay(etc: Path) -> None:
    (etc / "hosts").write_bytes(b"192.0.2.1 caf\xe9 # \xff\n")
    (etc / "nsswitch.conf").write_bytes(b"# \xff\nhosts: files resolve\n")
    names = laptops()
    assert names.hosts == b"192.0.2.1 caf\xe9 # \xff\n"
    assert names.nsswitch is not None
    assert b"# \xff\n" in names.nsswitch
    (etc / "resolv.conf").write_bytes(b"# \xff\nnameserver 192.0.2.54\n")
    network = Network()
    files = following(network)
    now(files.look())
    assert "caf\udce9" in network.files["hosts"]
    assert files.resolv_conf.nameservers == ("192.0.2.54",)


def test_the_clusters_names_stand_before_the_laptops(etc: Path) -> None:
    (etc / "hosts").write_text("127.0.0.1 localhost\n192.0.2.9 web mine\n192.0.2.10 db # old\n")
    network = Network()
    files = following(network)
    now(files.look())
    now(files.names(WEB, ["web", "web.ns", "db"]))
    assert network.lines == ["10.0.0.1 web web.ns", "127.0.0.1 localhost", "192.0.2.9 mine"]
    now(files.names([], []))
    assert network.lines == ["127.0.0.1 localhost", "192.0.2.9 web mine", "192.0.2.10 db # old"]


@pytest.mark.parametrize("ipv6", [True, False])
def test_addresses_of_a_family_that_the_laptop_lacks_are_left_out(etc: Path, ipv6: bool) -> None:
    network = Network()
    files = following(network, ipv6=ipv6)
    now(files.look())
    now(files.names([*WEB, ("fd00::1", ("web", "web.ns"))], ["web", "web.ns"]))
    assert ("fd00::1 web web.ns" in network.lines) == ipv6


def test_what_is_the_same_is_not_written_again(etc: Path) -> None:
    network = Network()
    files = following(network)
    now(files.look())
    now(files.names(WEB, ["web"]))
    before = len(network.writes)
    for _ in range(3):
        now(files.look())
        now(files.names(WEB, ["web"]))
    assert len(network.writes) == before


def test_a_laptop_that_changes_networks(etc: Path) -> None:
    network = Network()
    files = following(network)
    now(files.look())
    assert network.files["resolv"] == (
        f"nameserver {RESOLVER}\nsearch ns.svc.corp.example svc.corp.example corp.example corp.test\n"
    )
    (etc / "new").write_text("nameserver 198.51.100.53\nsearch cafe.test\noptions timeout:1\n")
    os.replace(etc / "new", etc / "resolv.conf")  # as most do
    now(files.look())
    assert files.resolv_conf.nameservers == ("198.51.100.53",)
    assert files.resolv_conf.timeout == 1
    assert network.files["resolv"].splitlines()[1:] == [
        "search ns.svc.corp.example svc.corp.example corp.example cafe.test",
        "options timeout:1",
    ]
    with open(etc / "resolv.conf", "r+") as file:  # in place, as others do
        file.truncate()
        now(files.look())
        assert files.resolv_conf.nameservers == ("127.0.0.1",)
        file.write("nameserver 203.0.113.53\n")
    now(files.look())
    assert files.resolv_conf.nameservers == ("203.0.113.53",)
    (etc / "resolv.conf").unlink()
    now(files.look())
    assert files.resolv_conf.nameservers == ("127.0.0.1",)


def test_a_link_that_leads_elsewhere(etc: Path) -> None:
    network = Network()
    (etc / "resolv.conf").unlink()
    for name in "a", "b":
        (etc / name).write_text(f"nameserver 192.0.2.{ord(name)}\n")
    (etc / "resolv.conf").symlink_to("a")
    files = following(network)
    now(files.look())
    (etc / "resolv.conf").unlink()
    (etc / "resolv.conf").symlink_to("b")
    now(files.look())
    assert files.resolv_conf.nameservers == ("192.0.2.98",)


def test_a_hosts_file_that_changes_keeps_the_clusters_names(etc: Path) -> None:
    network = Network()
    files = following(network)
    now(files.look())
    now(files.names(WEB, ["web"]))
    (etc / "hosts").write_text("127.0.0.1 localhost\n192.0.2.9 new web\n")
    now(files.look())
    assert network.lines == ["10.0.0.1 web web.ns", "127.0.0.1 localhost", "192.0.2.9 new"]


def test_without_a_namespace_whose_names_stand_alone(etc: Path) -> None:
    network = Network()
    now(following(network, bare=None).look())
    assert "search svc.corp.example corp.example corp.test" in network.files["resolv"]


def test_the_end_of_the_hosts_own_name_is_searched(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop.home.test")
    (etc / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    network = Network()
    now(following(network).look())
    assert "search ns.svc.corp.example svc.corp.example corp.example home.test" in network.files["resolv"]


def test_it_looks_for_ever(etc: Path) -> None:
    network = Network()

    async def main() -> None:
        files = following(network)
        await files.look()
        async with Background() as tasks:
            looking = tasks.start(files.run(), name="look")
            await asyncio.sleep(10)
            assert network.writes == ["hosts", "resolv", "nsswitch"]
            (etc / "hosts").write_text("192.0.2.1 new\n")
            await asyncio.sleep(EVERY)
            assert network.lines == ["192.0.2.1 new"]
            await stop(looking)

    run_virtual(main())
