"""A reflector with few rights, or for one object."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.errors import ForbiddenError, NotFoundError, UnreachableError
from fairlead.kit.tasks import Background
from tests.support.fakeapi import FakeApi, until
from tests.support.loop import now, run_virtual
from tests.support.objects import PODS, pod
from tests.support.watched import Watched, play


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
