"""The end of owners, and of what they owned."""

from __future__ import annotations

from typing import Any

from fairlead.lab.controllers import garbage, namespaces
from fairlead.lab.controllers.meta import condition
from fairlead.lab.registry.kinds import (
    CONFIG_MAP,
    INGRESS,
    NAMESPACE,
    NODE,
    POD,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    Kind,
)
from fairlead.lab.registry.store import Object
from tests.support.labworld import World, names, namespace, one_node, workload


def world() -> World:
    made = World(garbage.CONTROLLER)
    made.create(namespace())
    return made


def config(name: str, *owners: Object, block: bool = True, **more: Any) -> Object:
    references = [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]
    meta = {"name": name, "namespace": "ns", **({"ownerReferences": references} if references else {}), **more}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def test_in_the_background_all_that_is_owned_follows() -> None:
    made = world()
    first = made.create(config("a"))
    second = made.create(config("b", first))
    made.create(config("c", second))
    made.create(config("other"))
    made.delete(CONFIG_MAP, "a")
    assert names(made.all(CONFIG_MAP)) == ["other"]


def test_an_owner_that_is_not_there_or_is_another() -> None:
    made = world()
    first = made.create(config("a"))
    made.create(config("b", {**first, "metadata": {"name": "a", "uid": "of-one-before"}}))
    made.create(config("c", {**first, "metadata": {"name": "gone", "uid": "x"}}))
    made.create(config("d", {**first, "kind": "Widget", "apiVersion": "example.com/v1"}))
    assert names(made.all(CONFIG_MAP)) == ["a", "d"]


def test_one_of_two_owners_is_forgotten() -> None:
    made = world()
    owners = made.create(config("a")), made.create(config("b"))
    made.create(config("c", *owners))
    made.delete(CONFIG_MAP, "a")
    left = made.get(CONFIG_MAP, "c")["metadata"]["ownerReferences"]
    assert [each["name"] for each in left] == ["b"]
    made.delete(CONFIG_MAP, "b")
    assert made.all(CONFIG_MAP) == []


def test_an_owner_without_a_namespace() -> None:
    made = world()
    node = made.create(one_node())
    made.create(config("a", node))
    assert names(made.all(CONFIG_MAP)) == ["a"]
    made.delete(NODE, "n1", namespace="")
    assert made.all(CONFIG_MAP) == []


def test_in_the_foreground_the_owner_waits_for_what_blocks_it() -> None:
    made = world()
    first = made.create(config("a"))
    second = made.create(config("b", first))
    made.create(config("c", second, finalizers=["example.com/wait"]))
    made.create(config("d", first, block=False, finalizers=["example.com/wait"]))
    made.delete(CONFIG_MAP, "a", "Foreground")
    assert names(made.all(CONFIG_MAP)) == ["a", "b", "c", "d"]
    assert made.get(CONFIG_MAP, "b")["metadata"]["finalizers"] == ["foregroundDeletion"]

    def release(value: Any) -> None:
        value["metadata"]["finalizers"] = []

    made.change(CONFIG_MAP, "c", release)
    assert names(made.all(CONFIG_MAP)) == ["d"]
    made.change(CONFIG_MAP, "d", release)
    assert made.all(CONFIG_MAP) == []


def test_orphans_live_on() -> None:
    made = world()
    first = made.create(config("a"))
    made.create(config("b", first))
    made.create(config("c", made.create(config("x")), first))
    made.delete(CONFIG_MAP, "a", "Orphan")
    assert names(made.all(CONFIG_MAP)) == ["b", "c", "x"]
    assert "ownerReferences" not in made.get(CONFIG_MAP, "b")["metadata"]
    assert [each["name"] for each in made.get(CONFIG_MAP, "c")["metadata"]["ownerReferences"]] == ["x"]


# Namespaces

MINIMAL: dict[Kind, Any] = {
    POD: {"spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "a"}]}},
    SERVICE: {"spec": {"clusterIP": "None"}},
    SECRET: {},
    INGRESS: {"spec": {"defaultBackend": {"service": {"name": "one", "port": {"number": 80}}}}},
}


def filled() -> World:
    made = World(garbage.CONTROLLER, namespaces.controller("PEM"), stops=lambda pod: 5.0)
    made.create(namespace())
    made.create(namespace("other"))
    for kind, value in MINIMAL.items():
        for where in ("ns", "other"):
            meta = {"name": "one", "namespace": where}
            made.create({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta, **value})
    made.create(workload("Deployment"))
    return made


def test_what_is_in_a_namespace_from_its_beginning() -> None:
    made = filled()
    assert made.get(CONFIG_MAP, "kube-root-ca.crt")["data"] == {"ca.crt": "PEM"}
    made.delete(SERVICE_ACCOUNT, "default")
    assert names(made.all(SERVICE_ACCOUNT)) == ["default", "default"]

    def spoil(value: Any) -> None:
        value["data"] = {}

    made.change(CONFIG_MAP, "kube-root-ca.crt", spoil)
    assert made.get(CONFIG_MAP, "kube-root-ca.crt")["data"] == {"ca.crt": "PEM"}


def test_a_namespace_ends_with_all_that_is_in_it() -> None:
    made = filled()
    made.delete(NAMESPACE, "ns", namespace="")
    found = made.get(NAMESPACE, "ns", "")
    assert found["status"]["phase"] == "Terminating"
    remaining = condition(found, "NamespaceContentRemaining")
    assert remaining is not None
    assert remaining["message"] == "Some resources are remaining: pods. has 1 resource instances"
    assert len(made.all(SECRET)) == 2  # a pod may still have need of it
    made.advance(5)
    assert names(made.all(NAMESPACE)) == ["other"]
    for kind in MINIMAL:
        assert [value["metadata"]["namespace"] for value in made.all(kind)] == ["other"]


def test_a_finalizer_holds_up_a_namespace_and_is_told() -> None:
    made = filled()
    made.create(config("held", finalizers=["example.com/wait"]))
    made.delete(NAMESPACE, "ns", namespace="")
    made.advance(10)
    waiting = condition(made.get(NAMESPACE, "ns", ""), "NamespaceFinalizersRemaining")
    assert waiting is not None
    assert waiting["message"].endswith("remaining: example.com/wait in 1 resource instances")

    def release(value: Any) -> None:
        value["metadata"]["finalizers"] = []

    made.change(CONFIG_MAP, "held", release)
    assert names(made.all(NAMESPACE)) == ["other"]


def test_a_terminating_namespace_gets_nothing_new() -> None:
    made = filled()
    made.delete(NAMESPACE, "ns", namespace="")
    made.rules.delete(SERVICE_ACCOUNT, "ns", "default", {})
    made.settle()
    assert [value["metadata"]["namespace"] for value in made.all(SERVICE_ACCOUNT)] == ["other"]
