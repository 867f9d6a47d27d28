"""The objects of a lab, and their revisions."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.lab.registry.kinds import KINDS, NODE, OF_KIND, POD
from fairlead.lab.registry.store import Change, ExpiredError, Store


def pod(name: str, namespace: str = "ns", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def names(store: Store, namespace: str = "") -> list[str]:
    return [value["metadata"]["name"] for value in store.all(POD, namespace)]


def test_what_is_put_is_there_with_its_revision() -> None:
    store = Store()
    before = store.revision
    stored = store.put(POD, pod("a"))
    assert stored == store.get(POD, "ns", "a")
    assert stored["metadata"]["resourceVersion"] == str(store.revision) == str(before + 1)
    assert store.get(POD, "other", "a") is None
    assert store.get(NODE, "ns", "a") is None


def test_the_same_again_is_no_change() -> None:
    store = Store()
    first = store.put(POD, pod("a"))
    assert store.put(POD, pod("a")) is first
    assert store.put(POD, pod("a", x=1)) != first
    assert len(store.since(POD, 1)) == 2


def test_lists_are_in_order_and_of_a_namespace() -> None:
    store = Store()
    for value in (pod("b"), pod("a"), pod("c", "else")):
        store.put(POD, value)
    assert names(store, "ns") == ["a", "b"]
    assert names(store) == ["c", "a", "b"]


def test_who_comes_back_hears_what_happened_meanwhile() -> None:
    store, heard = Store(), list[Change]()
    stop = store.follow(POD, heard.append)
    store.put(POD, pod("a"))
    start = store.revision
    store.put(NODE, {"metadata": {"name": "n"}})
    store.put(POD, pod("a", x=1))
    gone = store.drop(POD, "ns", "a")
    assert gone is not None
    assert store.drop(POD, "ns", "a") is None
    later = store.since(POD, start)
    assert heard[1:] == later
    assert [(change.before is None, change.after is None) for change in heard] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert gone["metadata"]["resourceVersion"] == str(later[-1].revision)
    stop()
    stop()
    store.put(POD, pod("b"))
    assert len(heard) == 3


def test_what_is_too_long_ago_is_not_known() -> None:
    store = Store(history=3)
    for index in range(5):
        store.put(POD, pod(f"p{index}"))
    assert len(store.since(POD, store.revision - 3)) == 3
    with pytest.raises(ExpiredError):
        store.since(POD, store.revision - 4)
    assert Store().since(POD, 1) == []


def test_kinds_are_told_apart() -> None:
    assert len(OF_KIND) == len(KINDS)
    assert len({(kind.root, kind.plural) for kind in KINDS}) == len(KINDS)
    words = [word for kind in KINDS for word in (kind.plural, kind.singular, *kind.short)]
    assert len(words) == len(set(words) | {"endpoints"}) + 1, "Endpoints alone has one word for both"
