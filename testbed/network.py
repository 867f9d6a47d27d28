"""The addresses of one cluster: all follow from its slot, a small number that no other running cluster has.

198.18.0.0/15 is reserved for test beds (RFC 2544), so it is nobody's home or office network.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from testbed import machine, paths
from testbed.errors import TestbedError

_SLOTS = 64  # more than any machine runs side by side; the address plan would bear 256

LINK = "fltb"
"""How the names of the laptop's ends of all clusters begin."""
_LINKS = Path("/sys/class/net")


@dataclass(frozen=True, slots=True)
class Network:
    """The addresses of the cluster in one slot."""

    slot: int

    @property
    def link(self) -> str:
        """The laptop's end of the veth pair; the node's end is called eth0."""
        return f"{LINK}{self.slot}"

    @property
    def laptop(self) -> str:
        """The laptop's address on the veth pair."""
        return f"198.18.{self.slot}.1"

    @property
    def node(self) -> str:
        """The node's address: all that the laptop reaches."""
        return f"198.18.{self.slot}.2"

    @property
    def services(self) -> str:
        """Cluster IPs: some 4,000."""
        return f"{self._service(0)}/20"

    @property
    def api_service(self) -> str:
        """The cluster IP of the API server."""
        return self._service(1)

    @property
    def dns(self) -> str:
        """The cluster IP of the DNS."""
        return self._service(10)

    def _service(self, number: int) -> str:
        return f"10.{96 + self.slot // 16}.{self.slot % 16 * 16}.{number}"

    @property
    def pods(self) -> str:
        """Pod IPs."""
        return f"10.244.{self.slot}.0/24"

    @property
    def server(self) -> str:
        """The API server, as the laptop names it."""
        return f"https://{self.node}:6443"


def claim(state: paths.State) -> Network:
    """Take the lowest free slot for this cluster and write it down."""
    handle = os.open(paths.clusters(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        taken = {slot for other in paths.clusters().iterdir() if (slot := _read(paths.State(other))) is not None}
        for slot in range(_SLOTS):
            network = Network(slot)
            if slot not in taken and not (_LINKS / network.link).exists():
                state.slot.write_text(f"{slot}\n")
                return network
    finally:
        os.close(handle)
    raise TestbedError(f"all {_SLOTS} slots are taken: end a cluster with down")


def of(state: paths.State) -> Network | None:
    """The addresses of this cluster, if it came as far as having some."""
    slot = _read(state)
    return None if slot is None else Network(slot)


def _read(state: paths.State) -> int | None:
    try:
        return int(state.slot.read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def join(network: Network, pid: int) -> None:
    """Join the machine and the network namespace of this process by a veth pair."""
    _ip("link", "add", network.link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    _ip("address", "add", f"{network.laptop}/30", "dev", network.link)
    _ip("link", "set", network.link, "up")


def part(network: Network) -> None:
    """Remove the veth pair, and wait until it is gone: the kernel takes down a dead namespace in its own time."""
    deadline = time.monotonic() + 10
    while (_LINKS / network.link).exists() and time.monotonic() < deadline:
        subprocess.run(["ip", "link", "delete", network.link], env=_environment(), capture_output=True, check=False)
        time.sleep(0.02)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], env=_environment(), check=True)


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": machine.path()}
