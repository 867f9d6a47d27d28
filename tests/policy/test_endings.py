"""A pod's end is told by two streams, of its object and of the EndpointSlices; nothing orders one against the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from fairlead.model.objects import EndpointSlice, Pod, Service
from fairlead.model.target import PodRef
from fairlead.policy import endings as module
from fairlead.policy.candidates import compare, of_service
from fairlead.policy.endings import Endings
from fairlead.policy.ports import resolve
from fairlead.policy.portspec import parse_port
from tests.support import objects

SERVICE = Service.from_json(objects.service())
(HTTP,) = resolve([parse_port("80")], Pod.from_json(objects.pod("a")), SERVICE)
READY: dict[str, Any] = {"ready": True, "serving": True, "terminating": False}
DRAINS: dict[str, Any] = {"ready": False, "serving": True, "terminating": True}

PODS_SAY: list[list[dict[str, Any] | None]] = [
    [{"deleting": True}, {"deleting": True, "ready": False}, {"deleting": True, "phase": "Failed"}, None],
    [{"deleting": True}, None],
    [{"ready": False}, {"phase": "Failed"}, None],
    [None],  # deleted without grace
]
"""How pod ``a`` ends, as its own stream tells it; None is its deletion."""
SLICES_SAY: list[list[dict[str, Any] | None]] = [
    [READY, DRAINS, {**DRAINS, "serving": False}, None],
    [READY, READY, None],  # written again for the sake of another pod
    [DRAINS, None],
    [None],
]


def interleavings(pods: list[Any], slices: list[Any]) -> Iterator[list[tuple[str, Any]]]:
    """Every order of both streams together that keeps the order of each."""
    total = len(pods) + len(slices)
    for places in combinations(range(total), len(pods)):
        left, right = iter(pods), iter(slices)
        yield [("pod", next(left)) if place in places else ("slice", next(right)) for place in range(total)]


def is_end(kind: str, said: dict[str, Any] | None) -> bool:
    if kind == "slice":
        return said is not None and said["terminating"]
    return said is None or bool(said.get("deleting")) or said.get("phase") == "Failed"


class Watched:
    """The two caches, and what is told of them as ``Backends`` does."""

    def __init__(self, others: tuple[str, ...]) -> None:
        self.told: list[str] = []
        self._others = others
        self._pods = {name: Pod.from_json(objects.pod(name)) for name in ("a", *others)}
        self._slice = self._made(READY)
        self._endings = Endings()
        self._candidates: tuple[PodRef, ...] = ()
        self._look()
        self.told.clear()

    def _made(self, a: dict[str, Any] | None) -> EndpointSlice:
        entries = [objects.endpoint(name, **READY) for name in self._others]
        entries += [objects.endpoint("a", **a)] if a is not None else []
        return EndpointSlice.from_json(objects.endpoint_slice("s", entries))

    def take(self, kind: str, said: dict[str, Any] | None) -> None:
        if kind == "slice":
            self._slice = self._made(said)
        elif said is None:
            del self._pods["a"]
        else:
            self._pods["a"] = Pod.from_json(objects.pod("a", **said))
        self._look()

    def _look(self) -> None:
        self._endings.look(self._pods.values(), [self._slice], why="vanished")
        pods = self._endings.applied(list(self._pods.values()))
        found = of_service(pods, HTTP, SERVICE, [self._slice], self._endings)
        self.ready = {each.pod.name for each in found if not each.fallback}
        before, self._candidates = self._candidates, tuple(each.pod for each in found)
        moved = compare(before, self._candidates, before, pods, self._endings.gone)
        self.told += [f"+{ref.name}" for ref in moved.new if ref.name in self.ready]
        self.told += [f"-{ref.name}" for ref, _ in (*moved.left, *moved.gone)]


@pytest.mark.parametrize("others", [(), ("b",)])
@pytest.mark.parametrize("pods", PODS_SAY)
@pytest.mark.parametrize("slices", SLICES_SAY)
def test_a_pod_known_to_end_is_never_ready_again(
    pods: list[dict[str, Any] | None], slices: list[dict[str, Any] | None], others: tuple[str, ...]
) -> None:
    for events in interleavings(pods, slices):
        watched, ended = Watched(others), False
        for kind, said in events:
            watched.take(kind, said)
            ended = ended or is_end(kind, said)
            assert watched.ready == {*others} | ({"a"} & watched.ready)
            assert not (ended and "a" in watched.ready), events
        assert "+a" not in watched.told, events
        assert watched.told.count("-a") == 1, events
        assert "-b" not in watched.told


def seen(endings: Endings, *pods: dict[str, Any], why: str = "vanished") -> list[Pod]:
    found = [Pod.from_json(each) for each in pods]
    endings.look(found, (), why=why)
    return endings.applied(found)


def test_the_reason_of_what_is_gone() -> None:
    endings = Endings()
    seen(endings, objects.pod("a"), objects.pod("b", deleting=True))
    seen(endings, why="no longer selected")
    assert endings.gone == {"uid-a": "no longer selected", "uid-b": "deleted"}


def test_what_lost_its_labels_may_come_back() -> None:
    endings = Endings()
    seen(endings, objects.pod("a"))
    seen(endings)
    assert "uid-a" in endings
    (back,) = seen(endings, objects.pod("a"))
    assert "uid-a" not in endings
    assert back.deleted_at is None


def test_the_same_name_again_is_another_pod() -> None:
    endings = Endings()
    seen(endings, objects.pod("a", uid="1", deleting=True))
    (second,) = seen(endings, objects.pod("a", uid="2"))
    assert second.deleted_at is None


def test_what_is_remembered_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)
    endings = Endings()
    for number in range(4):
        seen(endings, objects.pod("a", uid=str(number), deleting=True))
    assert [uid for uid in "0123" if uid in endings] == ["1", "2", "3"]
    assert list(endings.gone) == ["1", "2"]
