"""The one place that tries uvloop: twice the new connections a second and a tenth less CPU per GB, where it exists."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Coroutine
from typing import Any, TypeVar

from fairlead.kit import log

T = TypeVar("T")

TURNS = 4
"""Abort, TLS' own transport, TCP's, and the handle below it: each is closed one turn after the one before."""

_log = log.get(__name__)


def run(main: Coroutine[Any, Any, T], *, debug: bool = False) -> T:
    """Run ``main`` to its end on the fastest loop at hand."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        factory: Any = None
    else:
        factory = new_event_loop
    with asyncio.Runner(debug=debug, loop_factory=factory) as runner:
        runner.get_loop().set_exception_handler(_log_error)
        return runner.run(_settled(main))


async def _settled(main: Coroutine[Any, Any, T]) -> T:
    """What was aborted last is closed in the loop's next turns, and uvloop refuses to be closed before."""
    try:
        return await main
    finally:
        for _ in range(TURNS):
            await asyncio.sleep(0)


def _log_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What went wrong in a callback with nobody to tell: for whoever looks, not for the user's terminal.

    A network's error may end here, also as uvloop has it for a TLS connection that ended before its handshake began;
    anything else is a mistake of ours. Python shows a ResourceWarning only to those
    who ask for it (PYTHONWARNINGS), as the tests do.
    """
    error = context.get("exception")
    _log.log(log.DECISION, "event loop: %s", context.get("message"), exc_info=error)
    if not isinstance(error, OSError) and not _ended_before_tls(context):
        warnings.warn(f"event loop: {context.get('message')}: {error!r}", ResourceWarning, stacklevel=2)


def _ended_before_tls(context: dict[str, Any]) -> bool:
    """Whether uvloop's own TLS layer met a transport that was closed before it was begun."""
    return isinstance(context.get("exception"), RuntimeError) and "SSLProtocol.connection_made" in str(
        context.get("message")
    )
