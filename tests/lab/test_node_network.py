"""Pods reach each other, services, and nobody else."""

from __future__ import annotations

import pytest

from tests.support.labuser import LabUser

pytestmark = pytest.mark.lab

REFUSED, NO_NAME = 7, 6
"""curl's exit codes."""


def test_ways_between_pods(lab_user: LabUser) -> None:
    found = lab_user.found("services")
    log, addresses = found.pop("log"), found.pop("addresses")
    assert {name: code for name, (code, *_) in found.items() if name != "from the node"} == {
        "pod": 0,
        "service": 0,
        "name": 0,
        "full": 0,
        "headless": 0,
        "node port": 0,
        "no endpoints": REFUSED,
        "unknown address": REFUSED,
        "unknown name": NO_NAME,
        "outside": NO_NAME,
        "way out": REFUSED,
        "itself": 0,
        "gone": REFUSED,
    }
    assert {said for code, said in (found[name] for name in found if name != "from the node") if not code} == {"200"}
    assert found["from the node"] == "200"
    # A server sees who came; itself it sees as the bridge, and so it does the node.
    assert log == [addresses["client"]] * 6 + [addresses["gateway"]] * 2


def test_services_spread_and_stay(lab_user: LabUser) -> None:
    found = lab_user.found("balance")
    assert found["spread"] == ["udp-0", "udp-1"]
    assert len(found["sticky"]) == 1
    assert found["kept"] == found["sticky"]
    assert found["moved"] == [found["expected"]]
    assert {found["before"], found["after"]} == {"udp-0", "udp-1"}, "a client that stays is led to who is there"
    assert "refused" in found["refused"]
