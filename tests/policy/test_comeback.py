from __future__ import annotations

from typing import Any

import pytest

from fairlead.model.objects import Pod
from fairlead.policy.comeback import Comeback, comeback, what_now
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
def test_whether_a_name_comes_back_depends_on_its_owner(kind: str | None, expected: Comeback) -> None:
    assert comeback(Pod.from_json(pod("a", owner=None if kind is None else (kind, "o")))) is expected


def test_an_owner_that_does_not_control_makes_nothing() -> None:
    value = pod("a", owner=("ReplicaSet", "r"))
    del value["metadata"]["ownerReferences"][0]["controller"]
    assert comeback(Pod.from_json(value)) is Comeback.HAND


@pytest.mark.parametrize(
    ("fields", "there", "expected"),
    [
        ({"owner": ("StatefulSet", "db")}, False, "pod a was deleted; sts/db makes it again"),
        ({"owner": ("StatefulSet", "db"), "phase": "Failed"}, True, "pod a is Failed; sts/db makes it again"),
        ({"phase": "Failed", "deleting": True}, True, "pod a was deleted; it has no owner that makes it again"),
        ({"phase": "Succeeded"}, True, "pod a is Succeeded; it has no owner that makes it again"),
        ({"owner": ("Job", "db")}, False, "pod a was deleted; sts/db never makes that name again"),
    ],
)
def test_what_is_said_of_it(fields: dict[str, Any], there: bool, expected: str) -> None:
    assert what_now(Pod.from_json(pod("a", **fields)), "sts/db", there=there) == expected
