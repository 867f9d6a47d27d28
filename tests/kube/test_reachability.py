"""When the API server counts as lost, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fairlead.errors import MachineError, UnreachableError
from fairlead.kit.tasks import Background
from fairlead.kube.reachability import PROBE_EVERY, Reachability
from tests.support.loop import run_virtual


class Watched:
    """A ``Reachability`` whose probe raises ``failure``, and what it told."""

    def __init__(self, tasks: Background) -> None:
        self.failure: Exception | None = None
        self.told: list[str] = []
        self.probes = 0
        self.reach = Reachability(
            tasks,
            self._probe,
            on_lost=lambda reason: self.told.append(f"lost: {reason}"),
            on_back=lambda after: self.told.append(f"back after {after:g}"),
        )

    async def _probe(self, timeout: float) -> None:
        self.probes += 1
        if self.failure is not None:
            raise self.failure


def scene(main: Callable[[Watched], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with Background() as tasks:
            await main(Watched(tasks))

    run_virtual(inside())


def test_lost_and_back_are_told_once_each() -> None:
    async def main(it: Watched) -> None:
        it.failure = UnreachableError("refused")
        it.reach.suspect("a lane broke")
        it.reach.suspect("another one")
        await asyncio.sleep(3 * PROBE_EVERY - 1)
        assert not it.reach.up
        assert it.probes == 3
        it.failure = None
        await it.reach.wait_up()
        assert it.told == ["lost: a lane broke", f"back after {3 * PROBE_EVERY:g}"]

    scene(main)


def test_a_server_that_answers_is_not_lost() -> None:
    async def main(it: Watched) -> None:
        it.reach.suspect("a lane broke")
        await asyncio.sleep(10)
        assert it.told == []
        assert it.probes == 1

    scene(main)


def test_a_probe_without_a_descriptor_says_nothing_about_the_server() -> None:
    async def main(it: Watched) -> None:
        it.failure = MachineError("all files are open")
        it.reach.suspect("a lane broke")
        await asyncio.sleep(10)
        assert it.reach.up
        assert it.told == []
        assert it.probes == 1

    scene(main)


def test_a_lost_server_is_not_back_because_there_are_no_descriptors() -> None:
    async def main(it: Watched) -> None:
        it.failure = UnreachableError("refused")
        it.reach.suspect("a lane broke")
        await asyncio.sleep(1)
        it.failure = MachineError("all files are open")
        await asyncio.sleep(10)
        assert not it.reach.up
        assert it.told == ["lost: a lane broke"]

    scene(main)
