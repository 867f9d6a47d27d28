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
    """The set as nft keeps it; ``broken`` refuses every change."""

    def __init__(self, *ports: int) -> None:
        self.ports = set(ports)
        self.said: list[str] = []
        self.broken = False

    async def change(self, commands: str) -> None:
        if self.broken:
            raise MachineError("nft: no")
        self.said.append(commands)
        for verb, listed in re.findall(r"(add|delete) element inet fairlead ports \{ (.*) \}\n", commands):
            ports = set(map(int, listed.split(", ")))
            assert (ports <= self.ports) == (verb == "delete")
            self.ports ^= ports


class Listening:
    def __init__(self, *ports: int) -> None:
        self.ports: Collection[int] | None = ports

    def now(self) -> frozenset[tuple[str, int]]:
        if self.ports is None:
            raise MachineError("the kernel lists no sockets: no")
        return frozenset(("127.0.0.1", port) for port in self.ports)


def following(laptop: Listening, rules: Rules, ours: Set[int] = frozenset()) -> LaptopPorts:
    return LaptopPorts(cast("Any", laptop), OWN, frozenset(rules.ports), rules.change, lambda: ours)


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
        for _ in range(10):
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
