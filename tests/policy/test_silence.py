"""Dead or blocked: the whole table, and what the kernel says."""

from __future__ import annotations

import struct
from itertools import product

import pytest

from fairlead.policy.silence import (
    ANY,
    MAX_GRACE,
    MUCH,
    TABLE,
    Kernel,
    Other,
    Sent,
    Silence,
    Verdict,
    amount,
    doubtful,
    grace,
    judge,
    kernel_state,
)

EVERY = [
    Silence(*row) for row in product((False, True), (False, True), (False, True), Sent, Kernel, Other, (False, True))
]


def test_every_case_has_a_verdict_and_every_row_a_case() -> None:
    used = set()
    for case in EVERY:
        fits = [
            index
            for index, row in enumerate(TABLE)
            if all(want is ANY or want is have for want, have in zip(row, case, strict=False))
        ]
        assert judge(case) is TABLE[fits[0]][-1]
        used.add(fits[0])
    assert used == set(range(len(TABLE)))


@pytest.mark.parametrize("case", EVERY, ids=lambda case: "-".join(str(getattr(each, "name", each)) for each in case))
def test_what_has_to_hold(case: Silence) -> None:
    verdict = judge(case)
    if not case.overdue:
        assert verdict is Verdict.WAIT
        return
    if not case.riders:
        assert verdict is Verdict.DEAD, "an idle lane is blocked by nobody"
        return
    if case.other is Other.NOT_ASKED:
        assert verdict is not Verdict.BLOCKED, "that is never known without asking"
        return
    assert verdict is not Verdict.ASK, "asked once in a turn"
    if case.other is Other.UNDECIDED:
        assert verdict is Verdict.BLOCKED, "a proof that could not be had proves nothing"
    elif case.other is Other.GONE:
        assert verdict is Verdict.DEAD
    elif not case.tried:
        assert verdict is Verdict.BLOCKED, "after an outage TCP comes back by itself"
    elif case.kernel is Kernel.SILENT:
        assert verdict is Verdict.DEAD
    else:
        held = not case.reading or case.sent is Sent.MUCH or case.kernel is Kernel.FULL
        assert verdict is (Verdict.BLOCKED if held else Verdict.DEAD)


def test_how_long_tcp_may_need() -> None:
    assert [grace(silent) for silent in (0.0, 8.0, 600.0)] == [0.0, 8.0, MAX_GRACE]


@pytest.mark.parametrize(
    ("reading", "sent", "kernel", "doubt"),
    [
        (True, Sent.NOTHING, Kernel.ACKNOWLEDGES, True),
        (True, Sent.MUCH, Kernel.SILENT, True),
        (True, Sent.MUCH, Kernel.FULL, False),  # the pod does not read
        (True, Sent.LITTLE, Kernel.ACKNOWLEDGES, False),
        (False, Sent.NOTHING, Kernel.ACKNOWLEDGES, False),  # we do not
    ],
)
def test_which_silence_casts_doubt_on_the_api_server(reading: bool, sent: Sent, kernel: Kernel, doubt: bool) -> None:
    assert doubtful(Silence(True, True, reading, sent, kernel)) is doubt


def info(*, retransmits: int = 0, probes: int = 0, backoff: int = 0, unacked: int = 0, last_ack: int = 0) -> bytes:
    """A struct tcp_info, ``last_ack`` in milliseconds."""
    made = bytearray(104)
    made[2:5] = bytes((retransmits, probes, backoff))
    struct.pack_into("=I", made, 24, unacked)
    struct.pack_into("=I", made, 56, last_ack)
    return bytes(made)


@pytest.mark.parametrize(
    ("told", "kernel"),
    [
        (b"", Kernel.UNKNOWN),
        (bytes(59), Kernel.UNKNOWN),
        (info(), Kernel.ACKNOWLEDGES),
        (info(last_ack=3_600_000), Kernel.ACKNOWLEDGES),  # long idle
        (info(last_ack=3_600_000, unacked=1), Kernel.ACKNOWLEDGES),  # and something has just been sent
        (info(last_ack=3_600_000, unacked=1, retransmits=1, backoff=1), Kernel.ACKNOWLEDGES),  # and was lost once
        (info(last_ack=1999, unacked=1, retransmits=3, backoff=3), Kernel.ACKNOWLEDGES),
        (info(last_ack=2000, unacked=1, retransmits=2, backoff=2), Kernel.SILENT),
        (info(last_ack=600_000, unacked=20, retransmits=9, backoff=9), Kernel.SILENT),
        (info(last_ack=100, unacked=5, retransmits=7), Kernel.ACKNOWLEDGES),  # a window that shrank, and is told of
        (info(last_ack=40, backoff=3), Kernel.FULL),
        (info(last_ack=60_000, backoff=9), Kernel.FULL),  # probes are answered, a minute apart
        (info(last_ack=60_000, backoff=9, probes=1), Kernel.FULL),  # the next one has just left
        (info(last_ack=60_000, backoff=9, probes=2), Kernel.SILENT),
        (info(last_ack=500, probes=2, backoff=2), Kernel.FULL),
    ],
)
def test_what_the_kernel_knows(told: bytes, kernel: Kernel) -> None:
    assert kernel_state(told) is kernel


@pytest.mark.parametrize(
    ("said", "means"), [(0, Sent.NOTHING), (1, Sent.LITTLE), (MUCH - 1, Sent.LITTLE), (MUCH, Sent.MUCH)]
)
def test_how_much_was_sent(said: int, means: Sent) -> None:
    assert amount(said) is means
