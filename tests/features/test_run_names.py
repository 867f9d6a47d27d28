"""What a name and an address of a cluster mean inside, while the clusters change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from fairlead.dial.connection import Connection
from fairlead.features.run import names as module
from fairlead.model.dns import Code, Type
from fairlead.model.named import GroupKey
from fairlead.model.service_events import Forwarding, ServiceState, StoppedForwarding
from fairlead.model.target import PodRef
from fairlead.policy.hostnames import Scope
from tests.support.insiderun import Cloud, Inside, inside
from tests.support.loop import run_virtual
from tests.support.objects import PODS, SERVICES, SLICES

WEB = GroupKey("c1", "ns", "web")
FORMS = ["web", "web.ns.svc.cluster.local", "web.ns", "web.ns.svc"]


def play(body: Callable[[Inside], Awaitable[None]], *clouds: Cloud, **how: Any) -> None:
    async def main() -> None:
        async with inside(*clouds, **how) as it:
            await body(it)

    run_virtual(main())


def headless(api: Cloud, name: str = "db", pods: dict[str, str] | None = None, **spec: Any) -> None:
    api.service(name, "None", **spec)
    api.slice(name, {"db-0": "10.1.0.1", "db-1": "10.1.0.2"} if pods is None else pods)


def test_a_service_comes_changes_and_goes() -> None:
    async def body(it: Inside) -> None:
        assert it.hosts() == {}
        assert it.resolved("web") is None
        it.api.service()
        it.api.slice("web", {"a": "10.1.0.1"})
        await it.settle()
        assert it.hosts() == {form: ["10.0.0.1"] for form in FORMS}
        assert it.resolved("web.ns") == ["10.0.0.1"]
        assert it.resolved("_http._tcp.web.ns.svc.cluster.local", Type.SRV) == ["web.ns.svc.cluster.local:80"]
        assert it.names.service_at("10.0.0.1") == WEB
        assert it.names.groups[WEB].address == "10.0.0.1"
        assert it.names.groups[WEB].way(80) is not None
        it.api.service(ip="10.0.0.2")
        await it.settle()
        assert it.hosts() == {form: ["10.0.0.2"] for form in FORMS}
        assert it.names.service_at("10.0.0.1") is None
        assert it.names.service_at("10.0.0.2") == WEB
        it.api.delete(SERVICES, "web")
        await it.settle()
        assert it.hosts() == {}
        assert it.resolved("web") is None
        assert it.names.service_at("10.0.0.2") is None
        assert not it.names.groups
        assert it.names.all() == set()
        assert [event for event in it.told if isinstance(event, StoppedForwarding)]

    play(body)


def test_one_that_is_made_anew_is_told_where_it_stands() -> None:
    async def body(it: Inside) -> None:
        it.api.service()
        it.api.slice("web", {"a": "10.1.0.1"})
        await it.settle()
        it.api.delete(SERVICES, "web")
        it.api.service(ip="10.0.0.9", ports=({"name": "http", "port": 81, "targetPort": 8080, "protocol": "TCP"},))
        await it.settle()
        told = [event for event in it.told if isinstance(event, Forwarding)]
        assert (told[-1].address, told[-1].port) == ("10.0.0.9", 81)
        assert it.names.groups[WEB].address == "10.0.0.9"

    play(body)


def test_what_stands_behind_a_name_is_no_news_of_the_name() -> None:
    async def body(it: Inside) -> None:
        it.api.service()
        await it.settle()
        pods = {"a": "10.1.0.1"}
        for name in "a", "b":
            pods[name] = "10.1.0.2"
            it.api.slice("web", pods)
            await it.settle(0)
            assert not await it.settle()
        it.api.service(selector={"app": "other"})
        assert not await it.settle()
        it.api.service(clusterIPs=["10.0.0.1", "fd00::1"])
        assert await it.settle()
        assert not await it.settle()

    play(body)


def test_both_families() -> None:
    async def body(it: Inside) -> None:
        it.api.service(clusterIPs=["10.0.0.1", "fd00::1"])
        await it.settle()
        assert it.hosts()["web"] == ["10.0.0.1", "fd00::1"]
        assert it.names.service_at("fd00::1") == WEB
        assert it.resolved("web", Type.AAAA) == ["fd00" + "0" * 27 + "1"]

    play(body)


def test_two_services_on_one_address_for_a_moment() -> None:
    async def body(it: Inside) -> None:
        it.api.service("old")
        await it.settle()
        it.api.service("web")
        await it.settle()
        assert it.names.service_at("10.0.0.1") == WEB._replace(service="old")
        it.api.delete(SERVICES, "old")
        await it.settle()
        assert it.names.service_at("10.0.0.1") == WEB

    play(body)


def test_pods_of_a_headless_one_come_and_go() -> None:
    async def body(it: Inside) -> None:
        headless(it.api)
        it.api.pod("db-0", "10.1.0.1")
        await it.settle()
        assert it.hosts()["db-0.db"] == ["10.1.0.1"]
        assert "db" not in it.hosts(), "its addresses are DNS's to say, one after the other"
        assert {"db", "db.ns", "db-0.db", "db-1.db.ns.svc.cluster.local"} <= it.names.all()
        assert sorted(it.resolved("db") or []) == ["10.1.0.1", "10.1.0.2"]
        assert it.names.service_at("10.1.0.1") is None
        assert it.names.pod_at("10.1.0.1") == (it.contexts[0], PodRef("ns", "db-0", "uid-db-0"))
        it.api.slice("db", {"db-1": "10.1.0.2"})
        await it.settle()
        assert "db-0.db" not in it.hosts()
        assert it.resolved("db") == ["10.1.0.2"]
        assert it.names.zone.answer("db-0.db.ns.svc.cluster.local", Type.A) is not None, "not somebody else's to know"
        it.api.delete(PODS, "db-0")
        it.api.delete(SERVICES, "db")
        await it.settle()
        assert it.hosts() == {}
        assert it.names.pod_at("10.1.0.1") is None

    play(body)


def test_an_alias() -> None:
    async def body(it: Inside) -> None:
        it.api.service("out", type="ExternalName", externalName="db.example.com")
        await it.settle()
        assert it.hosts() == {}
        assert "out.ns" in it.names.all()
        answer = it.names.zone.answer("out.ns", Type.A)
        assert answer is not None
        assert answer.chase == "db.example.com"
        it.api.service("out", "10.0.0.7")
        await it.settle()
        assert it.hosts()["out"] == ["10.0.0.7"]
        assert it.resolved("out") == ["10.0.0.7"]

    play(body)


def test_what_was_not_chosen_is_not_there() -> None:
    async def body(it: Inside) -> None:
        it.api.service("db")
        await it.settle()
        assert it.hosts() == {}
        assert it.names.service_at("10.0.0.1") is None
        answer = it.names.zone.answer("db.ns.svc.cluster.local", Type.A)
        assert answer is not None
        assert answer.code == Code.NXDOMAIN

    play(body, only=["web"])


def test_clusters_with_the_same_addresses() -> None:
    first, second = Cloud(), Cloud()
    for api in first, second:
        api.service()
        headless(api)
        api.pod("db-0", "10.1.0.1")

    async def body(it: Inside) -> None:
        assert it.hosts()["web"] == ["10.0.0.1"]
        [other] = it.hosts()["web.ns.two"]
        assert other.startswith("240.0.0.")
        assert it.names.service_at(other) == WEB._replace(context="c2")
        assert it.names.service_at("10.0.0.1") == WEB
        assert it.resolved("web.two") == [other]
        [pod] = it.hosts()["db-0.db.ns.two"]
        assert it.names.pod_at(pod) == (it.contexts[1], PodRef("ns", "db-0", "uid-db-0"))
        assert it.names.pod_at("10.1.0.1") == (it.contexts[0], PodRef("ns", "db-0", "uid-db-0"))
        it.apis[0].delete(SERVICES, "web")
        await it.settle()
        assert it.hosts()["web.ns.two"] == [other], "what was given stays"
        assert it.names.service_at("10.0.0.1") is None

    play(body, first, second)


def test_a_name_leads_to_its_own_cluster_though_another_has_a_pod_at_that_address() -> None:
    first, second = Cloud(), Cloud()
    first.pod("other", "10.1.0.1")
    headless(second, pods={"db-0": "10.1.0.1"})
    second.pod("db-0", "10.1.0.1")

    async def body(it: Inside) -> None:
        [address] = it.hosts()["db-0.db.ns.two"]
        assert it.names.pod_at(address) == (it.contexts[1], PodRef("ns", "db-0", "uid-db-0"))
        it.apis[1].delete(PODS, "db-0")
        await it.settle()
        assert it.names.pod_at(address) is None, "nobody's connection ends in another cluster"

    play(body, first, second)


def test_the_first_context_keeps_its_addresses_whichever_is_heard_first() -> None:
    first, second = Cloud(), Cloud()

    async def body(it: Inside) -> None:
        second.service()
        await asyncio.sleep(1)
        first.service()
        await it.settle()
        assert it.hosts()["web"] == ["10.0.0.1"]
        assert it.hosts()["web.ns.two"] == ["240.0.0.1"]

    play(body, first, second)


def test_a_name_of_a_later_context_takes_no_address_of_a_pod_of_the_first() -> None:
    first, second = Cloud(), Cloud()
    first.pod("other", "10.1.0.1")
    headless(second, pods={"db-0": "10.1.0.1"})
    second.pod("db-0", "10.1.0.1")

    async def body(it: Inside) -> None:
        assert it.hosts()["db-0.db.ns.two"] == ["240.0.0.1"]
        assert it.names.pod_at("10.1.0.1") == (it.contexts[0], PodRef("ns", "other", "uid-other"))
        assert it.names.pod_at("240.0.0.1") == (it.contexts[1], PodRef("ns", "db-0", "uid-db-0"))

    play(body, first, second)


def test_an_address_that_nobody_has_any_more() -> None:
    async def body(it: Inside) -> None:
        it.api.service()
        it.api.pod("a", "10.1.0.1")
        headless(it.api)
        await it.settle()
        assert not it.names.was_at("10.0.0.1")
        assert not it.names.was_at("10.0.0.2")
        it.api.service(ip="10.0.0.2")
        it.api.pod("a", "10.1.0.9")
        await it.settle()
        assert it.names.was_at("10.0.0.1")
        assert it.names.was_at("10.1.0.1")
        it.api.delete(SERVICES, "web")
        it.api.delete(PODS, "a")
        it.api.delete(SERVICES, "db")
        await it.settle()
        assert it.names.was_at("10.0.0.2")
        assert it.names.was_at("10.1.0.9")
        assert not it.names.was_at("192.0.2.1")
        it.api.service()
        it.api.pod("a", "10.1.0.1")
        await it.settle()
        assert it.names.service_at("10.0.0.1") == WEB
        assert it.names.pod_at("10.1.0.1") is not None
        assert not it.names.was_at("10.0.0.1")
        assert not it.names.was_at("10.1.0.1")

    play(body)


def test_a_stand_in_is_never_the_laptops() -> None:
    first, second = Cloud(), Cloud()
    for api in first, second:
        api.service()

    async def body(it: Inside) -> None:
        [own] = it.hosts()["db"]
        [other] = it.hosts()["web.ns.two"]
        for api in first, second:
            api.delete(SERVICES, "web")
        first.delete(SERVICES, "db")
        await it.settle()
        assert it.names.service_at(own) is it.names.service_at(other) is None
        assert it.names.was_at(own)
        assert it.names.was_at(other)
        assert not it.names.was_at("240.0.0.77")

    headless(first)
    play(body, first, second, local=["db=5432"])


def test_what_is_worked_on_here_has_an_address_of_its_own() -> None:
    async def body(it: Inside) -> None:
        headless(it.api)
        it.api.pod("db-0", "10.1.0.1")
        await it.settle()
        [address] = it.hosts()["db"]
        assert address.startswith("240.0.0.")
        assert it.resolved("db.ns.svc.cluster.local") == [address]
        assert it.hosts()["db-0.db"] == ["10.1.0.1"], "its pods are still there"
        assert it.names.service_at(address) == WEB._replace(service="db")
        group = it.names.groups[WEB._replace(service="db")]
        assert [port.own for port in group.group.ports if port.number == 80] == [5432]
        it.api.service("db", "10.0.0.5")
        await it.settle()
        assert it.hosts()["db"] == ["10.0.0.5"]
        it.api.service("db", "None")
        await it.settle()
        assert it.hosts()["db"] == [address]

    play(body, local=["db=5432"])


def test_an_address_of_its_own_is_nobodys_in_the_cluster() -> None:
    api = Cloud()
    headless(api, "aa", {"aa-0": "240.0.0.1"})
    headless(api, "db")

    async def body(it: Inside) -> None:
        assert it.hosts()["aa-0.aa"] == ["240.0.0.1"]
        assert it.hosts()["db"] != ["240.0.0.1"]

    play(body, api, local=["db=5432"])


def test_a_name_changes_hands() -> None:
    """A service of the first context whose name with namespace ends as those of the second context do."""
    first, second = Cloud(), Cloud()
    first.service("web")
    second.service("web", "10.0.0.2")
    scopes = (Scope(bare="ns", label="one"), Scope(bare="ns", label="ns", main=False))

    async def body(it: Inside) -> None:
        assert it.hosts()["web.ns"] == ["10.0.0.1"], "the nearest form has it"
        first.delete(SERVICES, "web")
        await it.settle()
        assert it.hosts()["web.ns"] == ["10.0.0.2"]
        assert it.resolved("web.ns") == ["10.0.0.2"]
        first.service("web")
        await it.settle()
        assert it.hosts()["web.ns"] == ["10.0.0.1"]
        assert it.resolved("web.ns") == ["10.0.0.1"]

    play(body, first, second, scopes=scopes)


class Waiting:
    backend = None

    def __init__(self, heard: list[str], name: str) -> None:
        self.heard = heard
        self.name = name

    def dial(self) -> None:
        self.heard.append(self.name)

    def cut(self) -> None:
        self.heard.append(f"cut {self.name}")


def waiting(heard: list[str], name: str = "") -> Connection:
    return cast("Connection", Waiting(heard, name))


def test_ways_to_pods_are_kept_as_far_as_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_POD_WAYS", 3)

    async def body(it: Inside) -> None:
        pod = PodRef("ns", "a", "1")
        context = it.contexts[0]
        first = it.names.pod_way(context, pod, 1)
        busy = it.names.pod_way(context, pod, 2)
        connection = waiting([])
        busy.route.wait_for_backend(connection)
        assert busy.route.busy
        assert it.names.pod_way(context, pod, 1) is first
        for port in range(3, 10):
            it.names.pod_way(context, pod, port)
        assert len(it.names._pod_ways) == 3
        assert it.names.pod_way(context, pod, 2) is busy
        assert it.names.pod_way(context, pod, 1) is not first
        busy.route.stop_waiting(connection)

    play(body)


def test_who_waits_is_woken_when_its_server_is_back() -> None:
    async def body(it: Inside) -> None:
        dialled: list[str] = []
        it.api.service()
        await it.settle()
        way = it.names.groups[WEB].way(80)
        assert way is not None
        way.route.wait_for_backend(waiting(dialled, "service"))
        it.names.pod_way(it.contexts[0], PodRef("ns", "a", "1"), 80).route.wait_for_backend(waiting(dialled, "pod"))
        it.names.wake(it.contexts[0])
        assert sorted(dialled) == ["pod", "service"]
        way.route.wait_for_backend(waiting(dialled, "late"))
        it.names.cut()
        assert dialled[2:] == ["cut late"]

    play(body)


def test_states_are_told() -> None:
    async def body(it: Inside) -> None:
        it.api.service()
        await it.settle()
        it.api.slice("web", {"a": "10.1.0.1"})
        await it.settle()
        it.api.delete(SLICES, "web")
        await it.settle()
        states = [event.state for event in it.told if isinstance(event, ServiceState)]
        assert states == ["waiting", "ready", "waiting"]

    play(body)
