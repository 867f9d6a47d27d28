"""One read buffer for all connections of a loop.

Whatever is read is handed on before the next read, so a single buffer serves thousands of connections, and none costs
memory while it is idle.
"""

from __future__ import annotations

from fairlead.net.stream import CHUNK, FIRST, HEADROOM


class ReadBuffer:
    """``whole`` begins with HEADROOM free bytes; ``room`` is what comes after them, for reading into.

    ``little`` is the part of ``room`` for reads whose bytes have to be kept.
    """

    __slots__ = ("little", "room", "whole")

    def __init__(self, size: int = CHUNK) -> None:
        self.whole = memoryview(bytearray(HEADROOM + size))
        self.room = self.whole[HEADROOM:]
        self.little = self.room[:FIRST]
