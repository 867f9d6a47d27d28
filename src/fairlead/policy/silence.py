"""A lane that does not answer a ping: dead, or only blocked by somebody who does not read? A table, and its inputs.

A ping travels behind everything else on its lane, so a program or a pod that stops reading holds it up. TCP's own
state tells a peer that acknowledges nothing from one whose window is full; a second lane to the same pod tells whether
the pod and the way to it are there.
"""

from __future__ import annotations

import struct
from enum import Enum, auto
from typing import NamedTuple

MUCH = 64 * 1024
"""Bytes sent since the last pong that a pod which does not read may keep on the way: its runtime alone buffers more."""
UNACKNOWLEDGED = 2.0
"""Seconds without one acknowledgement, while the kernel sends again, after which the peer counts as silent."""


class Sent(Enum):
    """What was sent since the last ping that was answered, pings not counted."""

    NOTHING = auto()
    LITTLE = auto()
    MUCH = auto()
    """MUCH bytes or more, or some that even our own kernel has not taken."""


class Kernel(Enum):
    """What the kernel knows of the other end of the connection."""

    UNKNOWN = auto()
    """It cannot be asked here."""
    ACKNOWLEDGES = auto()
    """What was sent is acknowledged, or was sent a moment ago."""
    FULL = auto()
    """Its window is closed, and it says so when probed."""
    SILENT = auto()
    """Sent again and again, or probed, and not acknowledged."""


class Other(Enum):
    """What became of the question on another lane to the same pod."""

    NOT_ASKED = auto()
    ANSWERED = auto()
    FAILED = auto()
    """The API server or the pod is not there."""
    UNDECIDED = auto()
    """It could not be asked, for a reason that says nothing of the pod: no descriptors, an expired token."""


class Silence(NamedTuple):
    """One lane."""

    overdue: bool
    """A ping was missed, and nothing else was heard meanwhile."""
    riders: bool
    """Somebody uses it."""
    reading: bool
    """False while we hold it because a local program does not read: then no pong can be seen."""
    sent: Sent
    kernel: Kernel
    other: Other = Other.NOT_ASKED


class Verdict(Enum):
    """What is done about a missed ping; it is asked again at the next one."""

    WAIT = auto()
    """It still has its time to answer."""
    DEAD = auto()
    ASK = auto()
    """Ask on another lane to the same pod, then decide again."""
    BLOCKED = auto()
    """It goes on, without new connections."""


ANY = None
_S, _K, _O = Sent, Kernel, Other

TABLE: tuple[tuple[bool | None, bool | None, bool | None, Sent | None, Kernel | None, Other | None, Verdict], ...] = (
    # overdue, riders, reading, sent, kernel, other
    (False, ANY, ANY, ANY, ANY, ANY, Verdict.WAIT),
    (ANY, False, ANY, ANY, ANY, ANY, Verdict.DEAD),
    (ANY, ANY, True, _S.NOTHING, ANY, _O.NOT_ASKED, Verdict.DEAD),  # nothing is there that it could be blocked by
    (ANY, ANY, ANY, ANY, ANY, _O.NOT_ASKED, Verdict.ASK),
    (ANY, ANY, ANY, ANY, ANY, _O.FAILED, Verdict.DEAD),
    (ANY, ANY, ANY, ANY, ANY, _O.UNDECIDED, Verdict.BLOCKED),
    # A new way works and the old one does not: another network, or a NAT that forgot.
    (ANY, ANY, ANY, ANY, _K.SILENT, _O.ANSWERED, Verdict.DEAD),
    (ANY, ANY, ANY, ANY, _K.FULL, _O.ANSWERED, Verdict.BLOCKED),
    (ANY, ANY, False, ANY, ANY, _O.ANSWERED, Verdict.BLOCKED),
    (ANY, ANY, ANY, _S.MUCH, ANY, _O.ANSWERED, Verdict.BLOCKED),
    (ANY, ANY, ANY, ANY, ANY, _O.ANSWERED, Verdict.DEAD),  # there is too little on the way for a pod not to take it
)
"""The first row that fits decides."""


def judge(lane: Silence) -> Verdict:
    """Dead, blocked, or not yet known."""
    for *wanted, verdict in TABLE:
        if all(want is ANY or want is have for want, have in zip(wanted, lane, strict=True)):
            return verdict
    raise AssertionError("the table has a gap")


TCP_INFO_LENGTH = 60
"""Bytes of Linux' struct tcp_info that are looked at; longer ones only add to it (include/uapi/linux/tcp.h)."""


def kernel_state(info: bytes) -> Kernel:
    """Read a struct tcp_info."""
    if len(info) < TCP_INFO_LENGTH:
        return Kernel.UNKNOWN
    retransmits, probes, backoff = info[2:5]
    (unacked,) = struct.unpack_from("=I", info, 24)  # packets
    (last_ack_ms,) = struct.unpack_from("=I", info, 56)
    # One unanswered probe or retransmission says little: it may have left a moment ago, and living peers answer
    # probes at most twice a second.
    tried = probes >= 2 or (unacked and retransmits >= 2)
    if tried and last_ack_ms >= UNACKNOWLEDGED * 1000:
        return Kernel.SILENT
    return Kernel.FULL if not unacked and (probes or backoff) else Kernel.ACKNOWLEDGES
