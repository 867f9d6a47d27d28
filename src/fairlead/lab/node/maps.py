"""Which users and groups a new user namespace has (user_namespaces(7)): text of its maps; pure."""

from __future__ import annotations


def whole(ours: str) -> str:
    """Every id that we know ourselves, under its own number; ``ours`` is our own map, of which root may take all."""
    return "".join(f"{inside} {inside} {count}\n" for inside, _, count in map(str.split, ours.splitlines()))


def single(inside: int, outside: int) -> str:
    """One id, which is all that an ordinary user may map."""
    return f"{inside} {outside} 1\n"
