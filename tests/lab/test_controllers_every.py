"""All controllers together, in virtual time."""

from __future__ import annotations

from typing import Any

from fairlead.lab.controllers.every import every
from fairlead.lab.controllers.node import LEASES
from fairlead.lab.registry.kinds import DEPLOYMENT, EVENT, KINDS, LEASE, NAMESPACE, NODE, POD, SECRET
from fairlead.lab.registry.store import Change
from tests.support.labworld import FACTS, World, namespace, set_image, template, workload


def service(name: str, app: str, **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    whole = {"selector": {"app": app}, "ports": ports, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "ns"}, "spec": whole}


def world() -> World:
    made = World(*every("PEM", FACTS))
    made.create(namespace(LEASES))
    made.create(namespace())
    made.advance(1)
    made.create(service("web", "web"))
    made.create(service("peers", "db", clusterIP="None"))
    made.create(workload("Deployment"))
    peers = {"selector": {"matchLabels": {"app": "db"}}, "template": template(app="db"), "serviceName": "peers"}
    made.create(workload("StatefulSet", "db", 2, **peers))
    return made


def test_at_rest_nothing_is_written_but_signs_of_life() -> None:
    made, written = world(), list[Change]()
    made.advance(60)
    assert len(made.ready()) == 5
    for kind in KINDS:
        made.store.follow(kind, written.append)
    made.advance(1200)
    assert {change.kind for change in written} == {LEASE, NODE}
    assert len([change for change in written if change.kind == NODE]) == 4
    made.advance(4000)
    assert made.all(EVENT) == []


def test_a_namespace_and_all_that_is_in_it_ends_in_the_middle_of_a_rollout() -> None:
    made = world()
    made.advance(10)
    made.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}})
    made.change(DEPLOYMENT, "web", set_image("b"))
    made.advance(2)
    made.delete(NAMESPACE, "ns", namespace="")
    made.advance(2)
    assert [each["metadata"]["name"] for each in made.all(NAMESPACE)] == [LEASES]
    for kind in KINDS:
        assert list(made.store.all(kind, "ns")) == []
    assert made.all(POD) == made.all(SECRET) == []
