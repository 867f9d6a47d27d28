"""Own servers under the number of other services."""

from __future__ import annotations

import pytest

from fairlead.model.named import GroupKey, OwnServer
from fairlead.policy.own_clash import own_clashes
from fairlead.policy.plan import Group, Kind, NamedPort


def group(service: str, *ports: NamedPort) -> Group:
    return Group(GroupKey("c", "shop", service), Kind.SERVICE, ports)


OWN = NamedPort(8080, 8080, own=8080, server=OwnServer.ABSENT)


@pytest.mark.parametrize(
    ("groups", "services"),
    [
        ([group("web", OWN)], ""),
        ([group("web", OWN), group("api", NamedPort(80, 80))], ""),
        ([group("web", OWN), group("api", NamedPort(8080, 8080))], "api.shop"),
        ([group("web", NamedPort(80, 80, own=8080), NamedPort(8080, 8080))], "web.shop"),
        ([group("web", NamedPort(80, 80, own=8080), NamedPort(9, 9, own=8080))], ""),
        ([group("a", NamedPort(80, 80, own=3000)), group("b", NamedPort(3000, 3000, own=80))], "both"),
    ],
)
def test_own_clashes(groups: list[Group], services: str) -> None:
    found = own_clashes(groups)
    if services == "both":
        assert ["those of a.shop shut" in found[0], "those of b.shop shut" in found[1]] == [True, True]
    else:
        assert len(found) == bool(services)
        assert all(f"those of {services} shut each other out" in text and "port 8080" in text for text in found)
