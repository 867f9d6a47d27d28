"""Values with secrets in them, shown without."""

from __future__ import annotations

from typing import Protocol


class _Fields(Protocol):
    def _asdict(self) -> dict[str, object]: ...


def masked(value: _Fields, *secret: str) -> str:
    """``repr`` of a NamedTuple without the fields that are secret, as a log or an error may show it."""
    shown = [f"{name}={each!r}" for name, each in value._asdict().items() if name not in secret]
    return f"{type(value).__name__}({', '.join(shown)})"
