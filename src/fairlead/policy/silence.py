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
MAX_GRACE = 30.0
"""Seconds, at most, that a silent lane has to come back once another one answers. After an outage TCP tries again when
about as much time has passed as the outage took; connections that are open go on then, as they do with kubectl."""
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
    GONE = auto()
    """The pod is not there any more."""
    UNDECIDED = auto()
    """It could not be asked: the API server is away, or this machine has no descriptors, or the token has expired. Of
    the lane that says nothing: a network that comes back brings it back."""


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
    tried: bool = False
    """Another lane has answered for as long as TCP may need to try again on this one."""


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

TABLE: tuple[
    tuple[bool | None, bool | None, bool | None, Sent | None, Kernel | None, Other | None, bool | None, Verdict], ...
] = (
    # overdue, riders, reading, sent, kernel, other, tried
    (False, ANY, ANY, ANY, ANY, ANY, ANY, Verdict.WAIT),
    (ANY, False, ANY, ANY, ANY, ANY, ANY, Verdict.DEAD),
    (ANY, ANY, ANY, ANY, ANY, _O.NOT_ASKED, ANY, Verdict.ASK),
    (ANY, ANY, ANY, ANY, ANY, _O.GONE, ANY, Verdict.DEAD),
    (ANY, ANY, ANY, ANY, ANY, _O.UNDECIDED, ANY, Verdict.BLOCKED),
    (ANY, ANY, ANY, ANY, ANY, _O.ANSWERED, False, Verdict.BLOCKED),
    # A new way works and the old one does not: another network, or a NAT that forgot.
    (ANY, ANY, ANY, ANY, _K.SILENT, _O.ANSWERED, ANY, Verdict.DEAD),
    (ANY, ANY, ANY, ANY, _K.FULL, _O.ANSWERED, ANY, Verdict.BLOCKED),
    (ANY, ANY, False, ANY, ANY, _O.ANSWERED, ANY, Verdict.BLOCKED),
    (ANY, ANY, ANY, _S.MUCH, ANY, _O.ANSWERED, ANY, Verdict.BLOCKED),
    # There is too little on the way for a pod not to take it.
    (ANY, ANY, ANY, ANY, ANY, _O.ANSWERED, ANY, Verdict.DEAD),
)
"""The first row that fits decides."""


def judge(lane: Silence) -> Verdict:
    """Dead, blocked, or not yet known."""
    for *wanted, verdict in TABLE:
        if all(want is ANY or want is have for want, have in zip(wanted, lane, strict=True)):
            return verdict
    raise AssertionError("the table has a gap")


def doubtful(lane: Silence) -> bool:
    """Whether this silence says something of the API server: nobody on this lane could be the reason."""
    return lane.reading and (lane.sent is Sent.NOTHING or lane.kernel is Kernel.SILENT)


def amount(said: int) -> Sent:
    """What so many bytes mean."""
    return Sent.NOTHING if not said else Sent.LITTLE if said < MUCH else Sent.MUCH


def grace(silent: float) -> float:
    """Seconds that TCP may need to try again after ``silent`` seconds of silence (RFC 6298: it doubles its timer)."""
    return min(silent, MAX_GRACE)


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
