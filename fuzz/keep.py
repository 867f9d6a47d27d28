"""Reduces inputs to few that together do all that they do: the steps from line to line within the engines."""

from __future__ import annotations

import shutil
import sys
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import fairlead.protocol
from fuzz.harness import CORPUS, run

ENGINES = str(Path(fairlead.protocol.__path__[0]))
Steps = set[tuple[str, int, int]]


def steps(name: str, data: bytes) -> Steps:
    """(code, line, next line) for all that the engines do with an input."""
    found: Steps = set()
    last: dict[int, int] = {}

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event in ("line", "return"):
            line = frame.f_lineno if event == "line" else 0
            found.add((frame.f_code.co_qualname, last.get(id(frame), 0), line))
            last[id(frame)] = line
        return local

    def called(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(ENGINES):
            return None
        last.pop(id(frame), None)
        return local

    target = import_module(f"fuzz.targets.{name}")
    sys.settrace(called)
    try:
        for size in (0, 1):
            run(target, data, size, keep=True)
    finally:
        sys.settrace(None)
    return found


def keep(name: str, folders: list[Path]) -> int:
    """Put the smallest inputs that add a step into the corpus, in place of what is there; returns how many."""
    inputs = {path.read_bytes() for folder in folders if folder.is_dir() for path in folder.iterdir()}
    done: Steps = set()
    chosen = []
    for data in sorted(inputs, key=lambda data: (len(data), data)):
        more = steps(name, data)
        if not more <= done:
            done |= more
            chosen.append(data)
    # Backwards once more: a later, richer one may have made an earlier one needless.
    done.clear()
    needed = []
    for data in reversed(chosen):
        more = steps(name, data)
        if not more <= done:
            done |= more
            needed.append(data)
    shutil.rmtree(CORPUS / name, ignore_errors=True)
    (CORPUS / name).mkdir(parents=True)
    for number, data in enumerate(reversed(needed)):
        (CORPUS / name / f"{number:03}").write_bytes(data)
    return len(needed)
