"""A lab's registry for tests: one namespace, a clock that stands still, and chance that is the same each time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from fairlead.lab.registry.kinds import DEPLOYMENT, NAMESPACE, POD, Kind
from fairlead.lab.registry.rules import Registry
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Object, Store

START = datetime(2026, 1, 1, tzinfo=UTC)


class Cluster(Registry):
    """With the namespace ``ns``; ``time`` is set by tests."""

    def __init__(self) -> None:
        self.time = START
        chance = random.Random(1)
        super().__init__(Store(), lambda: self.time, lambda digits: f"{chance.getrandbits(4 * digits):0{digits}x}")
        self.create(NAMESPACE, "", {"metadata": {"name": "ns"}})

    def make(self, kind: Kind, name: str, **fields: Any) -> Object:
        return self.create(kind, "ns" if kind.namespaced else "", {**named(name), **fields})

    def pod(self, name: str = "p", **spec: Any) -> Object:
        return self.make(POD, name, spec={"containers": [{"name": "c", "image": "i"}], **spec})

    def deployment(self, name: str = "d", **spec: Any) -> Object:
        return self.make(DEPLOYMENT, name, spec=workload(**spec))

    def get(self, kind: Kind, name: str) -> Object | None:
        return self.store.get(kind, "ns" if kind.namespaced else "", name)


def named(name: str) -> Object:
    return {"metadata": {"name": name}}


def workload(**more: Any) -> Object:
    """The spec of one, with one container."""
    spec = {"containers": [{"name": "c", "image": "i"}]}
    template = {"metadata": {"labels": {"app": "x"}}, "spec": spec}
    return {"selector": {"matchLabels": {"app": "x"}}, "template": template, **more}


class Refusal:
    """What was answered, once it was."""

    message = ""
    details: Object


@contextmanager
def refused(code: int, reason: str) -> Iterator[Refusal]:
    """What is inside is answered with that."""
    found = Refusal()
    with pytest.raises(ApiStatusError) as error:
        yield found
    assert (error.value.code, error.value.reason) == (code, reason), error.value
    found.message, found.details = error.value.message, error.value.details or {}
