"""Amounts of resources, ``500m`` and ``2Gi``: read, compared, and written as the API writes them."""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal

_FORM = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?[0-9]{1,3}))?")
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}
_SMALLEST = Decimal("0.001")
_LARGEST = 2**63 - 1
_MAX_DIGITS = 40
"""More than any machine has of anything; a longer number is a mistake that would only cost time."""

FORM_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def value(text: str) -> Decimal:
    """The number. Raises ValueError."""
    found = _FORM.fullmatch(text)
    if not found or len(text) > _MAX_DIGITS:
        raise ValueError(FORM_ERROR)
    number = Decimal(found[1])
    if found[2]:
        return number * Decimal(1024) ** (_BINARY.index(found[2]) + 1)
    return number.scaleb(int(found[4]) if found[4] else _DECIMAL[found[3] or ""])


def canonical(text: str) -> str:
    """The same amount, with the largest suffix that leaves no fraction; beyond thousandths, more. Raises ValueError."""
    number = min(max(value(text), Decimal(-_LARGEST)), Decimal(_LARGEST)).quantize(_SMALLEST, ROUND_UP)
    if text.endswith("i") and abs(number) >= 1024:
        return _binary(int(number.to_integral_value(ROUND_UP)))
    power, thousandths = -3, int(number.scaleb(3))
    if thousandths == 0:
        return "0"
    while thousandths % 1000 == 0 and power < 18:
        thousandths, power = thousandths // 1000, power + 3
    if text[-1] in "0123456789" and ("e" in text or "E" in text):
        return f"{thousandths}e{power}" if power else str(thousandths)
    return f"{thousandths}{_SUFFIX[power]}"


def _binary(number: int) -> str:
    index = -1
    while number % 1024 == 0 and index < len(_BINARY) - 1:
        number, index = number // 1024, index + 1
    return f"{number}{_BINARY[index]}" if index >= 0 else str(number)
