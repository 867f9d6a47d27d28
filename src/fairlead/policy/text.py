"""Text from elsewhere, made safe for a terminal."""

from __future__ import annotations

LIMIT = 2000
"""Characters: a line stays readable, and in most scripts fits into one write to a pipe (PIPE_BUF, 4096 bytes)."""


def one_line(text: str, limit: int = LIMIT) -> str:
    """``text`` on one line, without anything a terminal would obey, cut to ``limit`` characters."""
    clean = " ".join("".join(char if char.isprintable() else " " for char in text[: 2 * limit]).split())
    return clean if len(clean) <= limit else clean[: limit - 3] + "..."
