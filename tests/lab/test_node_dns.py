"""The cluster's names: what they are for services, and what is answered."""

from __future__ import annotations

from typing import Any

from fairlead.lab.node.dns import answer
from fairlead.lab.node.zone import ClusterZone
from fairlead.model.dns import Code
from fairlead.protocol.dns import MOST_MESSAGE
from tests.lab.test_node_services import end, service, slice_of
from tests.support import dnsmessages

TURN = 0


def zone(services: list[dict[str, Any]], *slices: dict[str, Any]) -> ClusterZone:
    made = ClusterZone()
    made.update(services, slices)
    return made


def ask(made: ClusterZone, name: str, kind: str = "A", cls: str = "IN") -> tuple[int, list[str]]:
    reply = dnsmessages.read(answer(made.zone, dnsmessages.ask(name, kind, rdclass=cls), MOST_MESSAGE, TURN))
    return reply.rcode(), [str(record) for rrset in reply.answer for record in rrset]


def test_a_service_has_its_address() -> None:
    made = zone([service("web", "10.96.0.20")])
    assert ask(made, "web.default.svc.cluster.local") == (Code.NOERROR, ["10.96.0.20"])
    assert ask(made, "WEB.default.svc.Cluster.local") == (Code.NOERROR, ["10.96.0.20"])
    assert ask(made, "web.default.svc.cluster.local", "AAAA") == (Code.NOERROR, [])


def test_a_headless_service_has_those_of_its_pods_and_they_have_names() -> None:
    named = {**end("10.244.0.3", ready=True), "hostname": "db-0"}
    made = zone(
        [service("db", "None")], slice_of("db", end("10.244.0.2", ready=True), named, end("10.244.0.4", ready=False))
    )
    assert ask(made, "db.default.svc.cluster.local") == (Code.NOERROR, ["10.244.0.2", "10.244.0.3"])
    assert ask(made, "db-0.db.default.svc.cluster.local") == (Code.NOERROR, ["10.244.0.3"])
    assert ask(made, "10-244-0-2.db.default.svc.cluster.local") == (Code.NOERROR, ["10.244.0.2"])


def test_names_that_are_not_there_do_not_exist_and_others_are_refused() -> None:
    made = zone([service()])
    assert ask(made, "nobody.default.svc.cluster.local")[0] == Code.NXDOMAIN
    assert ask(made, "example.com.default.svc.cluster.local")[0] == Code.NXDOMAIN
    assert ask(made, "example.com")[0] == Code.REFUSED
    assert ask(made, "web.default.svc.cluster.local", cls="CH")[0] == Code.REFUSED
    assert ask(made, "cluster.local", "AXFR")[0] == Code.REFUSED


def test_an_alias_leads_to_another_service_or_nowhere() -> None:
    inside = service("alias", type="ExternalName", externalName="web.default.svc.cluster.local")
    outside = service("away", type="ExternalName", externalName="example.com")
    made = zone([service(), inside, outside])
    code, records = ask(made, "alias.default.svc.cluster.local")
    assert (code, records[1:]) == (Code.NOERROR, ["10.96.0.20"])
    assert ask(made, "away.default.svc.cluster.local")[0] == Code.SERVFAIL


def test_changes() -> None:
    made = zone([service()])
    made.update([service("web", "10.96.0.21"), service("other", "10.96.0.22")], [])
    assert ask(made, "web.default.svc.cluster.local")[1] == ["10.96.0.21"]
    made.update([], [])
    assert ask(made, "other.default.svc.cluster.local")[0] == Code.NXDOMAIN


def test_what_is_no_query_is_told_so() -> None:
    made = ClusterZone()
    assert answer(made.zone, b"\0" * 5, 512, TURN) is None
    refused = answer(made.zone, b"\0\1\1\0\0\0\0\0\0\0\0\0", 512, TURN)
    assert refused is not None
    assert refused[3] & 15 == Code.FORMERR
