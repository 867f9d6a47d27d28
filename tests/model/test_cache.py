from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from fairlead.model.cache import Cache, Change


@dataclass(frozen=True)
class Item:
    name: str
    uid: str = "u"
    resource_version: str = "1"
    namespace: str = "ns"


def test_put_tells_what_came_and_what_changed() -> None:
    cache: Cache[Item] = Cache(9)
    first, second = Item("a"), Item("a", resource_version="2")
    assert cache.put(first) == [Change(None, first)]
    assert cache.put(first) == []
    assert cache.put(second) == [Change(first, second)]
    assert list(cache) == [second]
    assert cache.get("ns", "a") == second


def test_another_uid_is_another_object() -> None:
    cache: Cache[Item] = Cache(9)
    first, second = Item("a"), Item("a", uid="v")
    cache.put(first)
    assert cache.put(second) == [Change(first, None), Change(None, second)]
    assert cache.drop(first) == [], "a late deletion of the old one"
    assert cache.drop(second) == [Change(second, None)]
    assert cache.drop(second) == []
    assert len(cache) == 0


def test_replace_deletes_what_it_does_not_name() -> None:
    cache: Cache[Item] = Cache(9)
    a, b, c = Item("a"), Item("b"), Item("c")
    cache.replace([a, b])
    changed = Item("b", resource_version="2")
    assert cache.replace([changed, c]) == [Change(a, None), Change(b, changed), Change(None, c)]
    assert cache.replace([changed, c]) == []
    again = Item("c", uid="v")
    assert cache.replace([again]) == [Change(changed, None), Change(c, None), Change(None, again)]


ITEMS = st.builds(Item, st.sampled_from("abc"), st.sampled_from("uv"), st.sampled_from("12"))
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "drop"]), ITEMS) | st.tuples(st.just("replace"), st.lists(ITEMS, max_size=3)),
    max_size=12,
)


@given(STEPS)
def test_the_changes_rebuild_the_cache(steps: list[tuple[str, Item | list[Item]]]) -> None:
    cache: Cache[Item] = Cache(9)
    copy: dict[tuple[str, str], Item] = {}
    for verb, argument in steps:
        for change in getattr(cache, verb)(argument):
            assert change.old != change.new
            if change.old is not None:
                assert copy.pop((change.old.name, change.old.uid)) == change.old
            if change.new is not None:
                copy[change.new.name, change.new.uid] = change.new
        assert sorted(copy.values(), key=str) == sorted(cache, key=str)


def test_more_than_it_may_hold() -> None:
    cache: Cache[Item] = Cache(2)

    def crowded() -> bool:
        return cache.crowded

    cache.replace([Item("a"), Item("b"), Item("b", resource_version="2")])
    assert not crowded()
    assert cache.put(Item("c")) == []
    assert crowded()
    changed = Item("a", resource_version="2")
    assert cache.put(changed) == [Change(Item("a"), changed)]
    assert cache.drop(Item("c")) == []
    cache.drop(changed)
    assert cache.put(Item("c")) == [Change(None, Item("c"))]
    assert crowded(), "others were left out that it does not know"
    cache.replace([Item("a")])
    assert not crowded()
    assert cache.replace([Item("a"), Item("b"), Item("c")]) == [Change(None, Item("b"))]
    assert crowded()
