"""The table of types, and objects read by it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lab.registry.kinds import KINDS
from fairlead.lab.registry.schema.decode import TypeMismatchError, decode
from fairlead.lab.registry.schema.table import MODELS, SCALARS, TYPES, Type

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["spec", "name", "x"]), inner),
    max_leaves=10,
)


def inner(type_: Type) -> Type:
    return inner(type_.of) if type_.of else type_


def test_every_type_in_the_table_is_in_the_table() -> None:
    named = {inner(type_).name for fields in TYPES.values() for type_ in fields.values()}
    assert named <= SCALARS | set(TYPES)
    kinds = {name for name, model in MODELS.items() if model.is_kind}
    used = named | kinds | {"DeleteOptions", "EphemeralContainer", "ListMeta", "Status"}
    assert set(TYPES) <= used


def test_every_kind_has_a_type() -> None:
    for kind in KINDS:
        assert {"apiVersion", "kind", "metadata"} <= TYPES[kind.kind].keys()


def test_the_marks_of_a_field() -> None:
    assert TYPES["Container"]["name"].required
    assert not TYPES["Container"]["image"].required
    assert TYPES["Container"]["ports"] == Type("[]", Type("ContainerPort"), "containerPort")
    assert TYPES["ObjectMeta"]["finalizers"] == Type("[]", Type("str"), "")
    assert TYPES["ObjectMeta"]["labels"] == Type("{}", Type("str"))
    assert TYPES["PodSpec"]["volumes"].retains
    assert TYPES["PodSpec"]["tolerations"].key is None
    assert TYPES["DeploymentSpec"]["strategy"] == Type("DeploymentStrategy", retains=True)


def test_what_is_unknown_is_left_out_and_told() -> None:
    value: dict[str, Any] = {
        "kind": "Deployment",
        "metadata": {"name": "x", "creationTimestamp": None, "labels": {}, "managedFields": [{}]},
        "spec": {"replica": 2, "template": {"spec": {"containers": [{"name": "a", "imagee": "b"}, {"x": {"y": 1}}]}}},
        "stat": None,
    }
    assert decode("Deployment", value) == (
        {
            "kind": "Deployment",
            "metadata": {"name": "x"},
            "spec": {"template": {"spec": {"containers": [{"name": "a"}, {}]}}},
        },
        ["spec.replica", "spec.template.spec.containers[0].imagee", "spec.template.spec.containers[1].x", "stat"],
    )


def test_what_is_null_is_not_there() -> None:
    assert decode("ConfigMap", {"data": {"a": None}, "immutable": None})[0] == {"data": {"a": ""}}
    assert decode("Pod", {"spec": {"containers": [None], "hostAliases": [{"hostnames": [None]}]}})[0] == {
        "spec": {"containers": [{}], "hostAliases": [{"hostnames": [""]}]}
    }


@pytest.mark.parametrize("depth", [99, 5000])
def test_what_has_no_bottom_is_refused(depth: int) -> None:
    value: Any = []
    for _ in range(depth):
        value = {"a": value}
    with pytest.raises(TypeMismatchError):
        decode("Pod", {"spec": {"containers": value}})
    if depth > 1000:
        with pytest.raises(TypeMismatchError, match="max depth"):
            decode("ControllerRevision", {"data": value})


def test_the_copy_shares_nothing() -> None:
    value: dict[str, Any] = {"data": {"a": [1]}, "revision": 1}
    found, _ = decode("ControllerRevision", value)
    assert found == value
    found["data"]["a"].append(2)
    assert value["data"] == {"a": [1]}


def test_amounts_are_made_canonical() -> None:
    spec = {"containers": [{"resources": {"limits": {"cpu": 0.5, "memory": "1024Mi", "x": 1}}}]}
    found, _ = decode("Pod", {"spec": spec})
    assert found["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi", "x": "1"}


REPLICAS = "DeploymentSpec.spec.replicas"


@pytest.mark.parametrize(
    ("name", "value", "is_", "field", "wanted"),
    [
        ("Deployment", {"spec": {"replicas": "2"}}, "string", REPLICAS, "int32"),
        ("Deployment", {"spec": {"replicas": 2.5}}, "number 2.5", REPLICAS, "int32"),
        ("Deployment", {"spec": {"replicas": True}}, "bool", REPLICAS, "int32"),
        ("Deployment", {"spec": {"replicas": 2**31}}, "number 2147483648", REPLICAS, "int32"),
        ("Pod", {"spec": []}, "array", "Pod.spec", "v1.PodSpec"),
        ("Pod", {"spec": {"containers": {}}}, "object", "PodSpec.spec.containers", "[]v1.Container"),
        (
            "Pod", {"spec": {"containers": [{"env": [{"name": "A", "value": 1}]}]}},
            "number", "EnvVar.spec.containers.env.value", "string",
        ),
        ("Pod", {"metadata": {"labels": {"a": 1}}}, "number", "ObjectMeta.metadata.labels", "string"),
        ("Pod", {"metadata": {"labels": "a"}}, "string", "ObjectMeta.metadata.labels", "map[string]string"),
        ("Pod", {"spec": {"hostNetwork": "yes"}}, "string", "PodSpec.spec.hostNetwork", "bool"),
        (
            "Service", {"spec": {"ports": [{"targetPort": []}]}},
            "array", "ServicePort.spec.ports.targetPort", "intstr.IntOrString",
        ),
    ],
)  # fmt: skip
def test_what_is_of_another_type(name: str, value: dict[str, Any], is_: str, field: str, wanted: str) -> None:
    with pytest.raises(TypeMismatchError) as error:
        decode(name, value)
    assert str(error.value) == f"json: cannot unmarshal {is_} into Go struct field {field} of type {wanted}"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Secret", {"data": {"a": "a b"}}, "illegal base64 data at input byte 1"),
        ("Secret", {"data": {"a": "YQ"}}, "illegal base64 data at input byte 0"),
        ("Pod", {"spec": {"overhead": {"cpu": "1x"}}}, "quantities must match"),
        ("Pod", {"spec": {"overhead": {"cpu": [1]}}}, "quantities must match"),
    ],
)
def test_what_cannot_be_read(name: str, value: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeMismatchError, match=message):
        decode(name, value)


@given(
    st.sampled_from([kind.kind for kind in KINDS]), st.dictionaries(st.sampled_from(["metadata", "spec", "data"]), JSON)
)
def test_anything_is_read_or_refused_and_what_was_read_stays(name: str, value: dict[str, Any]) -> None:
    try:
        found, _ = decode(name, value)
    except TypeMismatchError:
        return
    assert decode(name, found) == (found, [])
