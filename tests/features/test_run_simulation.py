"""Anything that happens in two clusters, in any order: names, DNS and addresses end as a fresh look would have them.

Seeded. Services and pods come, change and go in clusters that use the same addresses, and the watch breaks in every
known way; then it is quiet for a while, and everything has to be right.
"""

from __future__ import annotations

import asyncio
import random
from ipaddress import ip_address
from typing import Any

import pytest

from fairlead.features.names.context import NamedContext
from fairlead.model.dns import Type
from fairlead.model.named import GroupKey
from fairlead.model.objects import EndpointSlice, Pod, Service
from fairlead.policy.claims import Claims
from fairlead.policy.hostnames import names_of
from fairlead.policy.mapping import numbered, own_port, parse_own
from fairlead.policy.places import Place, places
from fairlead.policy.pod_index import of_pod
from fairlead.policy.zone import Zone, ZoneEntry
from tests.support.insiderun import Cloud, Inside, inside
from tests.support.loop import run_virtual
from tests.support.objects import PODS, SERVICES, SLICES, endpoint_slice

SEEDS = range(40)
STEPS = 60
NAMES = ("web", "db", "kv")
PODNAMES = ("a", "b", "c")
CLUSTER_IPS = tuple(f"10.0.0.{n}" for n in range(1, 5))
POD_IPS = (*(f"10.1.0.{n}" for n in range(1, 5)), "240.0.0.2")
LOCAL = ("db=5432",)


class World:
    """One cluster at random."""

    def __init__(self, api: Cloud, chance: random.Random) -> None:
        self.api = api
        self.chance = chance

    def step(self) -> None:
        kinds = [self.change_service] * 4 + [self.change_slice] * 4 + [self.change_pod] * 2 + [self.break_watch]
        self.chance.choice(kinds)()

    def gone(self, collection: str, name: str, often: float) -> bool:
        if self.chance.random() < often:
            if name in self.api.objects.get(collection, {}):
                self.api.delete(collection, name)
            return True
        return False

    def change_service(self) -> None:
        name = self.chance.choice(NAMES)
        if self.gone(SERVICES, name, 0.3):
            return
        numbers = self.chance.sample((80, 81, 5432), self.chance.randint(0, 2))
        ports = tuple({"name": f"p{n}", "port": n, "protocol": self.chance.choice(("TCP", "UDP"))} for n in numbers)
        spec: dict[str, Any] = {}
        ip = self.chance.choice((*CLUSTER_IPS, "None", "None", ""))
        if ip in CLUSTER_IPS and self.chance.random() < 0.3:
            spec["clusterIPs"] = [ip, f"fd00::{ip[-1]}"]
        if self.chance.random() < 0.1:
            spec |= {"type": "ExternalName", "externalName": "db.example.com"}
        self.api.service(name, ip, ports=ports, **spec)

    def change_slice(self) -> None:
        name = self.chance.choice(NAMES)
        piece = f"{name}-{self.chance.randint(0, 1)}"
        if self.gone(SLICES, piece, 0.2):
            return
        entries = []
        for pod in self.chance.sample(PODNAMES, self.chance.randint(0, 3)):
            target = {"kind": "Pod", "name": pod, "namespace": "ns", "uid": pod}
            made: dict[str, Any] = {"addresses": [self.chance.choice(POD_IPS)], "targetRef": target}
            made["conditions"] = {"ready": self.chance.random() < 0.7, "terminating": self.chance.random() < 0.2}
            if self.chance.random() < 0.5:
                made["hostname"] = self.chance.choice((pod, f"host-{pod}"))
            entries.append(made)
        self.api.put(SLICES, endpoint_slice(piece, entries, service=name))

    def change_pod(self) -> None:
        name = self.chance.choice(PODNAMES)
        if not self.gone(PODS, name, 0.3):
            phase = self.chance.choice(("Running", "Running", "Succeeded"))
            deleting = self.chance.random() < 0.2
            self.api.pod(name, self.chance.choice(POD_IPS), uid=name, phase=phase, deleting=deleting)

    def break_watch(self) -> None:
        self.chance.choice((self.api.cut, self.api.compact, lambda: self.api.cut(b'{"type":')))()
        self.api.twice = self.chance.random() < 0.3


def fresh_places(context: NamedContext, api: Cloud, it: Inside) -> list[Place]:
    """What a look from the beginning makes of a cluster, with the addresses that were given."""
    slices = list(map(EndpointSlice.from_json, api.objects.get(SLICES, {}).values()))
    given = it.names._stand_ins
    found = []
    for service in map(Service.from_json, api.objects.get(SERVICES, {}).values()):
        mine = [piece for piece in slices if piece.service == service.name]
        made = places(context.name, service, mine, lambda address: given.shown(context.name, address))
        rules = numbered(parse_own(LOCAL), service)
        if not made[0].addresses and any(own_port(rules, "ns", service.name, port.port) for port in service.ports):
            assert it.names.place(made[0].key).addresses == (given.of_its_own(made[0].key),)
            made = [it.names.place(made[0].key), *made[1:]]
        found += made
    return found


def check(it: Inside) -> None:
    found: dict[GroupKey, Place] = {}
    claims = Claims()
    for context, api in zip(it.contexts, it.apis, strict=True):
        for place in fresh_places(context, api, it):
            found[place.key] = place
            claims.claim(place.key, names_of(place.key, context.scope, place.hostname))
    assert it.names._places == found
    won = {key: tuple(dict.fromkeys(name.text for name in claims.won(key))) for key in found}
    hosts = sorted((address, won[key]) for key in found if won[key] for address in found[key].addresses)
    assert sorted(it.names.hosts()) == hosts
    assert it.names.all() == {name for names in won.values() for name in names}
    check_zone(it, found, won)
    for address in {address for place in found.values() for address in place.addresses}:
        holders = {key for key, place in found.items() if not key.pod and address in place.addresses}
        holder = it.names.service_at(address)
        assert (holder in holders) if holders else (holder is None)
        assert len({key.context for key in holders}) <= 1, "no address is of two clusters"
    assert set(it.names._at) == {
        address for key, place in found.items() if not key.pod for address in place.addresses
    }, "nothing is kept of what is gone"
    for index, (context, api) in enumerate(zip(it.contexts, it.apis, strict=True)):
        check_pods(it, index, context, api)
    assert set(it.names.groups) == set(it.names._plans.groups)
    for key, group in it.names.groups.items():
        assert group.names == won.get(key, ())
        addresses = found[key].addresses if key in found else ()
        assert group.address == next(iter(addresses), "")


def check_zone(it: Inside, found: dict[GroupKey, Place], won: dict[GroupKey, tuple[str, ...]]) -> None:
    """Compare all that DNS says with what a new zone says."""
    zone = Zone()
    for context in it.contexts:
        scope = context.scope
        domain = scope.domain if scope.main else f"{scope.domain}.{scope.label}"
        zone.serve(domain)
        for key, place in found.items():
            if key.context == context.name:
                short = f"{place.hostname or key.pod}.{key.service}" if key.pod else key.service
                entry = ZoneEntry(
                    won[key], f"{short}.ns.svc.{domain}", place.addresses, place.ports, place.endpoints, place.cname
                )
                zone.set(key, entry)
    addresses = {address for place in found.values() for address in place.addresses}
    asked = {name for names in won.values() for name in names} | {ip_address(ip).reverse_pointer for ip in addresses}
    asked |= {f"{name}.ns.svc.cluster.local" for name in (*NAMES, *PODNAMES)} | {"web", "db.ns.two", "a.db", "x"}
    for name in asked:
        for kind in Type.A, Type.AAAA, Type.SRV, Type.PTR, Type.CNAME:
            ours, wanted = it.names.zone.answer(name, kind), zone.answer(name, kind)
            if ours is None or wanted is None:
                assert ours == wanted, name
            else:
                assert (ours.code, ours.chase, set(ours.records)) == (wanted.code, wanted.chase, set(wanted.records))


def check_pods(it: Inside, index: int, context: NamedContext, api: Cloud) -> None:
    pods = [Pod.from_json(item) for item in api.objects.get(PODS, {}).values()]
    for address in POD_IPS:
        here = it.names._stand_ins.shown(context.name, address)
        if it.names.service_at(here) is not None:
            continue
        holders = [pod for pod in pods if any(each.address == address for each in of_pod(pod))]
        living = [pod.ref for pod in holders if pod.deleted_at is None]
        found = it.names.pod_at(here)
        if living or not holders:
            assert found == ((it.contexts[index], living[0]) if len(living) == 1 else None)
        else:
            assert found in [(it.contexts[index], pod.ref) for pod in holders], "the last that ends, whichever that was"


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_it_ends_right(seed: int) -> None:
    async def main() -> None:
        chance = random.Random(seed)
        apis = [Cloud(), Cloud()][: chance.choice((1, 2, 2))]
        worlds = [World(api, chance) for api in apis]
        for _ in range(10):
            chance.choice(worlds).step()
        async with inside(*apis, local=LOCAL) as it:
            given: dict[str, tuple[str, str] | None] = {}
            for _ in range(3):
                for _ in range(STEPS // 3):
                    chance.choice(worlds).step()
                    await asyncio.sleep(chance.choice((0, 0, 0.01, 0.3)))
                    if chance.random() < 0.7:
                        before = sorted(it.names.hosts()), it.names.all()
                        if not it.names.update():
                            assert before == (sorted(it.names.hosts()), it.names.all())
                await it.settle(12)
                check(it)
                for address, real in it.names._stand_ins._real.items():
                    assert given.setdefault(address, real) == real, "what was given stays"

    run_virtual(main())
