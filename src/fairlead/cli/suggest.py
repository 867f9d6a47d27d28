"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LIKE = 0.6
"""How much a word is like another that begins as it does, from 0 to 1."""
VERY_LIKE = 0.8
"""The same for a word with another beginning."""


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was most likely meant, or ""."""
    names = {name.strip("-"): name for name in known if name.strip("-")}
    bare = word.strip("-")
    near = get_close_matches(bare, [name for name in names if name[0] == bare[:1]], 1, LIKE)
    near += get_close_matches(bare, names, 1, VERY_LIKE)
    near += [name for name in names if bare.endswith(f"-{name}") or (bare and name.startswith(bare))]
    return names[near[0]] if near else ""
