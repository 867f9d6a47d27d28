"""The rows of the table: what is measured, in which unit, and what is to be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import BenchError


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. Targets are None where the figure is only reported."""

    id: str
    group: str
    """Measured together, in one go."""
    label: str
    unit: str
    more: bool
    """More is better."""
    digits: int = 0
    base: float | None = None
    """Target: ratio to what it is compared with in the same run: kubectl, or kubefwd."""
    floor: float | None = None
    """Target: ratio to the floor client in the same run."""
    absolute: float | None = None
    """Target in the row's own unit."""
    added: float | None = None
    """Target: at most so much more than what it is compared with, in the row's own unit."""

    def reached(self, value: float, target: float) -> bool:
        """Whether ``value`` is at the target or on the better side of it."""
        return value >= target if self.more else value <= target

    def target(self, number: float) -> str:
        """A target as it is printed."""
        return f"{'>=' if self.more else '<='} {number:g}"


ROWS = (
    Row("down1", "down1", "download, one stream", "MB/s", True, base=1.5),
    Row("cpu-down", "down1", "client CPU per GB down", "s/GB", False, 2, base=0.6),
    Row("down8", "down8", "download, eight streams", "MB/s", True, base=1.3),
    Row("up1", "up1", "upload, one stream", "MB/s", True, base=1.2),
    Row("cpu-up", "up1", "client CPU per GB up", "s/GB", False, 2),
    Row("get-p50", "seq", "new connection + small GET, p50", "ms", False, 2, base=0.6),
    Row("get-p99", "seq", "the same, p99", "ms", False, 2),
    Row("seq", "seq", "new connections, sequential", "/s", True, base=1.7),
    Row("cpu-seq", "seq", "client CPU per connection", "ms", False, 2),
    Row("burst", "burst", "new connections, 50 at once", "/s", True, base=1.3, floor=0.8),
    Row("start", "start", "start to first byte", "s", False, 3, base=2.0),
    Row("idle", "start", "resident memory, idle", "MB", False, base=0.8),
    Row("idle-uss", "start", "  of it its own (USS)", "MB", False),
    Row("held", "start", "resident memory, 500 open", "MB", False),
    Row("held-uss", "start", "  of it its own (USS)", "MB", False),
    Row("version", "version", "the command `version`", "ms", False, absolute=80),
)


def choose(words: Sequence[str], rows: Sequence[Row] = ROWS) -> tuple[Row, ...]:
    """The rows with these ids, or of these groups; all rows if no word is given."""
    return tuple(row for row in rows if not words or row.id in words or row.group in words)


def check(words: Sequence[str], rows: Sequence[Row]) -> None:
    """Raise BenchError for a word that names none of these rows."""
    known = {row.id for row in rows} | {row.group for row in rows}
    for word in words:
        if word not in known:
            raise BenchError(f"there is no row {word!r}; there are {', '.join(row.id for row in rows)}")
