"""Runs that have a helper of their own, as processes that can be killed, and what they leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.world import within

RUN = """
import asyncio, json, os, sys
from fairlead.host.helper import Helper
from fairlead.policy.hostsblock import Entry

async def main(hosts, prefix):
    gone = asyncio.Event()
    helper = await Helper.start(hosts, prefix, os.environ, on_gone=lambda undone: gone.set())
    print(json.dumps({"ready": helper.pid}), flush=True)
    loop, number = asyncio.get_running_loop(), 0
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        names = json.loads(line)
        reply = await helper.hosts([Entry(address, tuple(each)) for address, each in names])
        print(json.dumps(reply), flush=True)
    await helper.close()

asyncio.run(main(sys.argv[1], sys.argv[2:]))
"""


class Run:
    """One main process with its helper."""

    def __init__(self, hosts: Path, folder: Path, prefix: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(hosts), *prefix],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "XDG_RUNTIME_DIR": ""},
        )
        self.helper = int(self.read()["ready"])

    def read(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def send(self, entries: Sequence[tuple[str, Sequence[str]]]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(entries) + "\n")
        self.process.stdin.flush()

    def names(self, entries: Sequence[tuple[str, Sequence[str]]]) -> Any:
        self.send(entries)
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
