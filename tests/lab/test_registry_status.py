"""The words of answers that are errors."""

from __future__ import annotations

from fairlead.lab.registry import status
from fairlead.lab.registry.kinds import DEPLOYMENT, POD


def test_what_is_not_there() -> None:
    error = status.not_found(DEPLOYMENT, "web")
    assert str(error) == 'deployments.apps "web" not found'
    assert error.to_json() == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound", "code": 404,
        "message": 'deployments.apps "web" not found',
        "details": {"name": "web", "group": "apps", "kind": "deployments"},
    }  # fmt: skip
    assert error.retry_after == 0


def test_several_causes_are_one_answer() -> None:
    causes = [
        status.required("spec.containers[0].image"),
        status.invalid("metadata.name", 'A"', "bad"),
        status.not_supported("spec.type", "X", ["A", "B"]),
        status.required("spec.containers[0].image"),
    ]
    error = status.invalid_object(POD, "x", causes)
    assert error.message == (
        'Pod "x" is invalid: [spec.containers[0].image: Required value, metadata.name: Invalid value: "A\\"": bad, '
        'spec.type: Unsupported value: "X": supported values: "A", "B"]'
    )
    assert error.details is not None
    assert len(error.details["causes"]) == 4
    assert error.details["causes"][0] == {
        "reason": "FieldValueRequired", "message": "Required value", "field": "spec.containers[0].image",
    }  # fmt: skip
    assert "group" not in error.details


def test_one_cause_stands_alone() -> None:
    error = status.invalid_object(DEPLOYMENT, "x", [status.not_allowed("spec", "no")])
    assert error.message == 'Deployment.apps "x" is invalid: spec: Forbidden: no'
    assert str(status.duplicate("a", 3)) == "a: Duplicate value: 3"
    assert str(status.unknown("a", "v")) == 'a: Not found: "v"'
    assert str(status.too_long("a", 3)) == "a: Too long: may not be more than 3 bytes"


def test_a_conflict_says_what_to_do() -> None:
    assert status.modified(POD, "x").message == (
        'Operation cannot be fulfilled on pods "x": the object has been modified; please apply your changes to the '
        "latest version and try again"
    )


def test_what_the_lab_has_not_names_the_lab() -> None:
    for error in (
        status.no_such_path(),
        status.method_not_allowed("watching all kinds at once"),
        status.unsupported_media_type("application/apply-patch+yaml", ["application/json"]),
    ):
        assert "the lab" in error.message
    assert "application/json" in status.unsupported_media_type("x", ["application/json"]).message


def test_when_to_come_back() -> None:
    assert status.too_many("busy", 60).retry_after == 60
    assert status.timed_out("late").retry_after == 1
