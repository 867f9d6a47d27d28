"""Logging to stderr, in kubectl's levels.

What a user needs is an event (``fairlead.model.events``) and is shown at any level. A log line is for whoever looks for
a reason: it never carries a token, a password, a key or a header that has one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from fairlead.policy.text import one_line

DECISION = logging.DEBUG
"""Why something was chosen or tried again; shown from ``-v 4``."""
REQUEST = 8
"""One request to the API server, one connection opened or closed; shown from ``-v 6``."""
HEADER = 6
"""Headers and frames, without secrets; shown from ``-v 8``."""
LONGEST = 16 * 1024
"""Characters of one line, which may have all the headers of an answer."""

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


class Log(logging.LoggerAdapter[logging.Logger]):
    """A logger with kubectl's levels."""

    def decision(self, msg: str, *args: object) -> None:
        """Log at ``-v 4``."""
        self.log(DECISION, msg, *args)

    def request(self, msg: str, *args: object) -> None:
        """Log at ``-v 6``."""
        self.log(REQUEST, msg, *args)

    def header(self, msg: str, *args: object) -> None:
        """Log at ``-v 8``."""
        self.log(HEADER, msg, *args)


def get(name: str) -> Log:
    """The logger of one module (``__name__``)."""
    return Log(logging.getLogger(name))


def level_of(verbosity: int) -> int:
    """The logging level for kubectl's ``-v``."""
    steps = ((8, HEADER), (6, REQUEST), (4, DECISION), (1, logging.INFO))
    return next((level for least, level in steps if verbosity >= least), logging.WARNING)


class _Formatter(logging.Formatter):
    """One line a record, whatever servers put into it; the lines of a traceback are indented, so that they show."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return one_line(super().formatMessage(record), LONGEST)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"    {' ' * (len(line) - len(line.lstrip(' ')))}{one_line(line, LONGEST)}" for line in lines)


class _Handler(logging.Handler):
    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record))
        except Exception:
            self.handleError(record)


def setup(verbosity: int, write: Callable[[str], None]) -> None:
    """Give the lines of fairlead and asyncio to ``write``, which must not block; called once, by the command line."""
    for number, name in ((DECISION, "decision"), (REQUEST, "request"), (HEADER, "header")):
        logging.addLevelName(number, name)
    handler = _Handler(write)
    handler.setFormatter(_Formatter("%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.getLogger("fairlead").setLevel(level_of(verbosity))


def safe_headers(headers: Iterable[tuple[str, str]]) -> str:
    """Headers as one line for a log; the values that are secrets are left out."""
    return "; ".join(f"{name}: {'(hidden)' if name.lower() in _SECRET_HEADERS else value}" for name, value in headers)
