"""Runs that have a helper of their own, as processes that can be killed, and what they leave."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fairlead.policy.hostsblock import blocks
from tests.support import helperprogram
from tests.support.world import within

PROGRAM = Path(helperprogram.__file__)
Names = Sequence[tuple[str, Sequence[str]]]


class Run:
    """One main process with its helper; ``wrap`` is the command before its own."""

    def __init__(self, hosts: Path | str, folder: Path, wrap: Sequence[str] = ()) -> None:
        folders = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "XDG_RUNTIME_DIR": ""}
        env = {name: value for name, value in os.environ.items() if name != "SUDO_UID"}
        self.process = subprocess.Popen(
            [*wrap, sys.executable, str(PROGRAM), str(hosts)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**env, **folders},
        )
        self.helper = int(self.read()["ready"])

    def read(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def send(self, **words: Any) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(words) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            assert self.process.stdout is not None
            raise AssertionError(f"it has ended, and said: {self.process.stdout.read()[-1000:]}") from None

    def names(self, entries: Names) -> Any:
        self.send(hosts=entries)
        return self.read()

    def kill(self, *, main: bool = True, helper: bool = False) -> None:
        """SIGKILL; waits for the end of the main process."""
        if helper:
            try:
                os.kill(self.helper, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if main:
            self.process.kill()
            self.process.wait()

    def close(self) -> int:
        """End it in an orderly way; its exit code."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        return self.process.wait(20)

    def wait_helper_gone(self, limit: float = 10) -> None:
        within(limit, lambda: not os.path.exists(f"/proc/{self.helper}"), "the helper's end", pause=0.005)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill(helper=True)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                pass


def kill_one_of_two(hosts: Path, seed: int, start: Callable[[], Run]) -> None:
    """Kill a main process, its helper or both at some moment, while names change and others write, a second run too.

    The second run goes on, and in the end the file has what it had, and what others wrote.
    """
    chance = random.Random(seed)
    main, helper = chance.choice([(True, False), (False, True), (True, True)])
    before = hosts.read_bytes()
    with start() as steady, start() as victim:
        steady.names([("127.50.0.1", ["steady"])])
        until, changes = time.monotonic() + chance.uniform(0, 0.06), 0
        while time.monotonic() < until:
            changes += 1
            victim.send(hosts=[("127.44.5.6", [f"n{changes}-{each}" for each in range(chance.randrange(1, 40))])])
            if chance.random() < 0.3:
                with open(hosts, "ab") as file:
                    file.write(b"\n10.7.7.%d more" % changes)
        victim.kill(main=main, helper=helper)
        if helper:
            victim.kill(helper=True)
            assert steady.names([("127.50.0.1", ["steady", "still"])])["left"] == []
        else:
            victim.wait_helper_gone()
        assert [block.owner.pid for block in blocks(hosts.read_bytes())] == [steady.process.pid]
        assert steady.close() == 0
    after = hosts.read_bytes()
    assert after.startswith(before)
    assert all(not line or line.startswith(b"10.7.7.") for line in after.removeprefix(before).split(b"\n"))
