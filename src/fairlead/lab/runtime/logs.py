"""Container logs as files, in the format of the Container Runtime Interface.

2026-01-02T03:04:05.123456789Z stdout F a line
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

MOST_LINE = 16 * 1024
"""Bytes of a line; a longer one is told in parts (P), of which the last is F."""
MOST_FILE = 4 << 20
"""Bytes of a file, which is in memory: then it becomes the one before, in the place of the last one before."""

_NAMES = {1: b"stdout", 2: b"stderr"}


class Lines:
    """Makes lines of the log from what was read of a container's streams."""

    def __init__(self) -> None:
        self._begun: dict[int, bytes] = {}

    def feed(self, stream: int, data: bytes, now: str) -> bytes:
        """The lines that are whole with it; at the end of the stream, where there is no data, what was left."""
        before = self._begun.pop(stream, b"")
        if not data:
            return self._line(stream, b"F", before, now) if before else b""
        *whole, rest = (before + data).split(b"\n")
        out = bytearray()
        for line in whole:
            line = self._parts(out, stream, line, now)
            out += self._line(stream, b"F", line, now)
        rest = self._parts(out, stream, rest, now)
        if rest:
            self._begun[stream] = rest
        return bytes(out)

    def _parts(self, out: bytearray, stream: int, line: bytes, now: str) -> bytes:
        """Write what is too long of a line; what is left of it."""
        while len(line) > MOST_LINE:
            out += self._line(stream, b"P", line[:MOST_LINE], now)
            line = line[MOST_LINE:]
        return line

    def _line(self, stream: int, tag: bytes, text: bytes, now: str) -> bytes:
        return b"%b %b %b %b\n" % (now.encode(), _NAMES[stream], tag, text)


def stamp(now: datetime) -> str:
    """RFC 3339 with nanoseconds, of which this clock has microseconds."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


class Log:
    """The log of one container: an Output. A full disk loses lines, and stops nobody."""

    def __init__(self, path: str, now: Callable[[], datetime]) -> None:
        self.path = path
        self._now = now
        self._lines = Lines()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._file = self._open()
        self._size = os.fstat(self._file).st_size

    def __call__(self, stream: int, data: bytes) -> None:
        """See Output."""
        text = self._lines.feed(stream, data, stamp(self._now()))
        if not text or self._file < 0:
            return
        if self._size and self._size + len(text) > MOST_FILE:
            self._rotate()
        try:
            self._size += os.write(self._file, text)
        except OSError:
            pass

    def close(self) -> None:
        """No more comes."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _rotate(self) -> None:
        os.close(self._file)
        os.replace(self.path, f"{self.path}.1")
        self._file = self._open()
        self._size = 0

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
