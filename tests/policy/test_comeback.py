from __future__ import annotations

import pytest

from fairlead.model.objects import Pod
from fairlead.policy.comeback import Comeback, comeback
from tests.support.objects import pod


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ReplicaSet", Comeback.NEVER),
        ("ReplicationController", Comeback.NEVER),
        ("DaemonSet", Comeback.NEVER),
        ("Job", Comeback.NEVER),
        ("StatefulSet", Comeback.OWNER),
        ("Node", Comeback.OWNER),
        ("Cluster", Comeback.OWNER),
        (None, Comeback.HAND),
    ],
)
def test_by_owner(kind: str | None, expected: Comeback) -> None:
    assert comeback(Pod.from_json(pod("a", owner=None if kind is None else (kind, "o")))) is expected


def test_an_owner_that_does_not_control_makes_nothing() -> None:
    value = pod("a", owner=("ReplicaSet", "r"))
    del value["metadata"]["ownerReferences"][0]["controller"]
    assert comeback(Pod.from_json(value)) is Comeback.HAND
