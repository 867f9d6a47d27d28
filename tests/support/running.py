"""A running ``fairlead``, seen from outside: its lines, its events, its end, and what it leaves."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, ClassVar, Self

from tests.support.world import within

FAIRLEAD = [os.environ.get("FAIRLEAD_PROGRAM", str(Path(sys.executable).with_name("fairlead")))]
START = 30.0
"""Seconds in which a forward gets ready on a busy machine; how fast it really is, the bench says."""
END = 1.0
"""Seconds in which everything is closed after a signal: promised."""

IN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes standard input the terminal whose keys are signals, then becomes the given command."""

Event = dict[str, Any]


class Lines:
    """What a pipe said, line by line, collected by a thread."""

    def __init__(self, pipe: IO[str], on_line: Callable[[str], None]) -> None:
        self._pipe = pipe
        self._on_line = on_line
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        for line in self._pipe:
            self._on_line(line.rstrip("\n"))
        self._pipe.close()


class Running:
    """A command with ``words``; ready at the start of the with block, ended and checked at its end.

    With ``json`` (as it is by default) ``events`` has what it told; otherwise ``out`` has its lines.
    """

    COMMAND: ClassVar[str]
    LISTENING: ClassVar[str]
    """The event that has an address and a port which it listens on."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        json: bool = True,
        env: Mapping[str, str] | None = None,
        ready: bool = True,
        wrap: Sequence[str] = (),
        text: str | None = None,
        stdin: int | IO[Any] = subprocess.DEVNULL,
    ) -> None:
        self.events: list[Event] = []
        self.out: list[str] = []
        self.err: list[str] = []
        self._json = json
        self._ready = ready
        self._changed = threading.Condition()
        self._folder = tempfile.TemporaryDirectory()
        self.ready_file = Path(self._folder.name) / "ready"
        command = [*wrap, *FAIRLEAD, self.COMMAND]
        cut = words.index("--") if "--" in words else len(words)
        more = ["-o", "json"] if json else ["--ready-file", str(self.ready_file)]
        command += [*words[:cut], *more, *words[cut:]]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
            env={**os.environ, "PYTHONWARNINGS": "default", **(env or {})},
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._threads = [Lines(self.process.stdout, self._stdout), Lines(self.process.stderr, self._stderr)]

    def _stdout(self, line: str) -> None:
        with self._changed:
            self.out.append(line)
            if self._json:
                self.events.append({**json.loads(line), "at": time.monotonic()})
            self._changed.notify_all()

    def _stderr(self, line: str) -> None:
        with self._changed:
            self.err.append(line)
            self._changed.notify_all()

    # -- start and end --

    def __enter__(self) -> Self:
        if self._ready:
            try:
                self.wait_ready()
            except BaseException:
                self.kill()
                raise
        return self

    def wait_ready(self, limit: float = START) -> None:
        """Wait for the ``ready`` event, or the ready file."""

        def ready() -> bool:
            gone = self.process.poll() is not None
            assert not gone, f"ended with {self.process.returncode}: {self.said()}"
            return bool(self.told("ready")) if self._json else self.ready_file.exists()

        within(limit, ready, f"ready ({self.said()})", pause=0.01)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.kill()
            error.add_note(f"fairlead said: {self.said()[-3000:]}")
            return
        if self.process.poll() is None:
            self.end()
        else:
            self.check_end()

    def end(self, number: signal.Signals = signal.SIGINT, code: int = 0) -> float:
        """Send a signal; it ends with ``code`` within END. The seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        try:
            self.process.wait(END)
        except subprocess.TimeoutExpired:
            self.kill()
            told = [f"{event['at'] - began:.2f} s" for event in self.told("ended")]
            raise AssertionError(f"not ended {END} s after {number.name} (told: {told}): {self.said()}") from None
        took = time.monotonic() - began
        self.check_end(code)
        return took

    def wait_end(self, code: int, limit: float) -> None:
        """It ends by itself with ``code``."""
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"not ended by itself within {limit} s: {self.said()}") from None
        self.check_end(code)

    def kill(self) -> None:
        """End it without any check."""
        self.process.kill()
        self.process.wait()
        for lines in self._threads:
            lines.thread.join(5)
        self._folder.cleanup()

    def check_end(self, code: int | None = None) -> None:
        """What holds after any end: the code, no traceback, and nothing of it is left."""
        for lines in self._threads:
            lines.thread.join(5)
        said, left = self.said(), self.ready_file.exists()
        self._folder.cleanup()
        if code is not None:
            assert self.process.returncode == code, f"ended with {self.process.returncode}, not {code}: {said}"
        assert "Traceback" not in said, said
        assert "a bug of fairlead" not in said, said
        assert "ResourceWarning" not in said, said
        assert not left, "the ready file is left"
        assert not session_of(self.process.pid), f"processes left: {session_of(self.process.pid)}"
        still = listeners().intersection(self.listening())
        assert not still, f"{still}: still listens"

    # -- what it says --

    def said(self) -> str:
        """All of it, for messages."""
        return "\n".join([*self.out, *self.err])

    def told(self, name: str, **fields: object) -> list[Event]:
        """The events of this name with these fields."""
        with self._changed:
            events = list(self.events)
        return [
            event
            for event in events
            if event["event"] == name and all(event.get(key) == value for key, value in fields.items())
        ]

    def wait_told(self, name: str, limit: float, count: int = 1, **fields: object) -> Event:
        """Wait for so many events of this name; the last of them."""
        deadline = time.monotonic() + limit
        while len(found := self.told(name, **fields)) < count:
            gone = self.process.poll()
            left = deadline - time.monotonic()
            assert left > 0, f"{name} {fields}: not {count} within {limit} s: {self.said()[-2000:]}"
            assert gone is None, f"ended with {gone} before {name}: {self.said()}"
            with self._changed:
                self._changed.wait(min(left, 0.1))
        return found[count - 1]

    def told_times(self, name: str, count: int, **fields: object) -> bool:
        """Whether it tells exactly so many events of this name; what is under way through the pipe is waited for."""
        if count:
            self.wait_told(name, 5, count, **fields)
        return len(self.told(name, **fields)) == count

    def wait_said(self, pattern: str, limit: float) -> str:
        """Wait for a line, on either stream, that the pattern is found in."""

        def look() -> str:
            with self._changed:
                return next((line for line in [*self.err, *self.out] if re.search(pattern, line)), "")

        found: str = within(limit, look, f"{pattern!r} ({self.said()[-2000:]})", pause=0.02)
        return found

    def listening(self) -> list[tuple[str, int]]:
        """Addresses and ports it says it listens on."""
        return [(event["address"], event["port"]) for event in self.told(self.LISTENING)]

    @property
    def descriptors(self) -> int:
        """How many descriptors the process has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def threads(self) -> int:
        """How many threads it has."""
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    @property
    def memory(self) -> int:
        """Bytes resident."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class Forward(Running):
    """``fairlead forward``."""

    COMMAND = "forward"
    LISTENING = "listening"

    def listening(self) -> list[tuple[str, int]]:
        """Addresses and ports it says it listens on."""
        if self._json:
            return super().listening()
        found = []
        for line in self.out:
            match = re.fullmatch(r"Forwarding from \[?([^\]]*?)\]?:(\d+) -> \d+", line)
            if match:
                found.append((match[1], int(match[2])))
        return found

    def port(self, remote: int) -> int:
        """The local port that leads to this remote one."""
        if self._json:
            return next(int(event["port"]) for event in self.told("listening") if event["remote"] == remote)
        lines = [line for line in self.out if line.endswith(f" -> {remote}")]
        return int(lines[0].split(" -> ")[0].rpartition(":")[2])


def session_of(leader: int) -> list[str]:
    """The processes that are still in the session of a process that we started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == leader and fields[0] != "Z":
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found


def listeners() -> set[tuple[str, int]]:
    """Every address and port that is listened on, by the kernel's own table (proc_net_tcp(5)), without connecting."""
    found = set()
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                address, _, number = fields[1].partition(":")
                # 32 bits at a time, each in the machine's order.
                words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
                found.add((socket.inet_ntop(family, struct.pack(f"{len(words)}I", *words)), int(number, 16)))
    return found


def listens(address: str, number: int) -> bool:
    """Whether somebody listens there."""
    return (address, number) in listeners()


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def below(pid: int) -> list[int]:
    """The processes that descend from this one."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [each for child in map(int, children) for each in (child, *below(child))]


def lives(pid: int) -> bool:
    """Whether it runs, and is not just waiting to be waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
