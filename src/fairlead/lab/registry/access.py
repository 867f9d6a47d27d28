"""Answers to questions about users: who they are, and whether they may. In the lab, whoever is known may do all."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fairlead.lab.registry import discovery
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.values import Object, at


class User(NamedTuple):
    """Who sends a request."""

    name: str
    groups: tuple[str, ...] = ("system:masters", "system:authenticated")
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def to_json(self) -> Object:
        """As reviews have it."""
        extra = {name: list(values) for name, values in self.extra}
        told: Object = {"username": self.name, "uid": self.uid, "groups": list(self.groups), "extra": extra}
        return {name: value for name, value in told.items() if value}


_EVERYTHING: Object = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}
_YES: Object = {"allowed": True, "reason": "everybody may do everything in a Fairlead lab"}


def answered(kind: Kind, question: Object, user: User, whose: Callable[[str], User | None]) -> Object:
    """One of ``discovery.REVIEWS``, as it was sent, with its answer; ``whose`` knows tokens."""
    if kind == discovery.SELF_SUBJECT_REVIEW:
        status: Object = {"userInfo": user.to_json()}
    elif kind == discovery.TOKEN_REVIEW:
        owner = whose(str(at(question, "spec", "token") or ""))
        status = {"authenticated": True, "user": owner.to_json()} if owner else {"authenticated": False}
    elif kind == discovery.SELF_SUBJECT_RULES_REVIEW:
        status = _EVERYTHING
    else:
        status = _YES
    head = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": question.get("metadata") or {}}
    return {**head, **{name: question[name] for name in ("spec",) if name in question}, "status": status}
