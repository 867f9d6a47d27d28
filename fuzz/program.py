"""An input as a sequence of choices: bytes are taken from its front, and zeros when there are none left."""

from __future__ import annotations


class Program:
    """Reads choices. A changed byte changes one choice and leaves the others alone, which is what a mutator likes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        return self._at < len(self._data)

    def number(self, below: int = 256) -> int:
        """0 <= number < below, from one byte, or two where one is too small."""
        size = 1 if below <= 256 else 2 if below <= 65536 else 4
        return int.from_bytes(self.take(size).ljust(size, b"\0"), "big") % below

    def take(self, count: int) -> bytes:
        """The next bytes as they are; fewer at the end."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def flag(self) -> bool:
        return bool(self.number(2))

    def text(self) -> bytes:
        """Some bytes, seldom many."""
        return self.take(self.number(24))
