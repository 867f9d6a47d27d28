"""What a test may leave behind, made visible."""

from __future__ import annotations

import logging
import os
import traceback


class LoopErrors(logging.Handler):
    """Collects what asyncio logs as an error: exceptions in callbacks, tasks destroyed while pending."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info else ""
        self.lines.append(record.getMessage() + "\n" + trace)


def open_sockets() -> set[str]:
    """The sockets this process has open, as the kernel names them (``socket:[inode]``)."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            name = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue  # the descriptor that listed the folder
        if name.startswith("socket:"):
            found.add(name)
    return found
