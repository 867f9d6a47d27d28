"""A reflector and a server that hangs, breaks off, says nonsense or is gone: asked again, never in a loop."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from fairlead.errors import ApiError, ProtocolError, UnreachableError
from fairlead.kit.tasks import Background
from fairlead.kube import reflector
from tests.support.fakeapi import FakeApi, Object, Query, until
from tests.support.loop import now, run_virtual
from tests.support.objects import PODS, pod
from tests.support.watched import Watched, play


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


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reflector keeps three objects."""
    monkeypatch.setattr(reflector, "MAX_OBJECTS", 3)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("watch_list", ["on", "invalid"])
def test_more_than_it_keeps_is_left_out_and_told(watch_list: str) -> None:
    """Whatever brings it; what is known goes on, and what fits later is found."""

    async def body(api: FakeApi, watched: Watched) -> None:
        api.watch_list = watch_list
        await until(lambda: api.streams)
        for name in "bcde":
            api.put(PODS, pod(name))
        await until(lambda: watched.crowded)
        assert watched.names == ["a", "b", "c"]
        api.put(PODS, pod("a", ready=False))
        await until(lambda: not next(iter(watched.reflector.cache)).ready)
        api.page = 2
        watched.reflector.relist()
        await until(lambda: api.count("list") + api.count("watch") > 3)
        await asyncio.sleep(1)
        assert watched.names == ["a", "b", "c"]
        api.delete(PODS, "a")
        await until(lambda: watched.names == ["b", "c"])
        api.delete(PODS, "d")
        api.cut()
        await until(lambda: watched.names == ["b", "c", "e"])
        assert watched.crowded == ["crowded"]
        assert watched.troubles == []

    play(body)
