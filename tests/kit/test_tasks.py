from __future__ import annotations

import asyncio

import pytest

from fairlead.kit.tasks import Background, spawn, stop
from tests.support.loop import now, run_virtual


async def fail_after(seconds: float, error: Exception) -> None:
    await asyncio.sleep(seconds)
    raise error


async def for_ever(log: list[str], name: str = "task", clean_up: float = 0.0) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(clean_up)
        log.append(f"{name} ended at {now()}")


def test_spawn_names_the_task_and_gives_its_result() -> None:
    async def answer() -> int:
        return 42

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            task = spawn(group, answer(), name="deep thought")
        assert (task.get_name(), task.result()) == ("deep thought", 42)

    run_virtual(main())


def test_leaving_cancels_what_is_left_and_waits_for_its_clean_up() -> None:
    log: list[str] = []

    async def main() -> None:
        async with Background() as background:
            background.start(for_ever(log, "a", clean_up=2), name="a")
            background.start(for_ever(log, "b", clean_up=1), name="b")
            await asyncio.sleep(10)
            assert len(background) == 2
        assert (log, len(background), now()) == (["b ended at 11.0", "a ended at 12.0"], 0, 12.0)

    run_virtual(main())


def test_an_exception_in_one_task_ends_body_and_siblings_at_once_and_comes_out_as_itself() -> None:
    log: list[str] = []

    async def main() -> None:
        with pytest.raises(LookupError, match="gone"):
            async with Background() as background:
                background.start(for_ever(log), name="sibling")
                background.start(fail_after(3, LookupError("gone")), name="failing")
                await for_ever(log, "body")
        assert (log, now()) == (["task ended at 3.0", "body ended at 3.0"], 3.0)

    run_virtual(main())


def test_the_exception_of_the_body_comes_out_as_itself() -> None:
    log: list[str] = []
    error = LookupError("body")

    async def main() -> None:
        with pytest.raises(LookupError) as caught:
            async with Background() as background:
                background.start(for_ever(log), name="task")
                await asyncio.sleep(1)
                raise error
        assert caught.value is error
        assert log == ["task ended at 1.0"]

    run_virtual(main())


def test_several_exceptions_come_out_as_a_group() -> None:
    async def clean_up_badly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("second")

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            async with Background() as background:
                background.start(clean_up_badly(), name="bad")
                background.start(fail_after(1, LookupError("first")), name="failing")
                await asyncio.Event().wait()
        assert [str(error) for error in caught.value.exceptions] == ["first", "second"]

    run_virtual(main())


def test_cancelling_the_owner_cancels_its_tasks_and_stays_a_cancellation() -> None:
    log: list[str] = []

    async def own() -> None:
        async with Background() as background:
            background.start(for_ever(log, clean_up=1), name="task")
            await asyncio.Event().wait()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            owner = spawn(group, own(), name="owner")
            await asyncio.sleep(5)
            await stop(owner)
            assert owner.cancelled()
            assert (log, now()) == (["task ended at 6.0"], 6.0)

    run_virtual(main())


def test_a_task_started_while_leaving_never_takes_a_step() -> None:
    log: list[str] = []

    async def main() -> None:
        async with Background() as background:

            async def start_another() -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    background.start(for_ever(log, "late"), name="late")

            background.start(start_another(), name="starter")
            await asyncio.sleep(1)
        assert (log, now()) == ([], 1.0)

    run_virtual(main())


def test_stop_waits_for_clean_up_and_leaves_the_siblings_alone() -> None:
    log: list[str] = []

    async def main() -> None:
        async with Background() as background:
            first = background.start(for_ever(log, "first", clean_up=1), name="first")
            second = background.start(for_ever(log, "second"), name="second")
            await asyncio.sleep(1)
            await stop(first)
            assert (log, now(), second.done()) == (["first ended at 2.0"], 2.0, False)
            await stop(first)

    run_virtual(main())
