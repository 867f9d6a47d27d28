"""What the node says of itself."""

from __future__ import annotations

from fairlead.lab.controllers import node
from fairlead.lab.controllers.node import controller
from fairlead.lab.registry.kinds import LEASE, NODE
from tests.support.labworld import FACTS, World, namespace, set_spec


def world() -> World:
    made = World(controller(FACTS))
    made.create(namespace(node.LEASES))
    made.advance(0)
    return made


def test_a_node_appears_and_lives() -> None:
    made = world()
    found = made.get(NODE, "n1", "")
    assert found["status"]["allocatable"]["memory"] == "8Gi"
    ready = next(each for each in found["status"]["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "KubeletReady")
    assert made.get(LEASE, "n1", node.LEASES)["spec"]["renewTime"] == "2026-01-01T00:00:00.000000Z"
    made.advance(25)
    assert made.get(LEASE, "n1", node.LEASES)["spec"]["renewTime"] == "2026-01-01T00:00:20.000000Z"
    assert made.get(NODE, "n1", "") == found
    made.advance(300)
    later = made.get(NODE, "n1", "")["status"]["conditions"]
    assert {each["lastHeartbeatTime"] for each in later} == {"2026-01-01T00:05:00Z"}
    assert {each["lastTransitionTime"] for each in later} == {"2026-01-01T00:00:00Z"}


def test_what_is_deleted_comes_back() -> None:
    made = world()
    made.delete(NODE, "n1", namespace="")
    made.delete(LEASE, "n1", namespace=node.LEASES)
    assert made.get(NODE, "n1", "")
    assert made.get(LEASE, "n1", node.LEASES)


def test_a_cordon_is_a_taint() -> None:
    made = world()
    made.change(NODE, "n1", set_spec(unschedulable=True), "")
    assert made.get(NODE, "n1", "")["spec"]["taints"] == [node.CORDONED]
    made.change(NODE, "n1", set_spec(unschedulable=False), "")
    assert "taints" not in made.get(NODE, "n1", "")["spec"]
