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


@pytest.mark.parametrize("known", [True, False], ids=["known to be gone", "asked"])
def test_what_is_silent_on_a_pod_that_is_gone_is_reset(run: Any, known: bool) -> None:
    async def main() -> None:
        async with serving(echo) as it:
            reader, writer = await it.echoed(b"hello")
            it.broken = GONE
            it.lanes.forget(backend(0).pod, gone=known)
            await reset(reader)
            assert it.aim.failures == ["the pod is gone"]
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
            it.lanes.forget(backend(0).pod, gone=True)
            async with asyncio.timeout(5):
                for _ in range(30):
                    writer.write(b"x")
                    assert await reader.readexactly(1) == b"x"
                    await asyncio.sleep(0.01)
            assert it.opened == opened
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
            opened = it.opened
            await asyncio.sleep(0.2)
            assert it.opened == opened
            first.close()
            second.close()

    run(main())
