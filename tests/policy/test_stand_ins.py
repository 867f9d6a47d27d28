"""Addresses of several clusters in one network: no two contexts ever share one."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.policy.stand_ins import StandIns

RESERVED = ip_network("240.0.0.0/4")
ADDRESSES = st.one_of(
    st.integers(0, 6).map(lambda n: f"10.96.0.{n}"),
    st.integers(0, 6).map(lambda n: f"240.0.0.{n}"),  # which some clusters use for their own pods
    st.integers(0, 2).map(lambda n: f"fd00::{n}"),
)
STEPS = st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), ADDRESSES), max_size=40)


def test_an_address_of_one_cluster_is_its_own() -> None:
    given = StandIns()
    assert given.shown("a", "10.96.0.1") == "10.96.0.1"
    assert given.shown("a", "10.96.0.1") == "10.96.0.1"
    assert given.real("10.96.0.1") == ("a", "10.96.0.1")
    assert given.real("10.96.0.2") is None


def test_the_same_of_another_cluster_has_a_stand_in() -> None:
    given = StandIns()
    given.shown("a", "10.96.0.1")
    found = given.shown("b", "10.96.0.1")
    assert ip_address(found) in RESERVED
    assert given.shown("b", "10.96.0.1") == found
    assert given.real(found) == ("b", "10.96.0.1")
    assert given.real("10.96.0.1") == ("a", "10.96.0.1")
    assert given.shown("c", "10.96.0.1") not in (found, "10.96.0.1")


def test_what_has_no_address_in_its_cluster() -> None:
    given = StandIns()
    found = given.of_its_own("web")
    assert ip_address(found) in RESERVED
    assert given.of_its_own("web") == found
    assert given.of_its_own("db") != found
    assert given.real(found) is None


def test_a_cluster_that_uses_the_reserved_range() -> None:
    given = StandIns()
    assert given.shown("a", "240.0.0.1") == "240.0.0.1"
    assert given.of_its_own("web") != "240.0.0.1"
    taken = given.of_its_own("db")
    assert given.shown("a", taken) != taken


@settings(deadline=None)
@given(STEPS)
def test_no_two_share_an_address_and_what_was_given_stays(steps: list[tuple[str, str]]) -> None:
    made = StandIns()
    given: dict[tuple[str, str], str] = {}
    alone: dict[tuple[str, str], str] = {}
    for step in steps:
        own = alone.setdefault(step, made.of_its_own(str(step))) if step[1].endswith("1") else ""
        found = made.shown(*step)
        assert given.setdefault(step, found) == found
        assert made.real(found) == step
        assert made.is_stand_in(found) == (found != step[1])
        assert found != own
    shown = [*given.values(), *alone.values()]
    assert len(set(shown)) == len(shown)
    assert all(made.of_its_own(str(step)) == address for step, address in alone.items())
