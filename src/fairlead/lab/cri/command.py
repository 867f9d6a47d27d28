"""A process and its client, joined; SPDY and WebSocket clients differ in how they say the same. The end is a Status."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fairlead.errors import FairleadError
from fairlead.kit import log
from fairlead.lab.cri.hold import BLOCKED
from fairlead.lab.cri.pipes import Sink, Source
from fairlead.lab.cri.process import Process
from fairlead.net.buffer import ReadBuffer

MOST_RESIZE = 1024
"""Bytes of a size that is not complete; one has some thirty."""
_EOT = b"\x04"

_log = log.get(__name__)

Status = dict[str, Any]
SUCCESS: Status = {"metadata": {}, "status": "Success"}


@dataclass(frozen=True)
class Wanted:
    """The streams that the client asked for."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False


class CommandClient(Protocol):
    """The client's side."""

    def output(self, name: str, buffer: memoryview, start: int, end: int) -> None:
        """Send what was written to "stdout" or "stderr"; HEADROOM bytes before ``start`` may be written to."""

    def output_end(self, name: str) -> None:
        """There will be no more of it."""

    def done(self, status: Status) -> None:
        """All is over, with this."""

    def read_input(self, *, wanted: bool) -> None:
        """Read from the client or not."""


class Command:
    """One process for one client. ``start`` gives it; ``tells_code`` says whether its exit code matters (exec)."""

    def __init__(
        self,
        start: Callable[[], Awaitable[Process]],
        wanted: Wanted,
        client: CommandClient,
        buffer: ReadBuffer,
        *,
        tells_code: bool,
    ) -> None:
        self._start = start
        self._wanted = wanted
        self._client = client
        self._buffer = buffer
        self._tells_code = tells_code
        self._process: Process | None = None
        self._early = bytearray()
        self._input_ended = False
        self._sink: Sink | None = None
        self._sources: dict[str, Source] = {}
        self._silent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lost = False
        self._paused = False
        self._size = bytearray()
        self._last_size: tuple[int, int] | None = None

    async def run(self) -> None:
        """From the start of the process to its end, which the client is told."""
        try:
            process = await self._start()
        except (FairleadError, OSError) as error:
            self._client.done(failure(error.what if isinstance(error, FairleadError) else str(error)))
            return
        self._process = process
        try:
            self._join(process)
            if self._lost:
                process.leave()
            code = await process.wait()
            await self._silent
        except FairleadError as error:
            self._client.done(failure(error.what))
        else:
            self._client.done(exit_status(code) if self._tells_code else SUCCESS)
        finally:
            process.leave()
            self._close()

    # -- what the client's side tells --

    def stdin(self, data: memoryview) -> None:
        """Bytes for its standard input."""
        if self._process is None:
            self._early += data
            if len(self._early) > BLOCKED:
                self._client.read_input(wanted=False)
        elif self._sink is not None:
            self._sink.write(data)

    def stdin_end(self) -> None:
        """No more of them. A terminal is told by the key that means so."""
        self._input_ended = True
        if self._process is None or self._sink is None:
            return
        if self._process.tty:
            self._sink.write(memoryview(_EOT))
        else:
            self._sink.end()

    def resize(self, data: memoryview) -> None:
        """Sizes of the client's terminal, as JSON, one after another."""
        self._size += data
        sizes, rest = parse_sizes(bytes(self._size))
        self._size = bytearray(rest[:MOST_RESIZE])
        if sizes:
            self._last_size = sizes[-1]
            if self._process is not None:
                self._process.resize(*sizes[-1])

    def pause(self) -> None:
        """The client takes no more for now."""
        self._paused = True
        for source in self._sources.values():
            source.pause()

    def resume(self) -> None:
        """It takes more."""
        self._paused = False
        for source in self._sources.values():
            source.resume()

    def lost(self) -> None:
        """The client is gone."""
        self._lost = True
        if self._process is not None:
            self._process.leave()
        self._close()

    # -- inside --

    def _join(self, process: Process) -> None:
        if self._last_size is not None:
            process.resize(*self._last_size)
        if process.stdin is not None:
            self._sink = Sink(
                process.stdin,
                blocked=lambda: self._client.read_input(wanted=False),
                drained=lambda: self._client.read_input(wanted=True),
            )
            if not self._wanted.stdin and not process.tty:
                self._sink.end()
        early, self._early = self._early, bytearray()
        if len(early) > BLOCKED:
            self._client.read_input(wanted=True)
        if self._sink is not None and early:
            self._sink.write(memoryview(early))
        if self._input_ended:
            self.stdin_end()
        for name, descriptor in (("stdout", process.stdout), ("stderr", process.stderr)):
            if descriptor is not None:
                self._add(name, descriptor, wanted=getattr(self._wanted, name))
        if self._lost:
            self._close()
        self._look_silent()

    def _add(self, name: str, descriptor: int, *, wanted: bool) -> None:
        def taken(buffer: memoryview, start: int, end: int) -> None:
            if wanted:
                self._client.output(name, buffer, start, end)

        def ended() -> None:
            del self._sources[name]
            if wanted:
                self._client.output_end(name)
            self._look_silent()

        source = self._sources[name] = Source(descriptor, self._buffer, taken, ended)
        if self._paused:
            source.pause()

    def _look_silent(self) -> None:
        if not self._sources and not self._silent.done():
            self._silent.set_result(None)

    def _close(self) -> None:
        for source in self._sources.values():
            source.close()
        self._sources.clear()
        if self._sink is not None:
            self._sink.close()
        self._look_silent()


def parse_sizes(data: bytes) -> tuple[list[tuple[int, int]], bytes]:
    """The (columns, rows) of the complete JSON objects in ``data``, and what follows the last; nonsense is skipped."""
    sizes: list[tuple[int, int]] = []
    while True:
        head, brace, rest = data.partition(b"}")
        if not brace:
            return sizes, data
        data = rest
        try:
            size = json.loads(head + brace)
            columns, rows = int(size["Width"]), int(size["Height"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if 0 < columns < 65536 and 0 < rows < 65536:
            sizes.append((columns, rows))


def exit_status(code: int) -> Status:
    """What v4 and later clients are told of an exit code."""
    if not code:
        return SUCCESS
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failure(what: str) -> Status:
    """What they are told if there was no process to run, or it was lost."""
    text = f"error executing command in container: {what}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {text}",
        "reason": "InternalError",
        "details": {"causes": [{"message": text}]},
        "code": 500,
    }


def encoded(status: Status, *, as_json: bool) -> bytes:
    """The last words on the error stream: JSON from v4 on, before that the message alone, and nothing for success."""
    if as_json:
        return json.dumps(status, separators=(",", ":")).encode()
    return str(status.get("message", "")).encode()
