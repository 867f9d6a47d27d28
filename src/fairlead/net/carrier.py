"""How the bytes of a SPDY session travel: as they are, or inside WebSocket messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Carrier(Protocol):
    """Between a session and its transport; knows neither."""

    name: str
    in_place: bool
    """Whether ``header_into`` may be used; otherwise payload has to go through ``wrap``."""

    def receive(self, data: memoryview) -> None:
        """Unpack what was read and pass the session's bytes on."""

    def wrap(self, data: bytes) -> bytes:
        """The bytes to write for these bytes of the session, with whatever the carrier itself wants to say."""

    def header_into(self, buffer: memoryview, at: int, length: int) -> int:
        """Write the carrier's header for ``length`` bytes that begin at ``at`` before them; return where it begins."""

    def farewell(self) -> bytes:
        """What is written last of all."""


class PlainCarrier:
    """SPDY/3.1 directly on the upgraded connection."""

    name = "SPDY"
    in_place = True

    def __init__(self, sink: Callable[[memoryview], None]) -> None:
        self.receive = sink

    receive: Callable[[memoryview], None]

    def wrap(self, data: bytes) -> bytes:
        """As it is."""
        return data

    def header_into(self, buffer: memoryview, at: int, length: int) -> int:
        """No header."""
        return at

    def farewell(self) -> bytes:
        """Nothing."""
        return b""
