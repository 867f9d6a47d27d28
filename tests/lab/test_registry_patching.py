"""JSON patches, merge patches, and strategic ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lab.registry.patching import JSON, MERGE, STRATEGIC, json_patch, merge_patch, patched, strategic
from fairlead.lab.registry.patching.errors import MalformedError, PatchError
from fairlead.lab.registry.status import ApiStatusError

NAMES = st.sampled_from("abcd")
VALUES = st.recursive(
    st.integers(0, 3) | st.booleans() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


def difference(before: Any, after: Any) -> Any:
    """The merge patch that makes ``after`` of ``before``."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    found: dict[str, Any] = {name: None for name in before if name not in after}
    for name, inner in after.items():
        if name not in before or repr(before[name]) != repr(inner):
            found[name] = difference(before.get(name), inner)
    return found


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_of_the_difference_makes_the_other(before: Any, after: Any) -> None:
    assert merge_patch.merged(before, difference(before, after)) == after


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_applied_twice_is_as_good_as_once(value: Any, patch: Any) -> None:
    once = merge_patch.merged(value, patch)
    assert merge_patch.merged(once, patch) == once


@pytest.mark.parametrize(
    ("value", "patch", "after"),
    [  # RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches(value: Any, patch: Any, after: Any) -> None:
    assert merge_patch.merged(value, patch) == after


def op(kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **more}


@pytest.mark.parametrize(
    ("value", "operations", "after"),
    [
        ({"a": 1}, [op("add", "/b", value=2)], {"a": 1, "b": 2}),
        ({"a": [1, 3]}, [op("add", "/a/1", value=2), op("add", "/a/-", value=4)], {"a": [1, 2, 3, 4]}),
        ({"a": 1, "b": 2}, [op("remove", "/a")], {"b": 2}),
        ({"a": [1, 2]}, [op("remove", "/a/0")], {"a": [2]}),
        ({"a/b": {"m~n": 1}}, [op("replace", "/a~1b/m~0n", value=2)], {"a/b": {"m~n": 2}}),
        ({"a": [1, 2]}, [op("replace", "/a/1", value=3)], {"a": [1, 3]}),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a/b", "path": "/c"}], {"a": {}, "c": 1}),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}, op("remove", "/a/b")], {"a": {}, "c": {"b": 1}}),
        ({"a": 1}, [op("test", "/a", value=1), op("replace", "", value={"b": 1})], {"b": 1}),
        ({"a": [1, {"b": True}]}, [op("test", "/a", value=[1.0, {"b": True}])], {"a": [1, {"b": True}]}),
        ({"": 1}, [op("replace", "/", value=2)], {"": 2}),
    ],
)
def test_json_patches(value: Any, operations: Any, after: Any) -> None:
    assert json_patch.patched(value, operations) == after


@pytest.mark.parametrize(
    "operation",
    [
        op("remove", "/x"), op("remove", "/l/2"), op("replace", "/x", value=1), op("add", "/x/y", value=1),
        op("add", "/l/4", value=1), op("add", "/l/01", value=1), op("test", "/a", value=2),
        op("test", "/a", value=True), op("add", "/a/b", value=1), op("remove", ""),
        {"op": "move", "from": "/l", "path": "/l/0"},
        op("test", "/l/-", value=1),
    ],
)  # fmt: skip
def test_a_json_patch_that_does_not_fit_changes_nothing(operation: Any) -> None:
    value = {"a": 1, "l": [1, 2]}
    with pytest.raises(PatchError):
        json_patch.patched(value, [op("add", "/new", value=1), operation])
    assert value == {"a": 1, "l": [1, 2]}


@pytest.mark.parametrize(
    "operations", [{}, [1], [op("add", "x", value=1)], [op("add", "/x")], [op("spin", "/x")], [op("copy", "/x")], [{}]]
)
def test_what_is_no_json_patch(operations: Any) -> None:
    with pytest.raises(MalformedError):
        json_patch.patched({}, operations)


def test_a_json_patch_cannot_blow_up() -> None:
    with pytest.raises(MalformedError):
        json_patch.patched({}, [op("add", "/a", value=1)] * 10_001)
    with pytest.raises(PatchError, match="too much"):
        json_patch.patched({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/a/-"}] * 40)


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


def names(value: dict[str, Any], field: str = "containers") -> list[str]:
    return [entry["name"] for entry in value["spec"][field]]


A, B, C = ({"name": name, "image": name} for name in "abc")


def test_entries_of_a_list_are_merged_by_their_key() -> None:
    patch = pod({"name": "b", "image": "new", "env": [{"name": "X", "value": "1"}]})
    found = strategic.patched("Pod", pod(A, {**B, "args": ["x"], "env": [{"name": "Y"}]}, C), patch)
    assert found == pod(
        A, {"name": "b", "image": "new", "args": ["x"], "env": [{"name": "X", "value": "1"}, {"name": "Y"}]}, C
    )


def test_a_list_without_a_key_is_replaced() -> None:
    found = strategic.patched(
        "Pod",
        pod({**A, "args": ["x", "y"]}, tolerations=[{"key": "a"}]),
        pod({"name": "a", "args": ["z"]}, tolerations=[]),
    )
    assert found == pod({**A, "args": ["z"]}, tolerations=[])


def test_null_removes() -> None:
    found = strategic.patched(
        "Pod",
        pod(A, hostNetwork=True, volumes=[{"name": "v"}]),
        {"spec": {"hostNetwork": None, "volumes": None, "x": None}},
    )
    assert found == pod(A)


def test_an_entry_is_deleted_or_replaced() -> None:
    assert strategic.patched("Pod", pod(A, B, C), pod({"name": "b", "$patch": "delete"})) == pod(A, C)
    found = strategic.patched("Pod", pod(A, B, C), pod({"name": "x", "image": None}, {"$patch": "replace"}))
    assert found == pod({"name": "x"})
    found = strategic.patched(
        "Pod", pod(A), {"spec": {"$patch": "replace", "volumes": [{"name": "v", "$patch": "delete"}]}}
    )
    assert found == {"spec": {"volumes": []}}
    assert strategic.patched("Pod", pod(A), {"spec": {"$patch": "delete"}}) == {"spec": {}}


def test_directives_do_not_reach_what_is_new() -> None:
    patch = {
        "spec": {
            "$setElementOrder/containers": [{"name": "a"}],
            "containers": [
                {"name": "a", "$setElementOrder/ports": [{"containerPort": 80}], "ports": [{"containerPort": 80}]}
            ],
            "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
            "securityContext": {"$patch": "delete"},
        }
    }
    assert strategic.patched("Pod", {}, patch) == {
        "spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}]}], "strategy": {"type": "Recreate"}}
    }


def test_only_named_keys_are_retained() -> None:
    value: dict[str, Any] = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch: dict[str, Any] = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic.patched("Deployment", value, patch) == {"spec": {"strategy": {"type": "Recreate"}}}
    value = pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "w"}])
    patch = {"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}]}}
    found = strategic.patched("Pod", value, patch)
    assert found["spec"]["volumes"] == [{"name": "v", "hostPath": {"path": "/"}}, {"name": "w"}]
    with pytest.raises(MalformedError, match="retainKeys"):
        strategic.patched("Pod", value, {"spec": {"$retainKeys": ["a"], "hostNetwork": True}})


def test_lists_of_texts() -> None:
    value = {"metadata": {"finalizers": ["a", "b", "c"]}}
    found = strategic.patched("Pod", value, {"metadata": {"finalizers": ["d", "b"]}})
    assert sorted(found["metadata"]["finalizers"]) == ["a", "b", "c", "d"]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["b", "x"], "$setElementOrder/finalizers": ["a", "c"]}}
    assert strategic.patched("Pod", value, patch) == {"metadata": {"finalizers": ["a", "c"]}}
    with pytest.raises(MalformedError):
        strategic.patched("Pod", value, {"metadata": {"$deleteFromPrimitiveList/finalizers": "b"}})


def order(*words: str, **more: Any) -> dict[str, Any]:
    return {"spec": {"$setElementOrder/containers": [{"name": name} for name in words], **more}}


def test_entries_are_put_in_order() -> None:
    assert names(strategic.patched("Pod", pod(A, B, C), order("c", "a"))) == ["b", "c", "a"]
    assert names(strategic.patched("Pod", pod(A, B, C), order("b", "a", "x"))) == ["b", "a", "c"]
    found = strategic.patched("Pod", pod(A, C), order("a", "b", containers=[B]))
    assert names(found) == ["a", "b", "c"]
    found = strategic.patched("Pod", pod(A, B, C), order("c", "b", containers=[{"name": "a", "$patch": "delete"}]))
    assert names(found) == ["c", "b"]
    with pytest.raises(MalformedError, match="order"):
        strategic.patched("Pod", pod(A), order("c", "b", containers=[B, C]))
    with pytest.raises(MalformedError):
        strategic.patched("Pod", pod(A), {"spec": {"$setElementOrder/containers": "a"}})
    assert strategic.patched("Pod", {"spec": {}}, order("a")) == {"spec": {}}
    assert strategic.patched("Pod", pod(A), order("a", containers=None)) == {"spec": {}}


def test_the_ports_of_a_service_are_merged_by_port() -> None:
    value: dict[str, Any] = {"spec": {"ports": [{"port": 80, "nodePort": 30000}, {"port": 443}]}}
    found = strategic.patched("Service", value, {"spec": {"ports": [{"port": 80, "name": "http"}]}})
    assert found == {"spec": {"ports": [{"port": 80, "nodePort": 30000, "name": "http"}, {"port": 443}]}}
    value = {"subsets": [{"ports": [{"port": 80}]}]}
    assert strategic.patched("Endpoints", value, {"subsets": []}) == {"subsets": []}


@pytest.mark.parametrize(
    ("patch", "error"),
    [
        (pod({"image": "x"}), PatchError),
        (pod({"name": "a", "$patch": "merge"}), PatchError),
        ({"spec": {"$patch": "merge"}}, PatchError),
        ({"spec": {"containers": ["a"]}}, MalformedError),
        ([], MalformedError),
    ],
)
def test_strategic_patches_that_make_no_sense(patch: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        strategic.patched("Pod", pod(A), patch)


ENTRIES = st.lists(
    st.builds(lambda name, image: {"name": name, "image": image}, NAMES, st.text(max_size=2)),
    max_size=4, unique_by=lambda entry: entry["name"],
)  # fmt: skip


@given(ENTRIES, ENTRIES, st.booleans())
def test_a_strategic_patch_never_loses_what_it_does_not_name(before: Any, given_: Any, ordered: bool) -> None:
    patch: dict[str, Any] = {"containers": given_}
    if ordered:
        patch["$setElementOrder/containers"] = [{"name": entry["name"]} for entry in given_]
    after = strategic.patched("Pod", pod(*before), {"spec": patch})["spec"]["containers"]
    assert {entry["name"]: entry for entry in after} == {entry["name"]: entry for entry in [*before, *given_]}
    assert len(after) == len({entry["name"] for entry in after})
    mine = [entry["name"] for entry in given_]
    assert [entry["name"] for entry in after if entry["name"] in mine] == mine
    others = [entry["name"] for entry in before if entry["name"] not in mine]
    assert [entry["name"] for entry in after if entry["name"] not in mine] == others


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_patch_that_has_no_bottom(kind: str) -> None:
    patch: dict[str, Any] = {}
    for _ in range(5000):
        patch = {"a": patch}
    with pytest.raises(ApiStatusError, match="too deeply"):
        patched("Deployment", {}, kind, patch)


def test_patches_by_their_type() -> None:
    value = {"spec": {"replicas": 1}}
    assert patched("Deployment", value, JSON, [op("replace", "/spec/replicas", value=2)])["spec"] == {"replicas": 2}
    for kind in (MERGE, STRATEGIC):
        assert patched("Deployment", value, kind, {"spec": {"replicas": 2}})["spec"] == {"replicas": 2}
    assert value == {"spec": {"replicas": 1}}


@pytest.mark.parametrize(
    ("content_type", "patch", "code"),
    [
        (JSON, {}, 400), (JSON, [op("remove", "/x")], 422), (MERGE, [], 400), (STRATEGIC, [], 400),
        (STRATEGIC, {"spec": {"$patch": "x"}}, 422), ("application/apply-patch+yaml", {}, 415), ("text/plain", {}, 415),
    ],
)  # fmt: skip
def test_what_is_answered_to_bad_patches(content_type: str, patch: Any, code: int) -> None:
    with pytest.raises(ApiStatusError) as error:
        patched("Deployment", {"spec": {}}, content_type, patch)
    assert error.value.code == code
