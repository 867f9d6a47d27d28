"""A reflector follows a server: lists, watches from there, misses nothing and tells nothing twice."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.kit.tasks import Background
from fairlead.kube.reflector import Reflector
from fairlead.kube.resources import POD
from fairlead.model.objects import Pod
from tests.support.fakeapi import FakeApi, until
from tests.support.loop import now, run_virtual
from tests.support.objects import PODS, pod
from tests.support.watched import Watched, play


def test_a_list_is_followed_by_a_watch_from_its_version() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        assert watched.moves() == ["+a"]
        await until(lambda: api.streams)
        assert api.asked[0].verb == "list"
        assert api.asked[1].query["resourceVersion"] == "101"
        assert api.asked[1].query["timeoutSeconds"] == "300"
        api.put(PODS, pod("b"))
        api.put(PODS, pod("a", ready=False))
        api.delete(PODS, "a")
        await until(lambda: watched.names == ["b"])
        assert watched.moves() == ["+b", "~a", "-a"]
        assert now() < 1

    play(body)


def test_without_a_list_the_watch_begins_with_one() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: watched.reflector.synced)
        assert watched.moves() == ["+a"]
        assert api.count("list") == 0
        api.put(PODS, pod("b"))
        await until(lambda: watched.names == ["a", "b"])

    play(body, prime=False)


def test_of_all_namespaces_names_may_be_alike() -> None:
    async def main() -> None:
        api = FakeApi()
        for namespace in ("one", "two"):
            item = pod("a", uid=namespace)
            item["metadata"]["namespace"] = namespace
            api.put("/api/v1/pods", item)
        reflector = Reflector(api, POD.path(""), Pod.from_json, field_selector="spec.nodeName=n1")
        async with Background() as tasks:
            tasks.start(reflector.run(), name="reflector")
            await until(lambda: reflector.synced)
            assert sorted(item.namespace for item in reflector.cache) == ["one", "two"]
            assert api.asked[0].query["fieldSelector"] == "spec.nodeName=n1"

    run_virtual(main())


@pytest.mark.parametrize("mode", ["invalid", "silent"])
def test_a_server_without_watch_list_is_listed(mode: str) -> None:
    async def main() -> None:
        api = FakeApi()
        api.watch_list = mode
        api.put(PODS, pod("a"))
        watched = Watched(api)
        async with Background() as tasks:
            tasks.start(watched.reflector.run(), name="reflector")
            await until(lambda: watched.reflector.synced)
            # A plain watch is told by its silence: nothing is believed until then.
            assert now() == pytest.approx(10 if mode == "silent" else 0, abs=0.1)
            assert api.count("list") == 1
            api.put(PODS, pod("b"))
            await until(lambda: watched.names == ["a", "b"])
            api.compact()
            api.cut()
            await until(lambda: api.count("list") == 2)
            assert api.count("watch") - 2 <= 2, "watch-list is not tried again"

    run_virtual(main())


def test_duplicated_events_are_told_once() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        watched.moves()
        api.twice = True
        api.put(PODS, pod("b"))
        api.put(PODS, pod("b", ready=False))
        api.delete(PODS, "b")
        await until(lambda: watched.moves() == ["+b", "~b", "-b"])

    play(body)


def test_events_lost_with_the_connection_are_sent_again() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        api.hang()
        api.put(PODS, pod("b"))
        api.delete(PODS, "a")
        api.cut()
        await until(lambda: watched.names == ["b"])
        assert api.count("list") == 1, "resumed, not listed again"

    play(body)


def test_a_swallowed_event_is_found_by_relist() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        api.put(PODS, pod("b"))
        await until(lambda: watched.names == ["a", "b"])
        api.swallow = 1
        api.delete(PODS, "a")
        watched.moves()
        started = now()
        watched.reflector.relist()
        await until(lambda: watched.names == ["b"])
        assert watched.moves() == ["-a"], "what a list does not name is gone"
        assert now() - started < 1

    play(body)


@pytest.mark.parametrize("as_event", [False, True])
def test_410_leads_to_a_replace(as_event: bool) -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        watched.moves()
        api.gone_as_event = as_event
        api.hang()
        api.put(PODS, pod("b"))
        api.delete(PODS, "a")
        api.compact()
        api.cut()
        await until(lambda: watched.names == ["b"])
        assert watched.moves() == ["-a", "+b"]
        assert now() < 3
        assert watched.troubles == [], "an old version is not trouble"

    play(body)


def test_410_for_ever_is_asked_slowly() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        api.oldest = 10**9
        api.watch_list = "invalid"
        await asyncio.sleep(300 - now())
        assert api.count("watch") < 40

    play(body)


def test_an_expired_page_is_followed_by_the_whole_list() -> None:
    async def main() -> None:
        api = FakeApi()
        for number in range(5):
            api.put(PODS, pod(f"p{number}"))
        api.page = 2
        watched = Watched(api)
        await watched.reflector.prime()
        assert len(watched.names) == 5
        assert api.count("list") == 3
        api.expire_pages = 1
        api.asked.clear()
        await watched.reflector.prime()
        assert len(watched.names) == 5
        assert ["limit" in each.query for each in api.asked] == [True, True, False]

    run_virtual(main())


def test_bookmarks_keep_a_quiet_watch_and_move_its_version() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        api.bookmarks = 60
        await until(lambda: api.streams)
        api.version = 500
        await asyncio.sleep(280 - now())
        assert api.count("watch") == 1
        api.cut()
        await until(lambda: api.count("watch") == 2)
        assert api.asked[-1].query["resourceVersion"] == "500"

    play(body)


def test_a_selector_limits_what_is_seen() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        api.put(PODS, pod("b", labels={"app": "other"}))
        api.put(PODS, pod("a", labels={"app": "other"}))
        await until(lambda: watched.names == [])
        assert watched.moves() == ["+a", "-a"], "DELETED also means: matches no more"

    play(body, selector="app=web")


def test_it_can_be_stopped_and_run_again() -> None:
    async def main() -> None:
        api = FakeApi()
        api.put(PODS, pod("a"))
        watched = Watched(api)
        await watched.reflector.prime()
        for name in ("b", "c"):
            async with Background() as tasks:
                tasks.start(watched.reflector.run(), name="reflector")
                await until(lambda: api.streams)
            assert api.streams == []
            api.put(PODS, pod(name))
        async with Background() as tasks:
            tasks.start(watched.reflector.run(), name="reflector")
            await until(lambda: watched.names == ["a", "b", "c"])
        assert api.count("list") == 1

    run_virtual(main())
