"""What a client that watches is told."""

from __future__ import annotations

from typing import Any

from fairlead.lab.apiserver.watching import INITIAL_END, Watcher
from fairlead.lab.registry.kinds import POD
from fairlead.lab.registry.store import Change, Store


def pod(name: str, namespace: str = "ns", **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}}


def is_web(value: dict[str, Any]) -> bool:
    return bool(value["metadata"]["labels"].get("app") == "web")


def heard(store: Store, watcher: Watcher) -> list[tuple[str, str, str]]:
    """Type, name and revision of what is told from now on; the list grows."""
    found: list[tuple[str, str, str]] = []

    def told(change: Change) -> None:
        event = watcher.changed(change)
        if event is not None:
            meta = event.object["metadata"]
            found.append((event.type, meta["name"], str(int(meta["resourceVersion"]) - start)))

    start = store.revision
    store.follow(POD, told)
    return found


def test_a_client_sees_what_it_chose() -> None:
    store = Store()
    found = heard(store, Watcher(POD, "ns", is_web, bookmarks=False))
    store.put(POD, pod("a", app="web"))
    store.put(POD, pod("b", app="db"))
    store.put(POD, pod("c", "else", app="web"))
    store.put(POD, pod("a", app="web", x="1"))
    store.put(POD, pod("a", app="db"))
    store.put(POD, pod("a", app="db", x="2"))
    store.put(POD, pod("b", app="web"))
    store.drop(POD, "ns", "a")
    store.drop(POD, "ns", "b")
    assert found == [
        ("ADDED", "a", "1"),
        ("MODIFIED", "a", "4"),
        ("DELETED", "a", "5"),
        ("ADDED", "b", "7"),
        ("DELETED", "b", "9"),
    ]


def test_what_was_there_before_and_a_line_that_this_was_all() -> None:
    store = Store()
    for value in (pod("a", app="web"), pod("b", app="db")):
        store.put(POD, value)
    watcher = Watcher(POD, "", is_web, bookmarks=True)
    first, end = watcher.initial(store.all(POD), store.revision, end=True)
    assert (first.type, first.object["metadata"]["name"]) == ("ADDED", "a")
    assert end.object == {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "resourceVersion": str(store.revision),
            "creationTimestamp": None,
            "annotations": {INITIAL_END: "true"},
        },
    }
    assert len(list(watcher.initial(store.all(POD), store.revision, end=False))) == 1


def test_bookmarks_tell_how_far_it_is() -> None:
    store = Store()
    watcher = Watcher(POD, "", lambda value: True, bookmarks=True)
    assert list(watcher.initial((), store.revision, end=False)) == []
    assert watcher.bookmark(store.revision) is None, "it knows"
    found = heard(store, watcher)
    store.put(POD, pod("a"))
    assert found
    assert watcher.bookmark(store.revision) is None
    event = watcher.bookmark(store.revision + 5)
    assert event is not None
    assert (event.type, event.object["metadata"]["resourceVersion"]) == ("BOOKMARK", str(store.revision + 5))
    assert Watcher(POD, "", lambda value: True, bookmarks=False).bookmark(9) is None
