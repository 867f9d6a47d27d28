from __future__ import annotations

import os

import pytest

from fairlead.errors import MachineError
from fairlead.net import descriptors


@pytest.mark.parametrize(("limit", "mark"), [(1 << 20, (1 << 20) - 64), (1024, 960), (256, 192), (60, 45)])
def test_connections_leave_the_last_ones_free(limit: int, mark: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: limit)
    assert descriptors.mark() == mark


@pytest.mark.parametrize(("limit", "mark"), [(1 << 20, (1 << 20) - 512), (1024, 512), (200, 100)])
def test_listeners_leave_room_for_connections(limit: int, mark: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: limit)
    assert descriptors.listeners_mark() == mark


def test_a_lane_needs_one_that_is_not_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    lowest = os.dup(0)
    os.close(lowest)
    monkeypatch.setattr(descriptors, "limit", lambda: lowest + 40 + 1)
    descriptors.require_spare()
    monkeypatch.setattr(descriptors, "limit", lambda: lowest + 1)
    with pytest.raises(MachineError, match=f"may have {lowest + 1} files open"):
        descriptors.require_spare()


def test_other_errors_are_not_about_descriptors() -> None:
    assert descriptors.shortage(ConnectionRefusedError(111, "refused")) is None
