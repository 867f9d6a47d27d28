"""Anything that happens in a cluster, in any order: names, addresses and listeners end as a fresh look would have them.

Seeded. Services, their ports and kinds, and pods come, change and go, the watch breaks in every known way, the hosts
file is refused now and then; then it is quiet for two (virtual) seconds, and everything has to be right.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any, cast

import pytest

from fairlead.features.services.run import ServicesRun
from fairlead.model.objects import EndpointSlice, Service
from fairlead.policy.hostnames import names_of
from fairlead.policy.plan import Locals, ServicePlan, plan
from tests.support.loop import run_virtual
from tests.support.namedrun import CONTEXT, SCOPE, Api, Hosts, named_run, taken
from tests.support.objects import SERVICES, SLICES, endpoint, endpoint_slice, service

SEEDS = range(40)
STEPS = 60
LOW = 20000 + os.getpid() % 600 * 20
"""Ports that need no rights, and that another process with these tests has not."""
POD, OTHER = LOW + 10, LOW + 11
"""Ports of pods."""


class World:
    """A cluster at random."""

    def __init__(self, api: Api, chance: random.Random) -> None:
        self.api = api
        self.chance = chance
        self.pods = dict.fromkeys(("a", "b", "c"), 0)

    def step(self) -> None:
        kinds = [self.change_service] * 4 + [self.change_slice] * 5 + [self.break_watch]
        self.chance.choice(kinds)()

    def change_service(self) -> None:
        name = self.chance.choice(("web", "db", "kv"))
        if self.chance.random() < 0.3:
            if name in self.api.objects.get(SERVICES, {}):
                self.api.delete(SERVICES, name)
            return
        numbers = self.chance.sample(range(LOW, LOW + 4), self.chance.randint(1, 2))
        ports = tuple(
            {
                "name": f"p{number}",
                "port": number,
                "targetPort": self.chance.choice((POD, number, "http")),
                "protocol": self.chance.choice(("TCP", "TCP", "TCP", "UDP")),
            }
            for number in numbers
        )
        kind: dict[str, Any] = {"clusterIP": self.chance.choice(("10.0.0.1", "None"))}
        if self.chance.random() < 0.1:
            kind = {"type": "ExternalName", "externalName": "db.example.com"}
        made = service(name, ports=ports, **kind)
        made["metadata"]["uid"] = f"{name}-{self.chance.randint(0, 1)}"
        self.api.put(SERVICES, made)

    def change_slice(self) -> None:
        name = self.chance.choice(("web", "db", "kv"))
        piece = f"{name}-{self.chance.randint(0, 1)}"
        if self.chance.random() < 0.2:
            if piece in self.api.objects.get(SLICES, {}):
                self.api.delete(SLICES, piece)
            return
        pods = self.chance.sample(sorted(self.pods), self.chance.randint(0, 3))
        entries = [
            endpoint(pod, uid=f"{pod}{self.chance.randint(0, 1)}", ready=self.chance.random() < 0.7) for pod in pods
        ]
        known = [
            {"name": f"p{number}", "port": self.chance.choice((POD, OTHER, number)), "protocol": "TCP"}
            for number in range(LOW, LOW + 4)
            if self.chance.random() < 0.8
        ]
        self.api.put(SLICES, endpoint_slice(piece, entries, service=name, ports=known))

    def break_watch(self) -> None:
        self.chance.choice((self.api.cut, self.api.compact, lambda: self.api.cut(b'{"type":')))()
        self.api.twice = self.chance.random() < 0.3

    def plans(self) -> list[ServicePlan]:
        """What a fresh look makes of it."""
        slices = list(map(EndpointSlice.from_json, self.api.objects.get(SLICES, {}).values()))
        found = map(Service.from_json, self.api.objects.get(SERVICES, {}).values())
        return [plan(CONTEXT, each, [one for one in slices if one.service == each.name], Locals()) for each in found]


def anything_listens(address: str) -> bool:
    return any(taken(address, port) for port in (*range(LOW, LOW + 4), POD, OTHER))


def check(world: World, run: ServicesRun, hosts: Hosts) -> None:
    groups = {group.key: group for each in world.plans() for group in each.groups}
    served = {line.names: line.address for line in hosts.lines}
    wanted = {tuple(name.text for name in names_of(key, SCOPE, group.hostname)) for key, group in groups.items()}
    assert set(served) == wanted
    assert len(set(served.values())) == len(served), "an address of its own for each"
    for group in groups.values():
        live = run._served[group.key]
        assert sorted(live.ports) == sorted(port.number for port in group.ports)
        for port in group.ports:
            assert live.ports[port.number].ready(cast("Any", None)) == port.backends
            assert taken(live.address, port.number)
    assert set(run._served) == set(groups)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_it_ends_right(seed: int, tmp_path: Path) -> None:
    async def main() -> None:
        chance = random.Random(seed)
        async with named_run(tmp_path, chance) as it:
            world = World(it.api, chance)
            for _ in range(10):
                world.step()
            await it.run.read()
            await it.run.start()
            first: dict[tuple[str, ...], str] = {}
            for _ in range(3):
                it.helper.broken = chance.choice((0.0, 0.5))
                for _ in range(STEPS // 3):
                    world.step()
                    await asyncio.sleep(chance.choice((0, 0, 0.01, 0.3)))
                    assert all(anything_listens(line.address) for line in it.helper.lines), "a name leads to us"
                it.helper.broken = 0.0
                await asyncio.sleep(12)
                check(world, it.run, it.helper)
                for line in it.helper.lines:
                    assert first.setdefault(line.names, line.address) == line.address, "an address never changes"
        assert not any(anything_listens(line.address) for line in it.helper.lines)

    run_virtual(main())
