from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from fairlead.errors import (
    ApiError,
    FairleadError,
    ForbiddenError,
    NotFoundError,
    ProtocolError,
    UnreachableError,
)
from fairlead.kit.tasks import Background
from fairlead.kube.reflector import Reflector, Timing
from fairlead.kube.resources import POD
from fairlead.model.cache import Change
from fairlead.model.objects import Pod
from tests.support.fakeapi import FakeApi, Object, Query, names, until
from tests.support.loop import now, run_virtual
from tests.support.objects import PODS, pod


class Watched:
    """A reflector on a fake server, and everything it told."""

    def __init__(self, api: FakeApi, *, single: str = "", selector: str = "", timing: Timing | None = None) -> None:
        self.told: list[list[Change[Pod]]] = []
        self.troubles: list[FairleadError | None] = []
        self.polling: list[FairleadError] = []
        self.reflector: Reflector[Pod] = Reflector(
            api,
            f"{PODS}/{single}" if single else PODS,
            Pod.from_json,
            single=single,
            selector=selector,
            on_change=self.told.append,
            on_trouble=self.troubles.append,
            on_polling=self.polling.append,
            timing=timing,
            chance=lambda: 0.0,
        )

    @property
    def names(self) -> list[str]:
        return names(self.reflector.cache)

    def moves(self) -> list[str]:
        """Everything told since last asked, as ``+web-1``, ``~web-1`` and ``-web-1``."""
        found = []
        for changes in self.told:
            for change in changes:
                item = change.new or change.old
                assert item is not None
                sign = "+" if change.old is None else "-" if change.new is None else "~"
                found.append(sign + item.name)
        self.told.clear()
        return found


Body = Callable[[FakeApi, Watched], Coroutine[Any, Any, None]]


def play(body: Body, *, prime: bool = True, **options: Any) -> None:
    async def main() -> None:
        api = FakeApi()
        api.put(PODS, pod("a"))
        watched = Watched(api, **options)
        if prime:
            await watched.reflector.prime()
        async with Background() as tasks:
            tasks.start(watched.reflector.run(), name="reflector")
            await body(api, watched)

    run_virtual(main())


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


def test_a_server_that_hangs_is_noticed() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        api.hang()
        api.put(PODS, pod("b"))
        await until(lambda: watched.names == ["a", "b"])
        assert now() == pytest.approx(90, abs=1)

    play(body)


def test_a_server_that_hangs_from_the_first_byte_is_asked_again_and_again() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        api.hang_new = True
        await asyncio.sleep(900 - now())
        assert 9 <= api.count("watch") <= 11

    play(body)


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


BROKEN = [
    b'{"type":"ADDED","obj',
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"type":"MORE","object":{}}',
    b'{"type":["ADDED"],"object":[]}',
    b'{"type":"ADDED"}',
    b'{"type":"DELETED","object":{"metadata":{"name":5}}}',
]


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_line_costs_a_new_list_and_nothing_else(line: bytes) -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        api.swallow = 1
        api.put(PODS, pod("b"))
        api.cut(line)
        await until(lambda: watched.names == ["a", "b"])
        assert now() < 3
        assert isinstance(watched.troubles[0], ProtocolError)
        assert watched.troubles[-1] is None

    play(body)


@pytest.mark.parametrize("code", ["500", "504", '"x"', "null"])
def test_an_error_event_leads_to_a_new_list(code: str) -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        api.swallow = 1
        api.put(PODS, pod("b"))
        api.cut(b'{"type":"ERROR","object":{"kind":"Status","code":%s,"message":"no"}}' % code.encode())
        await until(lambda: watched.names == ["a", "b"])
        assert isinstance(watched.troubles[0], ApiError)

    play(body)


def test_a_line_that_is_too_long_is_the_same() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        api.fail_streams(ProtocolError("a line is longer than 1 byte"))
        await until(lambda: api.count("watch") == 2)
        assert api.asked[-1].query["sendInitialEvents"] == "true"

    play(body)


def test_an_outage_keeps_the_last_state_and_backs_off() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        api.down = True
        api.fail_streams(UnreachableError("reset"))
        await asyncio.sleep(120 - now())
        assert watched.names == ["a"]
        times = [each.at for each in api.asked[2:]]
        gaps = [round(after - before) for before, after in pairwise(times)]
        assert gaps == [2, 4, 8, 16, 24, 24, 24]
        api.put(PODS, pod("b"))
        api.down = False
        started = now()
        watched.reflector.kick()
        await until(lambda: watched.names == ["a", "b"])
        assert now() - started < 0.1, "the network is back: at once"
        assert watched.troubles[-1] is None

    play(body)


def test_a_kick_replaces_a_stream_that_may_be_dead() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        api.hang()
        api.put(PODS, pod("b"))
        watched.reflector.kick()
        await until(lambda: watched.names == ["a", "b"])
        assert now() < 1
        assert api.count("list") == 1
        # and it still has its inactivity limit
        api.hang()
        api.put(PODS, pod("c"))
        await until(lambda: "c" in watched.names)
        assert now() < 95

    play(body)


def test_kicks_at_any_moment_do_no_harm() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        for number in range(200):
            watched.reflector.kick()
            if number % 7 == 0:
                watched.reflector.relist()
            for _ in range(number % 5):
                await asyncio.sleep(0)
        api.put(PODS, pod("b"))
        await until(lambda: watched.names == ["a", "b"], limit=5)

    play(body)


def test_429_is_waited_for_as_asked() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        api.failures.append(ApiError("slow down", code=429, retry_after=20))
        api.cut()
        await until(lambda: api.count("watch") == 3)
        assert api.asked[-1].at - api.asked[-2].at == pytest.approx(20, abs=0.1)

    play(body)


def test_a_server_that_ends_watches_at_once_is_not_asked_in_a_loop() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        while now() < 60:
            api.cut()
            await asyncio.sleep(0.05)
        assert api.count("watch") < 12

    play(body)


def test_a_watch_that_ends_after_its_time_is_resumed_at_once() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        api.bookmarks = 60
        await asyncio.sleep(299 - now())
        api.cut()
        await until(lambda: api.count("watch") == 2)
        assert now() < 300
        assert api.count("list") == 1

    play(body)


def test_who_may_not_watch_polls_and_says_so_once() -> None:
    async def main() -> None:
        api = FakeApi()
        api.put(PODS, pod("a"))
        api.forbidden.add(("watch", "pods"))
        watched = Watched(api)
        await watched.reflector.prime()
        async with Background() as tasks:
            tasks.start(watched.reflector.run(), name="reflector")
            await asyncio.sleep(1 - now())
            api.put(PODS, pod("b"))
            api.delete(PODS, "a")
            await until(lambda: watched.names == ["b"])
            assert now() < 6.5
            await asyncio.sleep(100 - now())
            assert len(watched.polling) == 1
            assert isinstance(watched.polling[0], ForbiddenError)
            assert 18 <= api.count("list") <= 22
            api.forbidden.clear()
            await until(lambda: api.streams, limit=700)
            assert now() < 620, "rights change: watching is tried again"

    run_virtual(main())


def test_get_alone_is_enough_for_one_object() -> None:
    async def main() -> None:
        api = FakeApi()
        api.put(PODS, pod("a"))
        api.put(PODS, pod("b"))
        api.forbidden |= {("watch", "pods"), ("list", "pods")}
        watched = Watched(api, single="a")
        await watched.reflector.prime()
        assert api.verbs() == {("get", "a"): 1}
        async with Background() as tasks:
            tasks.start(watched.reflector.run(), name="reflector")
            await asyncio.sleep(1 - now())
            api.put(PODS, pod("a", ready=False))
            await until(lambda: not next(iter(watched.reflector.cache)).ready)
            api.delete(PODS, "a")
            await until(lambda: watched.names == [])
            api.put(PODS, pod("a", uid="second"))
            await until(lambda: watched.names == ["a"])
            assert len(watched.polling) == 1
            assert watched.troubles.count(None) == len(watched.troubles)

    run_virtual(main())


def test_one_object_is_watched_by_its_name() -> None:
    async def body(api: FakeApi, watched: Watched) -> None:
        await until(lambda: api.streams)
        assert api.asked[-1].path == PODS
        assert api.asked[-1].query["fieldSelector"] == "metadata.name=a"
        api.put(PODS, pod("b"))
        api.delete(PODS, "a")
        await until(lambda: watched.names == [])

    play(body, single="a")


def test_the_first_read_raises_what_the_server_says() -> None:
    async def main() -> None:
        api = FakeApi()
        with pytest.raises(NotFoundError, match='pods "nope" not found'):
            await Watched(api, single="nope").reflector.prime()
        api.forbidden.add(("list", "pods"))
        with pytest.raises(ForbiddenError):
            await Watched(api).reflector.prime()
        api.down = True
        with pytest.raises(UnreachableError):
            await Watched(api).reflector.prime()

    run_virtual(main())


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


class Silent(FakeApi):
    """One that takes requests and, while ``mute``, answers none of them."""

    mute = False

    async def get(self, path: str, query: Query = ()) -> Object:
        answer = await super().get(path, query)
        if self.mute:
            await asyncio.sleep(30)
            raise UnreachableError("silent for 30 s")
        return answer


@pytest.mark.parametrize("forbidden", [[("watch", "pods")], [("watch", "pods"), ("list", "pods")]])
def test_a_kick_ends_a_question_that_was_asked_before_the_network_went(forbidden: list[tuple[str, str]]) -> None:
    async def main() -> None:
        api = Silent()
        api.put(PODS, pod("a"))
        api.forbidden.update(forbidden)
        watched = Watched(api, single="a")
        await watched.reflector.prime()
        async with Background() as tasks:
            tasks.start(watched.reflector.run(), name="reflector")
            await asyncio.sleep(7)
            api.mute = True
            await asyncio.sleep(7)
            api.mute = False
            api.put(PODS, pod("a", ready=False))
            watched.moves()
            watched.reflector.kick()
            await asyncio.sleep(0.1)
            assert watched.moves() == ["~a"]
            assert watched.troubles in ([], [None]), "a kick is no trouble"

    run_virtual(main())


def test_doubts_let_a_long_list_end() -> None:
    """They may come more often than a list takes."""

    class Slow(FakeApi):
        async def get(self, path: str, query: Query = ()) -> Object:
            await asyncio.sleep(4)
            return await super().get(path, query)

    async def main() -> None:
        api = Slow()
        api.watch_list = "invalid"
        api.put(PODS, pod("a"))
        watched = Watched(api)
        async with Background() as tasks:
            tasks.start(watched.reflector.run(), name="reflector")
            for _ in range(4):
                await asyncio.sleep(2.5)
                watched.reflector.relist()
            assert watched.names == ["a"]

    run_virtual(main())
