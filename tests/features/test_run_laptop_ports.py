"""Which ports of localhost lead to the laptop is as current as what listens there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Set
from typing import Any, cast

import pytest

from fairlead.errors import MachineError
from fairlead.features.run import laptop_ports as module
from fairlead.features.run.laptop_ports import LaptopPorts
from fairlead.host.private import wire
from fairlead.kit.tasks import Background, stop
from tests.support.loop import run_virtual

OWN = ("192.0.2.7", "2001:db8::7")


class Rules:
    """The sets as nft keeps them; ``broken`` refuses every change."""

    def __init__(self, *ports: int) -> None:
        self.listeners = {("127.0.0.1", port) for port in ports}
        self.said: list[str] = []
        self.broken = False

    async def change(self, commands: str) -> None:
        if self.broken:
            raise MachineError("nft: no")
        self.said.append(commands)
        for verb, name, listed in re.findall(r"(add|delete) element inet fairlead (\w+) \{ (.*) \}\n", commands):
            found = {read(name, each) for each in listed.split(", ")}
            assert (found <= self.listeners) == (verb == "delete")
            self.listeners ^= found

    @property
    def ports(self) -> set[int]:
        assert all(address == "127.0.0.1" for address, _ in self.listeners)
        return {port for _, port in self.listeners}


def read(name: str, element: str) -> tuple[str, int]:
    """An element of a set."""
    address, _, port = element.rpartition(" . ")
    return {"all4": "0.0.0.0", "all6": "::"}.get(name, address), int(port)


class Listening:
    def __init__(self, *ports: int) -> None:
        self.ports: Collection[int] | None = ports
        self.addresses = ["127.0.0.1"]

    def now(self) -> frozenset[tuple[str, int]]:
        if self.ports is None:
            raise MachineError("the kernel lists no sockets: no")
        return frozenset((address, port) for address in self.addresses for port in self.ports)


def following(laptop: Listening, rules: Rules, ours: Set[int] = frozenset()) -> LaptopPorts:
    return LaptopPorts(cast("Any", laptop), OWN, frozenset(rules.listeners), rules.change, lambda: ours)


def test_what_changed_is_taken_over_and_nothing_else() -> None:
    async def main() -> None:
        laptop, rules = Listening(80, 443), Rules(80, 22)
        ports = following(laptop, rules)
        await ports.look()
        assert rules.ports == {80, 443}
        await ports.look()
        assert len(rules.said) == 1
        laptop.ports = ()
        await ports.look()
        assert rules.ports == set()

    run_virtual(main())


def test_what_is_listened_on_for_a_program_inside_leads_inside() -> None:
    async def main() -> None:
        rules, ours = Rules(), {8080}
        ports = following(Listening(80, 8080), rules, ours)
        await ports.look()
        assert rules.ports == {80}
        ours.clear()
        await ports.look()
        assert rules.ports == {80, 8080}

    run_virtual(main())


def test_each_address_is_one_of_its_own() -> None:
    """Who listens on 127.0.0.1 does not on ::1, nor does a program inside that is on localhost take the rest."""

    async def main() -> None:
        laptop, rules, ours = Listening(80), Rules(), set[int]()
        laptop.addresses = ["127.0.0.1", "::1", "0.0.0.0", "::", *OWN, "198.51.100.9"]
        ports = following(laptop, rules, ours)
        await ports.look()
        assert rules.listeners == {(address, 80) for address in laptop.addresses[:-1]}
        ours.add(80)
        await ports.look()
        assert rules.listeners == {(address, 80) for address in ("0.0.0.0", "::", *OWN)}

    run_virtual(main())


def test_where_the_kernel_does_not_tell_all_stays_as_it_is() -> None:
    async def main() -> None:
        laptop, rules = Listening(80), Rules(80)
        ports = following(laptop, rules)
        laptop.ports = None
        await ports.look()
        assert rules.ports == {80}

    run_virtual(main())


def test_what_nft_refuses_is_not_taken_for_done() -> None:
    async def main() -> None:
        laptop, rules = Listening(80), Rules()
        ports = following(laptop, rules)
        rules.broken = True
        with pytest.raises(MachineError):
            await ports.look()
        rules.broken = False
        await ports.look()
        assert rules.ports == {80}

    run_virtual(main())


def test_very_many_come_in_parts_that_can_be_said() -> None:
    async def main() -> None:
        laptop, rules = Listening(*range(1, 65536)), Rules(*range(10_000, 20_000))
        laptop.ports = [*range(1, 10_000), *range(20_000, 65536)]
        ports = following(laptop, rules)
        for _ in range(40):
            await ports.look()
        assert rules.ports == set(laptop.ports)
        assert max(map(len, rules.said)) < wire.MOST - 100

    run_virtual(main())


def test_it_looks_for_ever() -> None:
    async def main() -> None:
        laptop, rules = Listening(), Rules()
        async with Background() as tasks:
            looking = tasks.start(following(laptop, rules).run(), name="look")
            await asyncio.sleep(1)
            laptop.ports = [80]
            await asyncio.sleep(module.EVERY)
            assert rules.ports == {80}
            await stop(looking)

    run_virtual(main())
