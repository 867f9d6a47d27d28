"""The seam of the hot path: what the two sides of a joined connection ask of each other.

A connection is two ends that point at each other: a local one (a socket, or standard input and output) and a remote one
(a stream to a pod). Bytes are pushed: whoever has read something hands it to the opposite end at once, as a view of a
shared buffer. Each end has two halves that finish independently, and back-pressure is mirrored between the two.
"""

from __future__ import annotations

from typing import Protocol

HEADROOM = 32
"""Bytes free before the payload of ``RemoteEnd.send``: 14 of WebSocket header, 8 of SPDY header, rounded up."""

CHUNK = 256 * 1024
"""Bytes of one read. Measured on TCP to TCP: below 128 KiB the calls cost more than the copying."""

FIRST = 64 * 1024
"""Bytes of one read before the first ``resume_reading``: what comes that early has to be kept, for each of a crowd."""


class RemoteEnd(Protocol):
    """The far side, as the local end sees it."""

    def send(self, buffer: memoryview, start: int, end: int) -> None:
        """Take ``buffer[start:end]``, valid during this call; HEADROOM bytes before ``start`` may be written to."""

    def send_eof(self) -> None:
        """The local program is done sending; its answer may still come."""

    def local_blocked(self) -> None:
        """The local program does not read: more than the high-water mark is unsent."""

    def local_drained(self) -> None:
        """The unsent bytes fell below the low-water mark."""

    def local_lost(self) -> None:
        """The local side is gone, in both directions. Nothing follows."""


class LocalEnd(Protocol):
    """The near side, as the remote end sees it."""

    def write(self, data: memoryview) -> None:
        """Take bytes that are valid until ``flush``, which always follows soon."""

    def flush(self) -> None:
        """Send what was written, or copy it."""

    def write_eof(self) -> None:
        """Nothing more will come; what was written is delivered first. The other direction goes on."""

    def close(self) -> None:
        """Over in both directions, cleanly: deliver what was written, then end."""

    def abort(self) -> None:
        """Reset: drop what is unsent, so that the local program sees an error and not an end."""

    def pause_reading(self) -> None:
        """Stop handing over what the local program sends; what was read already may still come."""

    def resume_reading(self) -> None:
        """Undo ``pause_reading``; called also once there is a way for all that may come."""

    @property
    def unsent(self) -> int:
        """Bytes that the local program has not taken yet."""
