from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import ApiError, FairleadError, NotFoundError, UnreachableError
from fairlead.kube.resources import FORWARDABLE, Resource, find, match, owned_by, refuse, target_word
from tests.support.fakeapi import FakeApi
from tests.support.loop import run_virtual

CORE = [
    {"name": "configmaps", "singularName": "configmap", "kind": "ConfigMap", "shortNames": ["cm"], "namespaced": True},
    {"name": "nodes", "singularName": "node", "kind": "Node", "shortNames": ["no"], "namespaced": False},
    {"name": "pods/log", "singularName": "", "kind": "Pod", "namespaced": True},
    {"name": 5},
    "junk",
]


def api() -> FakeApi:
    server = FakeApi()
    server.documents["/api/v1"] = {"resources": CORE}
    groups: list[Any] = [{"preferredVersion": {"groupVersion": name}} for name in ("batch/v1", "down/v1", "x.org/v1")]
    server.documents["/apis"] = {"groups": [*groups, {}, 7]}
    server.documents["/apis/batch/v1"] = {"resources": [{"name": "cronjobs", "kind": "CronJob", "shortNames": ["cj"]}]}
    server.documents["/apis/x.org/v1"] = {"resources": [{"name": "configmaps", "kind": "ConfigMap"}]}
    return server


def found(word: str, server: FakeApi | None = None) -> Resource:
    return run_virtual(find(server or api(), word))


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("pod pods po Pod POD pods.v1. pods.", "/api/v1/namespaces/ns/pods/x"),
        ("svc service services Service", "/api/v1/namespaces/ns/services/x"),
        (
            "deploy deployment deployments deployments.apps deployments.v1.apps deploy.v1.apps deploy.app Deployment",
            "/apis/apps/v1/namespaces/ns/deployments/x",
        ),
        ("rs replicaset replicasets.apps", "/apis/apps/v1/namespaces/ns/replicasets/x"),
        ("sts statefulset statefulsets", "/apis/apps/v1/namespaces/ns/statefulsets/x"),
        ("ds daemonset daemonsets", "/apis/apps/v1/namespaces/ns/daemonsets/x"),
        ("rc replicationcontroller replicationcontrollers", "/api/v1/namespaces/ns/replicationcontrollers/x"),
        ("job jobs jobs.batch jobs.v1.batch", "/apis/batch/v1/namespaces/ns/jobs/x"),
    ],
)
def test_the_table_answers_without_asking(words: str, path: str) -> None:
    for word in words.split():
        server = api()
        assert found(word, server).path("ns", "x") == path, word
        assert server.asked == []


@pytest.mark.parametrize("word", ["foo", "pods.v1", "pods.apps", "deploy.v1beta1.apps", "deployments.v2.apps", "p"])
def test_words_that_are_not_in_the_table(word: str) -> None:
    assert match(word, FORWARDABLE) is None


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("cm", "/api/v1/namespaces/ns/configmaps/x"),
        ("ConfigMap", "/api/v1/namespaces/ns/configmaps/x"),
        ("configmaps.x.org", "/apis/x.org/v1/namespaces/ns/configmaps/x"),
        ("no", "/api/v1/nodes/x"),
        ("cj", "/apis/batch/v1/namespaces/ns/cronjobs/x"),
    ],
)
def test_other_resources_are_found_by_their_names_and_short_names(word: str, path: str) -> None:
    assert found(word).path("ns", "x") == path


def test_discovery_asks_each_group_once_and_survives_one_that_is_down() -> None:
    server = api()
    with pytest.raises(NotFoundError) as caught:
        found("foo.bar", server)
    assert caught.value.what == 'the server doesn\'t have a resource type "foo"'
    asked = [each.path for each in server.asked]
    assert asked[0] == "/apis"
    assert sorted(asked[1:]) == ["/api/v1", "/apis/batch/v1", "/apis/down/v1", "/apis/x.org/v1"]


@pytest.mark.parametrize(
    ("word", "near"),
    [("servce", "svc/"), ("svcs", "svc/"), ("Deployement", "deploy/"), ("pd", "pod/"), ("statefulst.apps", "sts/")],
)
def test_a_mistyped_type_is_guessed(word: str, near: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        found(word)
    assert caught.value.remedy.startswith(f"did you mean {near}? forward knows pod, svc")


def test_a_type_that_is_like_no_other_is_not_guessed() -> None:
    with pytest.raises(NotFoundError) as caught:
        found("foo")
    assert caught.value.remedy == "forward knows pod, svc, deploy, rs, sts, ds, rc and job"


@pytest.mark.parametrize("error", [UnreachableError("gone"), ApiError("no", code=500)])
def test_discovery_that_fails_as_a_whole(error: FairleadError) -> None:
    server = api()
    server.failures.append(error)
    with pytest.raises(type(error)):
        found("foo", server)


def test_an_unreachable_server_in_the_middle_comes_out_as_itself() -> None:
    server = api()
    groups = server.documents["/apis"]

    async def get(path: str, query: object = ()) -> dict[str, Any]:
        if path == "/apis":
            return groups
        raise UnreachableError("gone")

    server.get = get  # type: ignore[method-assign]
    with pytest.raises(UnreachableError):
        found("foo", server)


def test_what_has_no_pods_is_refused_in_kubectls_words() -> None:
    words = "cannot attach to *v1.ConfigMap: selector for *v1.ConfigMap not implemented"
    assert refuse(found("cm")).what == words
    # kubectl says of a custom resource that its own code has no Go type for it.
    words = "cannot attach to ConfigMap of x.org: only its own controller knows its pods"
    assert refuse(found("configmaps.x.org")).what == words


def test_names_cannot_leave_their_place_in_the_path() -> None:
    assert found("pod").path("n/s", "a/../b?c") == "/api/v1/namespaces/n%2Fs/pods/a%2F..%2Fb%3Fc"


@pytest.mark.parametrize(
    ("kind", "version", "plural"),
    [
        ("Deployment", "apps/v1", "deployments"),
        ("ReplicationController", "v1", "replicationcontrollers"),
        ("Job", "batch/v1", "jobs"),
        ("Deployment", "example.org/v1", None),
        ("CronJob", "batch/v1", None),
    ],
)
def test_the_workloads_that_may_own_pods(kind: str, version: str, plural: str | None) -> None:
    owner = owned_by(kind, version)
    assert (owner and owner.plural) == plural


@pytest.mark.parametrize(("kind", "word"), [("Deployment", "deploy/a"), ("Job", "job/a"), ("DaemonSet", "ds/a")])
def test_a_workload_is_named_as_one_would_type_it(kind: str, word: str) -> None:
    assert target_word(kind, "a") == word
