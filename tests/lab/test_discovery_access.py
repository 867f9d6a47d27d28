"""Who am I, may I."""

from __future__ import annotations

import pytest

from fairlead.lab.registry import discovery
from fairlead.lab.registry.access import User, answered
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.schema.decode import decode
from fairlead.lab.registry.values import Object, at

ME = User("me", ("a",))
OTHER = User("other", (), "1", (("x", ("y",)),))


def ask(kind: Kind, spec: Object | None) -> Object:
    question: Object = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}}
    if spec is not None:
        question["spec"] = spec
    found = answered(kind, question, ME, {"token": OTHER}.get)
    assert found.get("spec") == spec
    assert decode(kind.kind, found)[1] == []
    status = found["status"]
    assert isinstance(status, dict)
    return status


def test_who_am_i() -> None:
    assert ask(discovery.SELF_SUBJECT_REVIEW, None) == {"userInfo": {"username": "me", "groups": ["a"]}}


@pytest.mark.parametrize(
    "kind",
    [
        discovery.SELF_SUBJECT_ACCESS_REVIEW,
        discovery.SUBJECT_ACCESS_REVIEW,
        discovery.LOCAL_SUBJECT_ACCESS_REVIEW,
    ],
)
def test_everybody_may(kind: Kind) -> None:
    assert ask(kind, {"resourceAttributes": {"verb": "delete", "resource": "nodes"}})["allowed"] is True


def test_what_may_i() -> None:
    status = ask(discovery.SELF_SUBJECT_RULES_REVIEW, {"namespace": "default"})
    assert status["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    assert status["incomplete"] is False


def test_whose_token_it_is() -> None:
    status = ask(discovery.TOKEN_REVIEW, {"token": "token"})
    assert status["authenticated"] is True
    assert at(status, "user") == {"username": "other", "uid": "1", "extra": {"x": ["y"]}}
    assert ask(discovery.TOKEN_REVIEW, {"token": "else"}) == {"authenticated": False}
    assert ask(discovery.TOKEN_REVIEW, {}) == {"authenticated": False}
