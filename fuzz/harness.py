"""Runs one input against one engine and holds the engine to the invariant."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from fairlead.errors import ProtocolError
from fuzz.program import Program

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
SIZES = (1, 2, 3, 5, 7, 8, 13)
"""Bytes of the pieces of the second run, chosen by the input."""
SMALL, LARGE = 200, 997
"""So many bytes are cut in small pieces, what follows in large ones."""
PER_BYTE = 12
"""Bytes of memory that one byte of input may cost while it is taken in: answers and copies, with their objects."""


def engines() -> list[str]:
    return sorted(path.stem for path in (HERE / "targets").glob("[a-z]*.py"))


class Log(list[Any]):
    """A transcript that can be told to keep nothing, so that only the engine's own memory is measured."""

    def __init__(self, *, keep: bool) -> None:
        super().__init__()
        self.keep = keep

    def append(self, item: Any) -> None:
        if self.keep:
            super().append(item)


class Feed:
    """Hands an engine what a peer sent, whole or in pieces, and watches what that costs."""

    def __init__(self, log: Log, size: int, *, held: int, peak: int) -> None:
        self.log = log
        self._size = size
        self._held = held
        self._peak = peak
        self._base = 0
        self.measuring = False

    def measure(self) -> None:
        """Everything that is allocated from now on counts; call it when the engine is set up."""
        if tracemalloc.is_tracing():
            self.measuring = True
            self._base = tracemalloc.get_traced_memory()[0]

    def __call__(self, receive: Callable[[memoryview], object], wire: bytes, take: Callable[[], bytes]) -> bytes:
        if self.measuring:
            tracemalloc.reset_peak()
        for piece in self._pieces(wire):
            receive(memoryview(piece))
        answer = take()
        self.log.append(("answer", answer))
        if self.measuring:
            held, peak = (amount - self._base for amount in tracemalloc.get_traced_memory())
            held -= len(answer) + len(wire)
            assert held <= self._held, f"holds {held} bytes, more than {self._held}"
            most = self._peak + PER_BYTE * len(wire)
            assert peak <= most, f"held {peak} bytes while it took {len(wire)}, more than {most}"
        return answer

    def _pieces(self, wire: bytes) -> Iterator[bytes]:
        """Small ones, and large ones once there were many."""
        if not self._size:
            yield wire
            return
        for at in range(0, min(len(wire), SMALL), self._size):
            yield wire[at : min(at + self._size, SMALL)]
        for at in range(SMALL, len(wire), LARGE):
            yield wire[at : at + LARGE]


def check(name: str, data: bytes, *, everything: bool = True) -> None:
    """Run ``data`` whole, in pieces, and under a meter; AssertionError if the invariant breaks.

    While searching, the last two are done for a part of all inputs only, which the input itself decides.
    """
    target = import_module(f"fuzz.targets.{name}")
    chance = zlib.crc32(data)
    whole = run(target, data, 0, keep=True)
    if everything or chance % 4 == 0:
        pieces = run(target, data, SIZES[chance % len(SIZES)], keep=True)
        assert whole == pieces, f"in pieces it says something else:\n{_difference(whole, pieces)}"
    if everything or chance % 8 == 1:
        tracemalloc.start()
        try:
            run(target, data, 0, keep=False)
        finally:
            tracemalloc.stop()


def run(target: ModuleType, data: bytes, size: int, *, keep: bool) -> Log:
    """The transcript of one input, its frames cut in pieces of ``size`` bytes (0: whole)."""
    log = Log(keep=keep)
    try:
        target.play(Program(data), Feed(log, size, held=target.HELD, peak=target.PEAK))
    except ProtocolError as error:
        log.append(("error", str(error)))
    return log


def _difference(first: Log, second: Log) -> str:
    for left, right in zip(first, [*second, *[None] * len(first)], strict=False):
        if left != right:
            return f"  {left}\n  {right}"
    return f"  nothing\n  {second[len(first)]}"
