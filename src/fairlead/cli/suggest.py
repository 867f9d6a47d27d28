"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was most likely meant, or ""."""
    names = list(known)
    inside = [name for name in names if name.strip("-") and (word.endswith(f"-{name}") or name.startswith(word))]
    return next(iter(get_close_matches(word, names, 1) or inside), "")
