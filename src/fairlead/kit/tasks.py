"""The one way to start a task: it has a name, an owner that waits for it, and a reader for its exception.

``spawn`` starts a task in a group that the caller waits for to the end. ``Background`` owns tasks that have no end of
their own: it cancels what is left when its block is left. Both have the semantics of ``asyncio.TaskGroup``: an
exception in one task cancels its siblings and the body of the block, and comes out where the block ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from fairlead.errors import FairleadError

T = TypeVar("T")


def spawn(group: asyncio.TaskGroup, coro: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Start ``coro`` in ``group``; ``name`` is what logs and leak reports show."""
    return group.create_task(coro, name=name)


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel ``tasks`` and wait until they have ended; how they ended stays with their group."""
    waiting = [task for task in tasks if not task.done()]
    for task in waiting:
        task.cancel()
    if waiting:
        await asyncio.wait(waiting)


class Background:
    """An owner of tasks that are of use only while its block runs.

    Leaving the block cancels them and waits for their clean-up. One exception in all comes out as itself, several as
    an exception group. A task started while the block is being left is cancelled before its first step.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._leaving = False

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, coro: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Start ``coro`` as a task of this owner; may be called from a callback of the event loop."""
        task = spawn(self._group, coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._leaving:
            task.cancel()
        return task

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving = True
        for task in tuple(self._tasks):
            task.cancel()
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            if len(group.exceptions) > 1:
                raise
            only = group.exceptions[0]
        else:
            return
        if only is not error:
            raise only
        # Returning nothing lets the body's own exception go on, with its traceback as it was.


async def together(jobs: Sequence[tuple[Coroutine[Any, Any, T], str]]) -> list[T]:
    """Run named jobs at once: their results. The first FairleadError comes out as itself and ends the others."""
    failed: FairleadError | None = None
    tasks: list[asyncio.Task[T]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks += [spawn(group, job, name=name) for job, name in jobs]
    except* FairleadError as errors:
        # Not raised here: the first releases of Python 3.11 make a group of it again (gh-103590).
        failed = next(error for error in errors.exceptions if isinstance(error, FairleadError))
    if failed is not None:
        raise failed
    return [task.result() for task in tasks]
