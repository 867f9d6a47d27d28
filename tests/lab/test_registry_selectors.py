"""Label selectors and field selectors."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lab.registry import field_selectors, selectors
from fairlead.lab.registry.kinds import CONFIG_MAP, EVENT, NAMESPACE, NODE, POD, SECRET, Kind
from fairlead.lab.registry.status import ApiStatusError
from fairlead.model.selector import LabelSelector, Requirement

LABELS = {"app": "web", "tier": "front", "n": "5", "in": "x"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True), ("  ", True), ("app=web", True), ("app==web", True), ("app = web", True), ("app=api", False),
        ("app!=api", True), ("app!=web", False), ("none!=web", True), ("none=", False), ("none!=", True),
        ("app", True), ("none", False), ("!none", True), ("!app", False), ("app,!none", True),
        ("app in (web)", True), ("app in (api, web)", True), ("app in(api,web)", True), ("app in (api)", False),
        ("app notin (api)", True), ("app notin (web,api)", False), ("none notin (a)", True), ("none in ()", False),
        ("app=web,tier in (front,back),!x,n", True), ("app=web,tier=back", False), ("in=x", True), ("in in (x)", True),
        ("n>4", True), ("n > 5", False), ("n<6", True), ("n<5", False), ("app>1", False), ("none>1", False),
    ],
)  # fmt: skip
def test_label_selectors(text: str, holds: bool) -> None:
    assert selectors.matches(selectors.parsed(text), LABELS) is holds


def test_without_labels() -> None:
    assert selectors.matches(selectors.parsed("!a,b!=c"), None)
    assert not selectors.matches(selectors.parsed("a"), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=b,", "found '', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a=(b)", "unable to parse requirement: found '(', expected: identifier"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a>b", "values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer"),
        ("a=b_", 'values[0][a]: Invalid value: "b_": a valid label must be an empty string or consist of'),
        ("a/b/c", '<nil>: Invalid value: "a/b/c": a valid label key must consist of'),
        ("_a", '<nil>: Invalid value: "_a": name part must consist of'),
    ],
)
def test_selectors_that_make_no_sense(text: str, message: str) -> None:
    with pytest.raises(ApiStatusError) as error:
        selectors.parsed(text)
    assert error.value.code == 400
    assert message in error.value.message


KEYS = st.sampled_from(["a", "in", "notin", "x.y/z", "A_b"])
TERMS = st.one_of(
    st.builds(lambda key, value: Requirement(key, "=", (value,)), KEYS, st.sampled_from(["", "v", "in"])),
    st.builds(
        lambda key, kind, values: Requirement(key, kind, tuple(sorted(values))),
        KEYS, st.sampled_from(["in", "notin"]), st.sets(st.sampled_from(["v", "w", "1"]), min_size=1),
    ),
    st.builds(lambda key, kind: Requirement(key, kind), KEYS, st.sampled_from(["exists", "!exists"])),
)  # fmt: skip


@given(st.lists(TERMS, max_size=4))
def test_what_is_written_is_read(terms: list[Requirement]) -> None:
    selector = LabelSelector(tuple(terms))
    assert selectors.parsed(str(selector)) == selector


@given(st.text(alphabet="ab=!<>(), in\t", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ApiStatusError):
        selectors.matches(selectors.parsed(text), {"a": "b"})


def test_selectors_of_workloads() -> None:
    found = selectors.of_object(
        {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "x", "operator": "Exists"}]}
    )
    assert found is not None
    assert selectors.matches(found, {"app": "web", "x": ""})
    assert not selectors.matches(found, {"app": "web"})
    assert selectors.of_object(None) is None
    assert selectors.of_object({"matchExpressions": [{"key": "x", "operator": "Is"}]}) is None


A_POD = {
    "metadata": {"name": "p", "namespace": "ns"},
    "spec": {"nodeName": "n", "hostNetwork": True, "restartPolicy": "Always"},
    "status": {"phase": "Running", "podIP": "10.0.0.1"},
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True), ("metadata.name=p", True), ("metadata.name==q", False), ("metadata.name!=q", True),
        ("metadata.namespace=ns,status.phase!=Failed", True), ("spec.nodeName=n", True), ("spec.nodeName=", False),
        ("status.phase!=Running", False), ("spec.hostNetwork=true", True), ("status.podIPs=10.0.0.1", True),
        ("status.nominatedNodeName=", True), (r"metadata.name=p\,x", False), ("spec.schedulerName!=a,,", True),
    ],
)  # fmt: skip
def test_field_selectors(text: str, holds: bool) -> None:
    assert field_selectors.parsed(POD, text).matches(A_POD) is holds


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (EVENT, "involvedObject.kind=Pod,type!=Normal", {"involvedObject": {"kind": "Pod"}, "type": "Warning"}),
        (EVENT, "source=kubelet", {"source": {"component": "kubelet"}}),
        (EVENT, "source=kubelet", {"reportingComponent": "kubelet"}),
        (SECRET, "type=Opaque", {"type": "Opaque"}),
        (NODE, "spec.unschedulable=false", {}),
        (NAMESPACE, "status.phase=Active", {"status": {"phase": "Active"}}),
        (CONFIG_MAP, r"metadata.name=a\\b\=c\,d", {"metadata": {"name": r"a\b=c,d"}}),
    ],
)  # fmt: skip
def test_fields_of_other_kinds(kind: Kind, text: str, value: dict[str, Any]) -> None:
    assert field_selectors.parsed(kind, text).matches(value)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (POD, "spec.foo=1", "field label not supported: spec.foo"),
        (
            CONFIG_MAP, "data=1",
            '"data" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (NODE, "metadata.namespace=x", "field label not supported: metadata.namespace"),
        (POD, "a=b,metadata.name", "field label not supported: a"),
        (POD, "metadata.name=b,spec", "invalid selector: 'metadata.name=b,spec'; can't understand 'spec'"),
    ],
)  # fmt: skip
def test_fields_that_cannot_be_asked_for(kind: Kind, text: str, message: str) -> None:
    with pytest.raises(ApiStatusError) as error:
        field_selectors.parsed(kind, text)
    assert (error.value.code, error.value.message) == (400, message)


def test_the_one_name_that_is_asked_for() -> None:
    assert field_selectors.parsed(POD, "status.phase=x,metadata.name=web").name == "web"
    assert field_selectors.parsed(POD, "metadata.name!=web").name == ""
