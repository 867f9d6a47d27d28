"""What stands on a terminal after all that was written to it: as much of ECMA-48 as we use."""

from __future__ import annotations

import re

_PART = re.compile(rb"\x1b\[J|\r|\n|[^\x1b\r\n]+", re.DOTALL)


class Terminal:
    """Lines as a user sees them, with those that have left the screen; ``columns`` after which a line goes on below."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._rows: list[str] = [""]
        self._row = self._column = 0

    def feed(self, data: bytes) -> None:
        """Take what a program wrote; a tty has made CR LF of each line feed."""
        at = 0
        for found in _PART.finditer(data):
            assert found.start() == at, f"not understood: {data[at : at + 20]!r}"
            at = found.end()
            self._take(found[0])
        assert at == len(data), f"not understood: {data[at:]!r}"

    @property
    def rows(self) -> list[str]:
        """Without the empty ones at the end."""
        rows = [row.rstrip() for row in self._rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def resize(self, columns: int) -> None:
        """Break lines anew, as most terminals do; the cursor stays at its character."""
        whole: list[str] = []
        place = 0
        for number, row in enumerate(self._rows):
            if number == self._row:
                place = len(whole)
            whole += [row[at : at + columns] for at in range(0, max(len(row), 1), columns)]
        self._rows, self._row, self.columns = whole, place + self._column // columns, columns
        self._column %= columns

    def _take(self, part: bytes) -> None:
        if part == b"\x1b[J":
            del self._rows[self._row + 1 :]
            self._rows[self._row] = self._rows[self._row][: self._column]
        elif part == b"\r":
            self._column = 0
        elif part == b"\n":
            self._down()
        else:
            for char in part.decode():
                self._put(char)

    def _put(self, char: str) -> None:
        if self._column == self.columns:
            self._down()
            self._column = 0
        row = self._rows[self._row].ljust(self._column)
        self._rows[self._row] = row[: self._column] + char + row[self._column + 1 :]
        self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._rows):
            self._rows.append("")
