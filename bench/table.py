"""Samples to text and to JSON. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.rows import Row
from bench.stats import Summary, ratio, summarize

OURS, BASE, FLOOR = "fairlead", "kubectl", "floor"


@dataclass(slots=True)
class Results:
    """What was measured: by row, by player, one sample a round (None where there is none)."""

    players: Sequence[str]
    base: str = BASE
    """The player that others are compared with."""
    ours: str = OURS
    """The player that has to reach the targets."""
    samples: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    load: dict[str, list[float]] = field(default_factory=dict)
    """The machine's load average (1 min) when a turn of a row's group began."""

    def add(self, rows: Sequence[Row], player: str, figures: Mapping[str, float]) -> None:
        """One turn's figures."""
        for row in rows:
            self.samples.setdefault(row.id, {}).setdefault(player, []).append(figures.get(row.id))

    def of(self, row: Row, player: str) -> list[float | None]:
        """Samples in the order of the rounds."""
        return self.samples.get(row.id, {}).get(player, [])

    def summary(self, row: Row, player: str) -> Summary | None:
        """Over all rounds."""
        return summarize([value for value in self.of(row, player) if value is not None])

    def ratio(self, row: Row, player: str, base: str) -> Summary | None:
        """Of two players in the same run."""
        return ratio(self.of(row, player), self.of(row, base))


def verdict(row: Row, results: Results) -> str:
    """``reached``, ``short``, ``?`` where a figure is missing, or nothing where there is no target."""
    ours, base = results.summary(row, results.ours), results.summary(row, results.base)
    checks: list[tuple[Summary | None, float]] = []
    if row.base is not None:
        checks.append((results.ratio(row, results.ours, results.base), row.base))
    if row.floor is not None:
        checks.append((results.ratio(row, results.ours, FLOOR), row.floor))
    if row.added is not None:
        limit = base.median + row.added if base is not None else math.nan
        checks.append((ours if base is not None else None, limit))
    if row.absolute is not None:
        checks.append((ours, row.absolute))
    if not checks:
        return ""
    if any(found is None for found, _ in checks):
        return "?"
    return "reached" if all(found and row.reached(found.median, target) for found, target in checks) else "short"


def render(rows: Sequence[Row], results: Results) -> str:
    """The table: a column for each player, then ratios, targets and verdicts."""
    peers = [name for name in results.players if name not in (results.ours, results.base, FLOOR)]
    head = ["measure", *results.players, f"ratio to {results.base}", "target", f"ratio to {FLOOR}", "target"]
    head += [f"{peer}/{results.base}" for peer in peers] + ["load", ""]
    lines = [head]
    for row in rows:
        line = [f"{row.label} ({row.unit}) [{row.id}]"]
        line += [_figure(results.summary(row, player), row.digits) for player in results.players]
        line += [
            _figure(results.ratio(row, results.ours, results.base), 2),
            _target(row, row.base, row.absolute, results.base),
        ]
        line += [_figure(results.ratio(row, results.ours, FLOOR), 2), _target(row, row.floor)]
        line += [_figure(results.ratio(row, peer, results.base), 2) for peer in peers]
        loads = results.load.get(row.group, [])
        line += [f"{min(loads):.1f}-{max(loads):.1f}" if loads else "", verdict(row, results)]
        lines.append(line)
    return _columns(lines)


def brief(row: Row, figures: Mapping[str, float]) -> str:
    """One figure of a turn, while the rest is still being measured."""
    return f"{figures[row.id]:.{row.digits}f} {row.unit}" if row.id in figures else "-"


def _target(row: Row, relative: float | None, absolute: float | None = None, base: str = "") -> str:
    if base and row.added is not None:
        return f"<= {base} + {row.added:g} {row.unit}"
    if relative is not None:
        return row.target(relative)
    return f"{row.target(absolute)} {row.unit}" if absolute is not None else ""


def _figure(summary: Summary | None, digits: int) -> str:
    if summary is None:
        return "-"
    median, low, high = (f"{value:.{digits}f}" for value in (summary.median, summary.low, summary.high))
    return median if low == high else f"{median} ({low}-{high})"


def _columns(lines: Sequence[Sequence[str]]) -> str:
    used = [index for index in range(len(lines[0])) if any(line[index] not in ("", "-") for line in lines[1:])]
    widths = {index: max(len(line[index]) for line in lines) for index in used}
    return "\n".join("  ".join(line[index].ljust(widths[index]) for index in used).rstrip() for line in lines)


def as_json(rows: Sequence[Row], results: Results, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, samples included."""
    return {
        "version": 1,
        **facts,
        "rows": [
            {
                "id": row.id,
                "label": row.label,
                "unit": row.unit,
                "targets": {results.base: row.base, "floor": row.floor, "absolute": row.absolute, "added": row.added},
                "samples": results.samples.get(row.id, {}),
                "ratios": {
                    base: found.median
                    for base in (results.base, FLOOR)
                    if (found := results.ratio(row, results.ours, base)) is not None
                },
                "load": results.load.get(row.group, []),
                "verdict": verdict(row, results),
            }
            for row in rows
        ],
    }
