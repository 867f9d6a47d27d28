"""Objects as protocol buffers. The long texts are what kubectl 1.36 sends."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lab.registry.schema.decode import TypeMismatchError, decode
from fairlead.lab.registry.schema.table import MODELS, TYPES
from fairlead.lab.registry.schema.wire import WireError, decoded

CREATE_DEPLOYMENT = (
    "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EroBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEogBCAASDAoKCgNhcHASA3dlYhpu"
    "ChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEk4SMAoFbmdpbngSB25naW54OjEqADIKCgAQABhQIgAqAEIAagByAIABAIgBAJABAKIBABoA"
    "MgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA=="
)
CREATE_INGRESS = (
    "azhzAAofChRuZXR3b3JraW5nLms4cy5pby92MRIHSW5ncmVzcxJJChEKAWkSABoAIgAqADIAOABCABIwEggKA2EuYhIBdBokCgNhLmISHQobChkK"
    "Ai94EgsiCQoBcxIECgAQUBoGUHJlZml4GgIKABoAIgA="
)
CREATE_SERVICE = (
    "azhzAAoNCgJ2MRIHU2VydmljZRJjChsKAXMSABoAIgAqADIAOABCAFoICgNhcHASAXMSQAobCgc4MC04MDgwEgNUQ1AYUCIHCAAQkD8aACgAEggK"
    "A2FwcBIBcxoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA=="
)
MAY_I = (
    "azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSPAoQCgASABoAIgAqADIAOABCABIeChwKB2Rl"
    "ZmF1bHQSA2dldBoAIgAqBHBvZHMyADoAGggIABIAGgAgABoAIgA="
)


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    found = b""
    while value > 0x7F:
        found, value = found + bytes([value & 0x7F | 0x80]), value >> 7
    return found + bytes([value])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def sent(kind: str, *parts: bytes, api_version: str = "v1", more: bytes = b"") -> bytes:
    return b"k8s\0" + field(1, field(1, api_version) + field(2, kind)) + field(2, b"".join(parts)) + more


def read(kind: str, *parts: bytes) -> dict[str, Any]:
    found = decoded(sent(kind, *parts))
    assert (found.pop("apiVersion"), found.pop("kind")) == ("v1", kind)
    return found


def test_what_kubectl_sends_for_a_deployment() -> None:
    assert decoded(b64decode(CREATE_DEPLOYMENT)) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "nginx", "image": "nginx:1", "ports": [{"containerPort": 80}]}]},
            },
        },
    }


def test_what_kubectl_sends_for_others() -> None:
    backend = {"service": {"name": "s", "port": {"number": 80}}}
    assert decoded(b64decode(CREATE_INGRESS))["spec"] == {
        "tls": [{"hosts": ["a.b"], "secretName": "t"}],
        "rules": [{"host": "a.b", "http": {"paths": [{"path": "/x", "backend": backend, "pathType": "Prefix"}]}}],
    }
    assert decoded(b64decode(CREATE_SERVICE))["spec"] == {
        "ports": [{"name": "80-8080", "protocol": "TCP", "port": 80, "targetPort": 8080}],
        "selector": {"app": "s"},
        "type": "ClusterIP",
    }
    attributes = {"namespace": "default", "verb": "get", "resource": "pods"}
    assert decoded(b64decode(MAY_I))["spec"] == {"resourceAttributes": attributes}


def spec(*parts: bytes) -> bytes:
    return field(2, b"".join(parts))


OVERHEAD, CONTEXT, LABELS = "overhead", "securityContext", "nodeSelector"
FIXED = varint(9997 << 3 | 5) + b"1234" + varint(9996 << 3 | 1) + b"12345678"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (field(4, 0), {"terminationGracePeriodSeconds": 0}),
        (field(11, 0), {}),  # hostNetwork, which is nothing if it is false
        (field(25, -5), {"priority": -5}),
        (field(30, 0), {"enableServiceLinks": False}),
        (field(7, field(1, "a") + field(2, "b")) + field(7, b""), {LABELS: {"a": "b", "": ""}}),
        (field(1, field(1, "v") + field(2, field(2, b""))), {"volumes": [{"name": "v", "emptyDir": {}}]}),
        (field(32, field(1, "cpu") + field(2, field(1, "1"))), {OVERHEAD: {"cpu": "1"}}),
        (field(32, field(1, "cpu") + field(2, b"")), {OVERHEAD: {"cpu": "0"}}),
        (field(14, field(4, 0) + field(4, 2**40)), {CONTEXT: {"supplementalGroups": [0, 2**40]}}),
        (field(14, field(4, b"\x01\x02")), {CONTEXT: {"supplementalGroups": [1, 2]}}),
        (field(14, field(1, b"")), {CONTEXT: {"seLinuxOptions": {}}}),
        (field(14, field(3, 1)) + field(14, field(2, 5)), {CONTEXT: {"runAsNonRoot": True, "runAsUser": 5}}),
        (field(9999, 1) + field(9998, b"x") + FIXED, {}),
    ],
)
def test_values_in_a_pod(part: bytes, expected: dict[str, Any]) -> None:
    assert read("Pod", field(2, part)) == ({"spec": expected} if expected else {})


USER = field(2, field(4, field(1, "k") + field(2, field(1, "a") + field(1, "b"))))


@pytest.mark.parametrize(
    ("kind", "part", "expected"),
    [
        ("Secret", field(2, field(1, "a") + field(2, b"\x00\xff")), {"data": {"a": "AP8="}}),
        ("ControllerRevision", field(2, field(1, b'{"a":[1]}')) + field(3, 2), {"data": {"a": [1]}, "revision": 2}),
        ("Service", spec(field(1, field(4, field(1, 1) + field(3, "x")))), {"spec": {"ports": [{"targetPort": "x"}]}}),
        ("Pod", field(1, field(8, field(1, 1))), {"metadata": {"creationTimestamp": "1970-01-01T00:00:01Z"}}),
        ("Event", field(10, field(1, 1) + field(2, 5000)), {"eventTime": "1970-01-01T00:00:01.000005Z"}),
        ("TokenReview", field(3, USER), {"status": {"user": {"extra": {"k": ["a", "b"]}}}}),
    ],
)
def test_values(kind: str, part: bytes, expected: dict[str, Any]) -> None:
    assert read(kind, part) == expected


def test_a_container_inside_another_message() -> None:
    common = field(1, field(1, "debug") + field(2, "i")) + field(2, "web")
    assert read("Pod", spec(field(34, common)))["spec"]["ephemeralContainers"] == [
        {"name": "debug", "image": "i", "targetContainerName": "web"}
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "does not appear to be a protobuf message"),
        (b"{}", "does not appear to be a protobuf message"),
        (b"k8s\0", "there is no kind ''"),
        (sent("Nothing"), "there is no kind 'Nothing'"),
        (sent("Pod", more=field(3, "gzip")), "is encoded"),
        (sent("Pod", b"\x0a\x05a"), "ends too early"),
        (sent("Pod", b"\x80"), "has no end"),
        (sent("Pod", b"\xff" * 11), "has no end"),
        (sent("Pod", b"\x0b"), "no wire type 3"),
        (sent("Pod", field(1, 5)), "a number is where bytes should be"),
        (sent("Pod", spec(field(4, b"x"))), "bytes are where a number should be"),
        (sent("Pod", spec(field(3, b"\xff"))), "not UTF-8"),
        (sent("Pod", field(1, field(8, field(1, 2**62)))), "out of range"),
        (sent("ControllerRevision", field(2, field(1, b"{"))), "not JSON"),
        (sent("ControllerRevision", field(2, field(1, b"[" * 100_000))), "not JSON"),
    ],
)
def test_what_is_no_object(body: bytes, message: str) -> None:
    with pytest.raises(WireError, match=message):
        decoded(body)


def test_all_fields_have_numbers_of_their_own() -> None:
    without = {"DeleteOptions": {"apiVersion", "kind"}, "Status": {"apiVersion", "kind"}}
    for name, model in MODELS.items():
        head = {"apiVersion", "kind"} if model.is_kind else without.get(name, set())
        numbers = [each.numbers for key, each in model.fields.items() if key not in head]
        assert all(numbers), name
        assert len(numbers) == len(set(numbers)), name


def test_a_long_list_takes_no_longer_than_its_length() -> None:
    assert len(read("Pod", spec(field(22, b"") * 50_000))["spec"]["tolerations"]) == 50_000


@given(st.sampled_from(sorted(TYPES)), st.binary(max_size=60))
def test_anything_is_read_or_refused(kind: str, raw: bytes) -> None:
    try:
        found = decoded(sent(kind, raw))
    except WireError:
        return
    try:
        assert decode(kind, {key: value for key, value in found.items() if key in TYPES[kind]})[1] == []
    except TypeMismatchError:
        pass  # A number that is too large, or an amount that is none: said as of JSON.


MESSAGES = st.recursive(
    st.binary(max_size=6) | st.integers(-3, 300),
    lambda inner: st.lists(st.tuples(st.integers(1, 12), inner), max_size=5).map(
        lambda parts: b"".join(field(number, value) for number, value in parts)
    ),
    max_leaves=30,
)


@given(st.sampled_from(["Pod", "Service", "Deployment", "Event", "Ingress"]), MESSAGES)
def test_any_messages_are_read_or_refused(kind: str, raw: int | bytes) -> None:
    try:
        decoded(sent(kind, raw if isinstance(raw, bytes) else b""))
    except WireError:
        pass
