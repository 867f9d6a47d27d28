"""The services of the node's network: their addresses in the kernel, their names in the nameserver."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from fairlead.host.private.setup import PLACES, StepError
from fairlead.lab.node.backends import Object, ServicePort, service_ports
from fairlead.lab.node.conntrack import forget
from fairlead.lab.node.dns import DnsServer
from fairlead.lab.node.links import add_address
from fairlead.lab.node.plan import DNS, GATEWAY, NODE
from fairlead.lab.node.services import NOTHING, ruleset
from fairlead.lab.node.spawn import SpawnError, Step, execute, spawn
from fairlead.lab.node.zone import ClusterZone

_MOST_SAID = 16_000

End = tuple[str, int]


class Network:
    """Follows the services. One call of ``apply`` at a time."""

    def __init__(self) -> None:
        self._zone = ClusterZone()
        self._dns = DnsServer(self._zone.zone)
        self._before = NOTHING
        self._udp: set[tuple[End, End]] = set()
        """Where UDP may be sent to, and the endpoints behind it."""

    async def start(self) -> None:
        """The nameserver, and rules that refuse every service. Raises StepError, and OSError."""
        add_address(DNS)
        await self._dns.start()
        await self.apply((), ())

    async def apply(self, services: Iterable[Object], slices: Iterable[Object]) -> None:
        """These are all services and their endpoints now. Raises StepError; then the rules are as they were."""
        services, slices = list(services), list(slices)
        self._zone.update(services, slices)
        ports = service_ports(services, slices)
        rules = ruleset(ports, self._before)
        if rules.rules != self._before.rules:
            await nft(rules.text)
            self._before = rules
            self._forget([port for port in ports if port.protocol == "udp"])

    def _forget(self, ports: Iterable[ServicePort]) -> None:
        """End what is still sent by UDP to endpoints that are none any more."""
        ways = {
            (where, (end.address, end.port)) for port in ports for where in _addresses(port) for end in port.endpoints
        }
        if gone := self._udp - ways:
            forget({where for where, _ in gone}, ways)
        self._udp = ways

    def close(self) -> None:
        """Serve no more names."""
        self._dns.close()


def _addresses(port: ServicePort) -> list[End]:
    named = [(address, port.node_port) for address in (NODE, GATEWAY) if port.node_port]
    return [(port.address, port.port), *named]


async def nft(commands: str) -> None:
    """Have nft do these, all or none. Raises StepError."""
    given, said = os.memfd_create("rules"), os.memfd_create("said")
    try:
        os.write(given, commands.encode())
        os.lseek(given, 0, os.SEEK_SET)
        process = await spawn(_running(["nft", "-f", "-"]), stdio=(given, said, said))
        code = await process.wait()
        if code:
            os.lseek(said, 0, os.SEEK_SET)
            raise StepError("nft", code, os.read(said, _MOST_SAID).decode(errors="replace").strip())
    except SpawnError as error:
        raise StepError("nft", error.number, str(error) if error.number else "") from error
    finally:
        os.close(given)
        os.close(said)


def _running(argv: Sequence[str]) -> Callable[[Step], NoReturn]:
    places = ":".join(filter(None, (os.environ.get("PATH"), PLACES)))
    return lambda step: execute(argv[0], argv, {"PATH": places}, step)
