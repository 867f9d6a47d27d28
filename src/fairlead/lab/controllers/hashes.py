"""Short names for what a template says: equal templates have equal ones."""

from __future__ import annotations

import json
from typing import Any

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Makes no words; the same that generated names are made of."""
_OFFSET, _PRIME = 2166136261, 16777619  # FNV-1a, 32 bits


def fnv32a(data: bytes) -> int:
    """The FNV-1a hash in 32 bits."""
    value = _OFFSET
    for byte in data:
        value = (value ^ byte) * _PRIME & 0xFFFFFFFF
    return value


def short_hash(value: Any, collisions: int = 0) -> str:
    """At most ten letters for a JSON value; ``collisions`` asks for another one."""
    data = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    if collisions:
        data += collisions.to_bytes(8, "little")
    return "".join(ALPHABET[ord(digit) % len(ALPHABET)] for digit in str(fnv32a(data)))
