"""The files by which programs inside look names up: the laptop's, with the clusters' names in them; kept current."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Iterable, Sequence

from fairlead.features.names.context import NamedContext
from fairlead.features.run.captured import RESOLVER
from fairlead.host.files import stamp
from fairlead.host.private.network import PrivateNetwork
from fairlead.host.private.setup import Names
from fairlead.policy import nsswitch, private_hosts, resolv
from fairlead.policy.hostsblock import Entry
from fairlead.policy.resolv import ResolvConf

HOSTS, RESOLV, NSSWITCH = "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf"
EVERY = 0.25
"""Seconds from one look at the laptop's files to the next: another network brings other nameservers."""
MOST_BYTES = 16 << 20


def laptops() -> Names:
    """The laptop's own, which stand inside until the clusters' names are known."""
    return Names(hosts=_read(HOSTS) or b"", resolv=_read(RESOLV) or b"", nsswitch=_nsswitch())


class Files:
    """``resolv_conf`` is the laptop's, as it is now."""

    def __init__(self, network: PrivateNetwork, contexts: Sequence[NamedContext], *, ipv6: bool) -> None:
        self._network = network
        self._contexts = contexts
        self._ipv6 = ipv6
        self._entries: list[Entry] = []
        self._every: Collection[str] = ()
        self._stamps: dict[str, tuple[int, ...]] = {}
        self._hosts = b""
        self._written: bytes | None = None
        self.resolv_conf = ResolvConf()

    async def run(self) -> None:
        """Follow the laptop's files for ever."""
        while True:
            await asyncio.sleep(EVERY)
            await self.look()

    async def look(self) -> None:
        """Take over what changed. What was replaced is shown again, even as it was: now the laptop's own is seen."""
        if self._is_new(HOSTS):
            self._hosts = _read(HOSTS) or b""
            self._written = None
            await self._write_hosts()
        if self._is_new(RESOLV):
            text = (_read(RESOLV) or b"").decode(errors="replace")
            self.resolv_conf = resolv.parse(text, hostname=socket.gethostname())
            inside = resolv.render(self.resolv_conf, RESOLVER, self._search())
            await self._show("resolv", inside.encode())
        if self._is_new(NSSWITCH) and (inside_switch := _nsswitch()) is not None:
            await self._show("nsswitch", inside_switch)

    async def names(self, lines: Iterable[tuple[str, tuple[str, ...]]], every: Collection[str]) -> None:
        """These are the clusters' names from now on; ``every`` has also those that DNS alone answers."""
        self._every = every
        self._entries = [Entry(address, names) for address, names in lines if self._ipv6 or ":" not in address]
        await self._write_hosts()

    async def _write_hosts(self) -> None:
        new = private_hosts.render(self._hosts, self._entries, self._every)
        if new != self._written:
            self._written = new
            await self._show("hosts", new)

    async def _show(self, name: str, data: bytes) -> None:
        try:
            await self._network.show(name, data)
        except BaseException:
            self._stamps.clear()  # so that the next look takes over all of it again
            raise

    def _search(self) -> list[str]:
        """As in a pod of the namespace whose names stand alone."""
        scope = self._contexts[0].scope
        namespace = [f"{scope.bare}.svc.{scope.domain}"] if scope.bare else []
        return [*namespace, f"svc.{scope.domain}", scope.domain]

    def _is_new(self, path: str) -> bool:
        now = stamp(path)
        before, self._stamps[path] = self._stamps.get(path), now
        return now != before


def _nsswitch() -> bytes | None:
    """As it is to be inside; None where the laptop's own will do."""
    text = _read(NSSWITCH)
    changed = nsswitch.rewrite(text.decode(errors="surrogateescape") if text is not None else None)
    return changed.encode(errors="surrogateescape") if changed is not None else None


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES)
    except OSError:
        return None
