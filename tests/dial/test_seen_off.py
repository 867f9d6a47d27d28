"""Connections to a pod that takes no new ones: they go on while it is there, and are reset once it is gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fairlead.dial import pool
from fairlead.errors import NotFoundError, UnreachableError
from tests.support.dialled import Rig, backend, serving
from tests.support.podprograms import echo

GONE = NotFoundError('pods "pod" not found', code=404, reason="NotFound")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "SEE_OFF", 0.05)
    monkeypatch.setattr(pool, "SEE_OFF_AT_MOST", 0.05)


async def reset(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def asked(it: Rig, times: int) -> None:
    """Whether it is still there was asked so often from now on."""
    before = it.opened
    await it.until(lambda: it.opened >= before + times)


def test_what_is_silent_on_a_pod_that_is_gone_is_reset(run: Any) -> None:
    async def main() -> None:
        async with serving(echo) as it:
            reader, writer = await it.echoed(b"hello")
            it.broken = GONE
            it.lanes.forget(backend(0).pod)
            await reset(reader)
            assert it.aim.failures == ["the pod is gone"]
            writer.close()

    run(main())


@pytest.mark.parametrize("first", ["left", "came", "neither"])
def test_a_pod_whose_name_another_has_is_gone(run: Any, first: str) -> None:
    """As those of a StatefulSet are replaced: whether the name is known says nothing of the old one."""

    async def main() -> None:
        async with serving(echo) as it:
            reader, writer = await it.echoed(b"hello")
            old = backend(0).pod
            new = old._replace(uid="another")
            if first == "came":
                it.lanes.meet(new)
            it.lanes.moved({old}, {new} if first == "neither" else set())
            if first == "left":
                it.lanes.meet(new)
            await reset(reader)
            assert it.aim.failures == ["the pod is gone"]
            writer.close()

    run(main())


def test_a_pod_is_not_gone_since_it_is_met_again_or_one_elsewhere_is(run: Any) -> None:
    async def main() -> None:
        async with serving(echo) as it:
            _, writer = await it.echoed(b"hello")
            pod = backend(0).pod
            it.lanes.meet(pod)
            it.lanes.meet(pod._replace(namespace="elsewhere", uid="another"))
            it.lanes.forget(pod)
            await asked(it, 2)
            assert not it.lanes._pods[pod].gone
            writer.close()

    run(main())


def test_it_goes_on_while_the_pod_is_there(run: Any) -> None:
    async def main() -> None:
        async with serving(echo) as it:
            reader, writer = await it.echoed(b"hello")
            it.lanes.forget(backend(0).pod)
            await asked(it, 3)
            it.broken = UnreachableError("nobody knows")
            await asked(it, 3)
            writer.write(b"still")
            assert await reader.readexactly(5) == b"still"
            writer.close()

    run(main())


def test_one_that_is_busy_is_not_asked_about(run: Any) -> None:
    """A pod that was deleted by force may go on for as long as it takes to end it."""

    async def main() -> None:
        async with serving(echo) as it:
            reader, writer = await it.echoed(b"hello")
            opened = it.opened
            it.broken = GONE
            looks: asyncio.Queue[asyncio.Event] = asyncio.Queue()

            async def until_told(seconds: float) -> None:
                looks.put_nowait(told := asyncio.Event())
                await told.wait()

            it.sleep = until_told
            it.lanes.forget(backend(0).pod)
            look = await looks.get()
            async with asyncio.timeout(5):
                for _ in range(5):
                    writer.write(b"x")
                    assert await reader.readexactly(1) == b"x"
                    look.set()
                    look = await looks.get()
            assert it.opened == opened
            look.set()
            await reset(reader)
            writer.close()

    run(main())


def test_a_pod_that_takes_connections_again_is_not_asked_about(run: Any) -> None:
    async def main() -> None:
        async with serving(echo) as it:
            _, first = await it.echoed(b"hello")
            it.lanes.forget(backend(0).pod)
            await asked(it, 1)
            _, second = await it.echoed(b"back")
            assert it.lanes._pods[backend(0).pod].leaving is None
            first.close()
            second.close()

    run(main())
