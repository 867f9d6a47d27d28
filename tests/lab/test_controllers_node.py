"""What the node says of itself."""

from __future__ import annotations

from typing import Any

from fairlead.lab.controllers import node
from fairlead.lab.controllers.node import Facts, controller
from fairlead.lab.registry.kinds import LEASE, NODE
from tests.support.labworld import World, namespace, set_spec

FACTS = Facts(
    "n1", "10.244.0.1", "10.244.0.0/24", 2, 8 * 2**30, 50 * 2**30, "amd64", "6.1.0", "Debian GNU/Linux 12 (bookworm)",
    "machine", "boot", "v1.36.0", "fairlead://1.0",
)  # fmt: skip


def world() -> World:
    made = World(controller(FACTS))
    made.create(namespace(node.LEASES))
    made.advance(0)
    return made


def begin(made: World) -> Any:
    made.store.put(NODE, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "other", "uid": "o"}, "spec": {}})
    made.settle()
    return made.get(NODE, "n1", "")


def test_a_node_appears_and_lives() -> None:
    made = world()
    found = begin(made)
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
    begin(made)
    made.delete(NODE, "n1", namespace="")
    made.delete(LEASE, "n1", namespace=node.LEASES)
    assert made.get(NODE, "n1", "")
    assert made.get(LEASE, "n1", node.LEASES)


def test_a_cordon_is_a_taint() -> None:
    made = world()
    begin(made)
    made.change(NODE, "n1", set_spec(unschedulable=True), "")
    assert made.get(NODE, "n1", "")["spec"]["taints"] == [node.CORDONED]
    made.change(NODE, "n1", set_spec(unschedulable=False), "")
    assert "taints" not in made.get(NODE, "n1", "")["spec"]
