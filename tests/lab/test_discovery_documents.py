"""Which document is answered at which path, and in which form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fairlead.lab.registry import documents, media
from fairlead.lab.registry.documents import Asked, Document
from fairlead.lab.registry.status import ApiStatusError

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
KUBECTL = f"{AGGREGATED.format('v2')},{AGGREGATED.format('v2beta1')},application/json"
KUBECTL_136 = f"{AGGREGATED.format('v2')};profile=nopeer,{KUBECTL}"


def answered(path: str, accept: str = "", **more: str) -> Document:
    found = documents.answered(Asked(path, accept, **more))
    assert found is not None
    return found


def read(path: str, accept: str = "", **more: str) -> Any:
    return json.loads(answered(path, accept, **more).body)


@pytest.mark.parametrize("path", ["/api", "/apis"])
@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (KUBECTL, "v2"), (KUBECTL_136, "v2"), (AGGREGATED.format("v2beta1") + ",application/json", "v2beta1"),
        (AGGREGATED.format("v9") + "," + AGGREGATED.format("v2beta1"), "v2beta1"),
    ],
)  # fmt: skip
def test_discovery_in_the_newer_form(path: str, accept: str, form: str) -> None:
    found = answered(path, accept)
    assert found.type == f"application/json;g=apidiscovery.k8s.io;v={form};as=APIGroupDiscoveryList"
    assert json.loads(found.body)["apiVersion"] == f"apidiscovery.k8s.io/{form}"


@pytest.mark.parametrize("accept", ["", "*/*", "application/json, */*", "application/*", "text/html,*/*;q=0.8"])
def test_discovery_in_the_older_form(accept: str) -> None:
    assert (
        read("/api", accept, server="1.2.3.4:6443")["serverAddressByClientCIDRs"][0]["serverAddress"] == "1.2.3.4:6443"
    )
    assert read("/apis", accept)["kind"] == "APIGroupList"


@pytest.mark.parametrize("path", ["/api", "/apis", "/openapi/v2", "/openapi/v3/api/v1"])
def test_what_cannot_be_had(path: str) -> None:
    with pytest.raises(ApiStatusError) as error:
        documents.answered(Asked(path, "text/html"))
    assert error.value.code == 406
    assert "application/json" in error.value.message


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/v1", "APIResourceList"), ("/apis/apps", "APIGroup"), ("/apis/apps/", "APIGroup"),
        ("/apis/apps/v1", "APIResourceList"), ("/apis/authorization.k8s.io/v1", "APIResourceList"),
    ],
)  # fmt: skip
def test_groups_and_versions(path: str, kind: str) -> None:
    assert read(path)["kind"] == kind


@pytest.mark.parametrize(
    "path",
    [
        "/apis/batch", "/apis/batch/v1", "/api/v2", "/apis//v1", "/openapi", "/openapi/v3/apis/batch/v1", "/x",
        "/openapi/v3/apis", "/api/v1/pods",
    ],
)  # fmt: skip
def test_what_there_is_not(path: str) -> None:
    assert documents.answered(Asked(path)) is None


def test_the_root_names_paths_that_exist() -> None:
    paths = read("/")["paths"]
    assert "/apis/apps/v1" in paths
    for path in set(paths) - {"/healthz", "/livez", "/readyz"}:
        assert documents.answered(Asked(path)) is not None, path


def test_a_document_that_the_client_has_is_not_sent() -> None:
    tag = dict(answered("/openapi/v2").headers)["ETag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        found = answered("/openapi/v2", none_match=known)
        assert (found.code, found.body) == (304, b"")
    assert answered("/openapi/v2", none_match='"x"').code == 200


def test_tags_are_those_of_forms() -> None:
    wire = answered("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
    assert wire.headers != answered("/openapi/v2").headers
    assert ("Vary", "Accept") in wire.headers


def test_openapi_3_is_found_by_its_hash_and_kept_for_long() -> None:
    for path, entry in read("/openapi/v3")["paths"].items():
        url, _, hashed = entry["serverRelativeURL"].partition("?hash=")
        assert url == f"/openapi/v3/{path}"
        found = answered(url, hash=hashed)
        assert found.code == 200
        assert "immutable" in dict(found.headers)["Cache-Control"]
        assert "Cache-Control" not in dict(answered(url).headers)
        moved = answered(url, hash="0")
        assert (moved.code, moved.headers) == (301, (("Location", entry["serverRelativeURL"]),))


@pytest.mark.parametrize(
    ("accept", "types"),
    [
        ("", ["application/json"]),
        ("a/b;q=0.1, c/d , e/f;q=0.5;x=y", ["c/d", "e/f", "a/b"]),
        ("a/b;q=0, c/d;q=x, E/F;q=1", ["e/f"]),
        (",", []),
    ],
)
def test_alternatives_by_quality(accept: str, types: list[str]) -> None:
    assert [clause.type for clause in media.clauses(accept)] == types
