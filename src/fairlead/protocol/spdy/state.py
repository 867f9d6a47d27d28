"""What may happen to a stream, as one table (SPDY Draft 3.1, section 2.3).

A stream is two halves. Ours says what we may send, theirs what we may receive. A (half, input) pair that is missing
from the table is an error of whoever made the input: a stream error for the peer, a bug for us.
"""

from __future__ import annotations

from enum import Enum, auto


class Half(Enum):
    """One direction of a stream."""

    SILENT = auto()
    """SYN_REPLY has not been sent in this direction: the acceptor's half before its reply."""
    OPEN = auto()
    DONE = auto()
    """FIN has been sent in this direction, or the stream was reset."""


class Input(Enum):
    """What moves a half."""

    REPLY = auto()
    DATA = auto()
    FIN = auto()
    RESET = auto()


TRANSITIONS: dict[tuple[Half, Input], Half] = {
    (Half.SILENT, Input.REPLY): Half.OPEN,
    (Half.SILENT, Input.RESET): Half.DONE,
    (Half.OPEN, Input.DATA): Half.OPEN,
    (Half.OPEN, Input.FIN): Half.DONE,
    (Half.OPEN, Input.RESET): Half.DONE,
    # A peer that resets a stream may not know yet that we ended it, and the other way round.
    (Half.DONE, Input.RESET): Half.DONE,
}
