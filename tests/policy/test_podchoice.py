from __future__ import annotations

from itertools import permutations

import pytest

from fairlead.model.objects import Pod
from fairlead.policy.podchoice import order

GOOD = Pod(
    namespace="ns",
    name="good",
    uid="1",
    resource_version="1",
    node="n",
    phase="Running",
    ready=True,
    ready_since=100.0,
    created_at=50.0,
)


def other(**changes: object) -> Pod:
    return GOOD._replace(name="other", uid="2", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (other(phase="Pending", ready=False, ready_since=None), GOOD._replace(node="")),
        (other(ready=False, ready_since=None, deleted_at=1.0), GOOD._replace(phase="Unknown")),
        (other(phase="Unknown", ready=False), GOOD._replace(phase="Pending")),
        (other(phase="Unknown"), GOOD._replace(phase="Succeeded")),
        (other(phase="Unknown"), GOOD._replace(phase="Failed")),
        # a ready pod that terminates beats a live one that is not ready
        (other(deleted_at=5.0), GOOD._replace(ready=False, ready_since=None)),
        (other(ready_since=900.0, restarts=9), GOOD._replace(deleted_at=5.0)),
        (other(deleted_at=6.0, ready_since=900.0), GOOD._replace(deleted_at=5.0)),
        (other(ready_since=99.0, restarts=9), GOOD),
        (GOOD, other(ready_since=None)),
        (other(restarts=1, sidecar_restarts=7), GOOD._replace(restarts=2)),
        (other(sidecar_restarts=1, created_at=900.0), GOOD._replace(sidecar_restarts=2)),
        (other(created_at=49.0), GOOD),
        (GOOD, other(created_at=None)),
    ],
)
def test_each_rule_decides_against_all_that_come_after_it(better: Pod, worse: Pod) -> None:
    assert order([worse, better]) == [better, worse]
    assert order([better, worse]) == [better, worse]


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed", ""])
def test_all_other_phases_are_equal(phase: str) -> None:
    pods = [GOOD._replace(phase="Pending"), other(phase=phase)]
    assert order(pods) == pods
    assert order(reversed(pods)) == pods[::-1]


def test_ties_keep_the_order_of_the_server() -> None:
    pods = [GOOD._replace(name=name) for name in "cab"]
    assert order(pods) == pods


def test_the_worst_pod_is_still_a_choice() -> None:
    worst = other(phase="Failed", node="", deleted_at=1.0)
    assert order([worst]) == [worst]
    assert order([]) == []


def test_the_order_does_not_depend_on_the_input() -> None:
    pods = [
        GOOD,
        other(ready_since=101.0),
        other(ready=False, ready_since=None),
        other(phase="Unknown"),
        other(phase="Failed"),
        other(node=""),
    ]
    for each in permutations(pods):
        assert order(each) == pods
