"""The OpenAPI documents: whole, the same in both versions, and with what kubectl looks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fairlead.lab.registry import discovery, openapi
from fairlead.lab.registry.kinds import DEPLOYMENT, KINDS, NAMESPACE, POD, SERVICE, Kind
from fairlead.lab.registry.patching import CONTENT_TYPES
from fairlead.lab.registry.schema.table import MODELS, model_of

V2 = openapi.v2()
V3 = {of: openapi.v3(*of) for of in discovery.group_versions()}
CORE = "io.k8s.api.core.v1."


def schemas(kind: Kind) -> dict[str, Any]:
    found = V3[kind.group, kind.version]["components"]["schemas"]
    assert isinstance(found, dict)
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_to_a_type() -> None:
    assert {name.removeprefix("#/definitions/") for name in references(V2)} <= set(V2["definitions"])
    for document in V3.values():
        named = {name.removeprefix("#/components/schemas/") for name in references(document)}
        assert named <= set(document["components"]["schemas"])


def test_both_versions_have_the_same_paths_and_types() -> None:
    paths = {path: set(item) for document in V3.values() for path, item in document["paths"].items()}
    assert paths == {path: set(item) for path, item in V2["paths"].items()}
    types = {name for document in V3.values() for name in document["components"]["schemas"]}
    assert types == set(V2["definitions"])


def test_no_two_operations_have_the_same_name() -> None:
    names = [
        operation["operationId"]
        for item in V2["paths"].values()
        for name, operation in item.items()
        if name != "parameters"
    ]
    assert len(names) == len(set(names))
    assert {
        "listCoreV1NamespacedPod", "listCoreV1PodForAllNamespaces", "readAppsV1NamespacedDeployment",
        "createCoreV1Node", "deleteNetworkingV1CollectionNamespacedIngress", "patchCoreV1NamespacedPodStatus",
        "replaceCoreV1NamespaceFinalize", "readAppsV1NamespacedDeploymentScale", "createCoreV1NamespacedPodEviction",
    } <= set(names)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_patch_leaves_validation_to_the_server(kind: Kind) -> None:
    """What kubectl looks at before it sends an object unchecked: any patch of that kind, whichever it finds first."""
    gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    for document in (V2, V3[kind.group, kind.version]):
        patches = [item["patch"] for item in document["paths"].values() if "patch" in item]
        own = [patch for patch in patches if patch["x-kubernetes-group-version-kind"] == gvk]
        assert own
        assert all("fieldValidation" in [each["name"] for each in patch["parameters"]] for patch in own)
        kinds_of_patches = (patch.get("consumes") or list(patch["requestBody"]["content"]) for patch in own)
        assert all(set(found) == set(CONTENT_TYPES) for found in kinds_of_patches)


@pytest.mark.parametrize("kind", [*KINDS, *discovery.REVIEWS], ids=lambda kind: kind.kind)
def test_every_kind_is_found_by_its_path_and_its_name(kind: Kind) -> None:
    gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    namespace = "/namespaces/{namespace}" if kind.namespaced else ""
    path = V3[kind.group, kind.version]["paths"][f"{kind.root}{namespace}/{kind.plural}"]
    assert path["post"]["x-kubernetes-group-version-kind"] == gvk
    assert [name for name, of in schemas(kind).items() if gvk in of.get("x-kubernetes-group-version-kind", ())] == [
        model_of(kind).name
    ]


def test_lists_that_are_merged() -> None:
    spec = schemas(POD)[CORE + "PodSpec"]["properties"]
    assert spec["containers"] == {
        "type": "array", "items": {"$ref": f"#/components/schemas/{CORE}Container"},
        "description": "The containers; one at least.", "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"], "x-kubernetes-patch-merge-key": "name",
        "x-kubernetes-patch-strategy": "merge",
    }  # fmt: skip
    assert spec["volumes"]["x-kubernetes-patch-strategy"] == "merge,retainKeys"
    assert spec["tolerations"]["x-kubernetes-list-type"] == "atomic"
    assert spec["nodeSelector"]["x-kubernetes-map-type"] == "atomic"
    ports = V2["definitions"][CORE + "ServiceSpec"]["properties"]["ports"]
    assert ports["x-kubernetes-list-map-keys"] == ["port", "protocol"]
    assert ports["x-kubernetes-patch-merge-key"] == "port"
    strategy = schemas(DEPLOYMENT)["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["strategy"]
    assert strategy["x-kubernetes-patch-strategy"] == "retainKeys"
    finalizers = V2["definitions"]["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]["properties"]["finalizers"]
    assert (finalizers["x-kubernetes-list-type"], finalizers["x-kubernetes-patch-strategy"]) == ("set", "merge")
    assert "x-kubernetes-patch-merge-key" not in finalizers


def test_values_and_what_is_required() -> None:
    port = schemas(SERVICE)[CORE + "ServicePort"]
    assert port["required"] == ["port"]
    assert port["properties"]["protocol"]["enum"] == ["SCTP", "TCP", "UDP"]
    assert port["properties"]["targetPort"]["allOf"][0]["$ref"].endswith(".intstr.IntOrString")
    assert V2["definitions"][CORE + "ServicePort"]["properties"]["targetPort"]["$ref"].endswith(".intstr.IntOrString")
    assert "" in V2["definitions"][CORE + "HostPathVolumeSource"]["properties"]["type"]["enum"]


def test_a_version_has_the_types_it_needs_and_no_others() -> None:
    assert set(schemas(DEPLOYMENT)) < set(V2["definitions"])
    assert CORE + "Service" not in schemas(DEPLOYMENT)
    assert CORE + "Container" in schemas(DEPLOYMENT)
    assert "io.k8s.api.autoscaling.v1.Scale" in schemas(DEPLOYMENT)


def test_paths_are_those_that_can_be_asked() -> None:
    paths = V3["", "v1"]["paths"]
    assert set(paths["/api/v1/namespaces"]) == {"get", "post", "parameters"}
    assert set(paths["/api/v1/namespaces/{name}/finalize"]) == {"put", "parameters"}
    assert "/api/v1/namespaces/{namespace}/pods/{name}/exec" not in paths
    assert [each["name"] for each in paths["/api/v1/namespaces/{namespace}/pods/{name}"]["parameters"]] == [
        "namespace", "name",
    ]  # fmt: skip
    reviews = V3["authorization.k8s.io", "v1"]["paths"]
    assert set(reviews["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"]) == {"post", "parameters"}


def test_every_type_says_what_it_is() -> None:
    assert all(model.words for model in MODELS.values())
    kinds = {model_of(kind).name for kind in KINDS}
    assert all(field.words for model in MODELS.values() if model.name in kinds for field in model.fields.values())
    assert NAMESPACE.kind in MODELS
