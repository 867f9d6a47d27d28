"""Events: told, counted, combined, and not told at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fairlead.lab.registry.events import BURST, COMBINED, News, Recorder
from fairlead.lab.registry.kinds import EVENT
from fairlead.lab.registry.store import Object, Store

START = datetime(2026, 1, 1, tzinfo=UTC)
POD: Object = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "ns", "uid": "u", "resourceVersion": "7"},
}  # fmt: skip


class Telling:
    def __init__(self) -> None:
        self.store, self.recorder, self.now = Store(), Recorder(), START

    def tell(self, message: str = "m", reason: str = "Pulled", about: Object = POD, action: str = "") -> Object | None:
        news = News("kubelet", about, reason, message, node="n1", field="spec.containers{c}", action=action)
        event = self.recorder.note(self.store, news, self.now)
        return None if event is None else self.store.put(EVENT, event)

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def all(self) -> list[Object]:
        return list(self.store.all(EVENT))


def test_an_event() -> None:
    telling = Telling()
    event = telling.tell()
    assert event is not None
    assert event["metadata"]["name"].startswith("a.")
    assert event["involvedObject"] == {
        "kind": "Pod", "namespace": "ns", "name": "a", "uid": "u", "apiVersion": "v1", "resourceVersion": "7",
        "fieldPath": "spec.containers{c}",
    }  # fmt: skip
    assert event["source"] == {"component": "kubelet", "host": "n1"}
    assert (event["count"], event["firstTimestamp"], event["lastTimestamp"]) == (1, *["2026-01-01T00:00:00Z"] * 2)


def test_the_same_again_is_counted() -> None:
    telling = Telling()
    telling.tell()
    telling.later(seconds=5)
    telling.tell()
    telling.tell("other")
    first, second = telling.all()
    assert (first["count"], first["firstTimestamp"], first["lastTimestamp"]) == (
        2, "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z",
    )  # fmt: skip
    assert second["count"] == 1


def test_one_that_is_gone_begins_anew() -> None:
    telling = Telling()
    event = telling.tell()
    assert event is not None
    telling.store.drop(EVENT, "ns", event["metadata"]["name"])
    telling.later(hours=2)
    telling.tell()
    assert [each["count"] for each in telling.all()] == [1]


def test_a_series() -> None:
    telling = Telling()
    for _ in range(3):
        telling.tell(action="Binding")
        telling.later(minutes=1)
    (event,) = telling.all()
    assert event["series"] == {"count": 3, "lastObservedTime": "2026-01-01T00:02:00.000000Z"}
    assert (event["eventTime"], event["firstTimestamp"], event["source"]) == ("2026-01-01T00:00:00.000000Z", None, {})
    telling.later(minutes=6)
    telling.tell(action="Binding")
    assert len(telling.all()) == 2


def test_many_of_one_kind_are_told_as_one() -> None:
    telling = Telling()
    for number in range(15):
        telling.tell(f"probe {number}")
    counts = {each["message"]: each["count"] for each in telling.all()}
    assert len(counts) == 11
    assert counts[f"{COMBINED}probe 14"] == 5
    telling.later(minutes=11)
    telling.tell("probe 99")
    assert "probe 99" in {each["message"] for each in telling.all()}


def test_too_much_of_one_object_is_not_told() -> None:
    telling = Telling()
    told = [telling.tell(reason=f"r{number}") for number in range(BURST + 5)]
    assert [each is not None for each in told] == [True] * BURST + [False] * 5
    other = {**POD, "metadata": {**POD["metadata"], "name": "b", "uid": "v"}}
    assert telling.tell(about=other)
    telling.later(minutes=5)
    assert telling.tell()
    assert telling.tell() is None


def test_of_what_has_no_namespace() -> None:
    telling = Telling()
    event = telling.tell(about={"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "u"}})
    assert event is not None
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["involvedObject"]
