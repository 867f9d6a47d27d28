"""What a run follows goes on, whatever fails."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.errors import MachineError
from fairlead.features.run.following import AGAIN, follow
from fairlead.model.events import Note
from tests.support.loop import now, run_virtual


class Work:
    """Fails as it is told to, and then goes on for ever."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.begun: list[float] = []
        self.told: list[Note] = []

    async def __call__(self) -> None:
        self.begun.append(now())
        if self.failures:
            raise self.failures.pop(0)
        await asyncio.Event().wait()

    def run(self) -> list[str]:
        async def main() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(100):
                    await follow(self, "look", self.told.append)

        run_virtual(main())
        return [note.text for note in self.told]


def test_what_fails_for_a_moment_is_begun_again() -> None:
    work = Work(OSError(24, "Too many open files"), MachineError("no"))
    assert work.run() == []
    assert work.begun == [0, AGAIN, 2 * AGAIN]


def test_what_lasts_is_told_once() -> None:
    full = [OSError("full") for _ in range(5)]
    work = Work(*full[:3], MachineError("no"), *full[3:])
    assert work.run() == ["cannot look: full; this is tried again"]
    assert work.told[0].warning


def test_a_bug_comes_out() -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await follow(Work(ZeroDivisionError()), "look", lambda note: None)

    run_virtual(main())
