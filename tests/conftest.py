"""Every test ends clean: no task, no error that only the event loop saw, no thread and no socket is left."""

from __future__ import annotations

import asyncio
import asyncio.runners
import gc
import logging
import signal
import threading
from collections.abc import Iterator

import pytest

from fairlead.helper import holders
from tests.support.leaks import LoopErrors, open_sockets

pytest_plugins = ["tests.support.commandline"]


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Undo what a command line set up: log.setup() sends everything to the stderr of its moment."""
    root, ours = logging.getLogger(), logging.getLogger("fairlead")
    handlers, level = root.handlers[:], ours.level
    yield
    root.handlers[:] = handlers
    ours.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def hangup_as_on_a_terminal() -> None:
    """Under nohup(1) SIGHUP is ignored, here and in every child, and what tests say of it would not hold."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that leaves a task, a loop error, a thread or a socket behind.

    ``asyncio.run`` cancels forgotten tasks silently, and errors in callbacks are only logged: both are caught here,
    however the test runs its loop.
    """
    forgotten: list[str] = []
    cancel_all = asyncio.runners._cancel_all_tasks  # type: ignore[attr-defined]

    def report_then_cancel(loop: asyncio.AbstractEventLoop) -> None:
        forgotten.extend(task.get_name() for task in asyncio.all_tasks(loop))
        cancel_all(loop)

    monkeypatch.setattr(asyncio.runners, "_cancel_all_tasks", report_then_cancel)
    errors = LoopErrors()
    logging.getLogger("asyncio").addHandler(errors)
    threads, sockets = set(threading.enumerate()), open_sockets()
    yield
    logging.getLogger("asyncio").removeHandler(errors)
    left = open_sockets() - sockets
    if left:
        gc.collect()  # closes what only a reference cycle kept, with the ResourceWarning that says what it was
        left = open_sockets() - sockets
    assert not forgotten, f"tasks left running: {forgotten}"
    assert not errors.lines, "errors seen by the event loop only:\n" + "\n".join(errors.lines)
    assert not left, f"sockets left open: {sorted(left)}"
    for thread in set(threading.enumerate()) - threads:
        thread.join(1)  # the one in which asyncio waited for a child process may still be returning
    assert set(threading.enumerate()) <= threads, "threads left running"


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds a port is looked for to the end: a busy machine may be slow to tell."""
    monkeypatch.setattr(holders, "SEARCH_LIMIT", 30.0)
