"""A running ``fairlead services``, seen from outside: its names, what answers behind them, and what it leaves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairlead.policy.hostsblock import blocks
from tests.support import podclient
from tests.support.running import Running, listeners
from tests.support.world import within

USUAL = (
    b"# mine\r\n127.0.0.1\tlocalhost\n::1 ip6-localhost ip6-loopback\r\n\n10.0.0.5 old-db # stays\n127.50.0.1   mine"
)
"""A hosts file as they are: comments, both kinds of line ends, and none at the end."""
CHANGED = 1.0
"""Seconds from a change in the cluster to names and listeners that are right: promised."""
KEPT = (".cache/fairlead/", ".local/state/fairlead/")
"""Where files may be left."""


class Services(Running):
    """``fairlead services`` with a hosts file and a home of its own in ``folder``.

    Or with another ``hosts_file``, which from here is ``seen`` elsewhere.
    """

    COMMAND = "services"
    LISTENING = "forwarding"

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        *,
        hosts: bytes = USUAL,
        hosts_file: str = "",
        seen: Path | None = None,
        env: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.home = folder / "home"
        self.runtime = folder / "run"
        for made in (self.home, self.runtime):
            made.mkdir(mode=0o700, exist_ok=True)
        self.hosts_file = seen or folder / "hosts"
        self.left: bytes | None = hosts
        """What the hosts file has at the end; None where others still work with it."""
        if not self.hosts_file.exists():
            self.hosts_file.write_bytes(hosts)
        self.folders = {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": "",
            "XDG_STATE_HOME": "",
            "XDG_RUNTIME_DIR": str(self.runtime),
        }
        super().__init__(
            [f"--hosts-file={hosts_file or self.hosts_file}", *words], env={**self.folders, **(env or {})}, **more
        )

    def check_end(self, code: int | None = None) -> None:
        """Of names, helpers and files nothing is left, but what is kept for the next run."""
        super().check_end(code)
        assert self.left is None or self.hosts_file.read_bytes() == self.left
        within(2, lambda: not self.helpers(), f"the helper's end ({self.helpers()})")
        assert self.files(self.runtime) == []
        odd = [name for name in self.files(self.home) if not name.startswith(KEPT)]
        assert odd == [], odd

    @staticmethod
    def files(folder: Path) -> list[str]:
        """All below a folder that is no folder."""
        return [str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()]

    def helpers(self) -> list[int]:
        """The processes that know of this state folder, but for the one that we started: its helpers."""
        state, found = os.fsencode(self.home / ".local/state/fairlead"), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and entry.name != str(self.process.pid):
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if state in words:
                    found.append(int(entry.name))
        return found

    # -- names --

    def entries(self) -> dict[str, list[str]]:
        """Addresses with their names, as the file has them."""
        found: dict[str, list[str]] = {}
        for block in blocks(self.hosts_file.read_bytes()):
            for address, names in block.entries:
                found.setdefault(address, []).extend(names)
        return found

    def names(self) -> dict[str, str]:
        """Names with their addresses."""
        return {name: address for address, names in self.entries().items() for name in names}

    def serves(self, name: str, *ports: int) -> str:
        """The address of a name if the file has it and these ports are listened on there; "" if not."""
        address = self.names().get(name, "")
        return address if address and listeners().issuperset((address, port) for port in ports) else ""

    def wait_serves(self, name: str, *ports: int, limit: float = CHANGED) -> str:
        """Wait until a name is served; its address."""
        found: str = within(
            limit, lambda: self.serves(name, *ports), f"{name} {ports} ({self.said()[-2000:]})", pause=0.01
        )
        return found

    def wait_gone(self, name: str, limit: float = CHANGED) -> None:
        """Wait until the file has a name no more."""
        within(limit, lambda: name not in self.names(), f"{name} gone ({self.said()[-2000:]})", pause=0.01)

    def pod_of(self, name: str, port: int = 80) -> str:
        """The pod that answers HTTP behind a name."""
        return podclient.run(podclient.pod_of(port, self.names()[name]), 40)

    def pods_of(self, name: str, port: int = 80, times: int = 20) -> set[str]:
        """Those that answer so many connections, one after the other."""
        return {self.pod_of(name, port) for _ in range(times)}
