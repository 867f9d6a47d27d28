"""Whose an address is, whatever order things are said in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError
from fairlead.model.objects import EndpointSlice, Pod
from fairlead.model.target import PodRef
from fairlead.policy.pod_index import MOST, Holding, PodAddresses, PodIndex, of_pod, of_slice
from tests.support.objects import endpoint, endpoint_slice, pod

A, B = PodRef("ns", "a", "1"), PodRef("ns", "b", "2")


def held(ref: PodRef, *, ending: bool = False, address: str = "10.0.0.1") -> Holding:
    return Holding(address, ref, ending)


def test_one_that_lives_before_one_that_ends() -> None:
    for order in ([held(A, ending=True), held(B)], [held(B), held(A, ending=True)]):
        index = PodIndex()
        for each in order:
            index.change((), (each,))
        assert index.pod_at("10.0.0.1") == B
        assert list(index) == [("10.0.0.1", B)]


def test_one_that_ends_is_there_until_it_is_gone() -> None:
    index = PodIndex()
    index.change((), (held(A),))
    index.change((held(A),), (held(A, ending=True),))
    assert index.pod_at("10.0.0.1") == A
    index.change((held(A, ending=True),), ())
    assert index.pod_at("10.0.0.1") is None
    assert list(index) == []


def test_an_address_that_two_living_pods_have_is_nobodys() -> None:
    index = PodIndex()
    index.change((), (held(A),))
    index.change((), (held(B),))
    assert index.pod_at("10.0.0.1") is None
    assert list(index) == []
    index.change((held(A),), ())
    assert index.pod_at("10.0.0.1") == B


def test_a_flood_of_claims_is_bounded() -> None:
    index = PodIndex()
    claims = [held(PodRef("ns", f"p{at}", str(at))) for at in range(3 * MOST)]
    index.change((), claims)
    assert len(index._at["10.0.0.1"]) == MOST
    index.change(claims, ())
    assert not index._at


def test_what_two_say_stays_until_neither_does() -> None:
    index = PodIndex()
    index.change((), (held(A),))
    index.change((), (held(A),))
    index.change((held(A),), ())
    assert index.pod_at("10.0.0.1") == A


def test_pods_with_an_address_of_their_own() -> None:
    value = pod("a")
    assert of_pod(Pod.from_json(value)) == ()
    value["status"]["podIPs"] = [{"ip": "10.1.0.1"}, {"ip": "fd00::1"}]
    read = PodAddresses.from_json(value)
    assert (read.namespace, read.name, read.uid) == ("ns", "a", "uid-a")
    assert [(each.address, each.pod, each.ending) for each in read.holdings] == [
        ("10.1.0.1", read.ref, False),
        ("fd00::1", read.ref, False),
    ]
    value["metadata"]["deletionTimestamp"] = "2026-01-01T01:00:00Z"
    assert all(each.ending for each in of_pod(Pod.from_json(value)))
    value["spec"]["hostNetwork"] = True
    assert of_pod(Pod.from_json(value)) == ()
    for phase in ("Succeeded", "Failed"):
        finished = pod("a", phase=phase)
        finished["status"]["podIP"] = "10.1.0.1"
        assert of_pod(Pod.from_json(finished)) == ()
    assert of_pod(None) == ()


@pytest.mark.parametrize("value", [None, [], {"metadata": [], "spec": 5}, {"spec": {"hostNetwork": True}}])
def test_what_is_no_pod_is_refused(value: object) -> None:
    with pytest.raises(ProtocolError, match="without a name"):
        PodAddresses.from_json(value)


def test_a_pod_is_read_as_elsewhere() -> None:
    value = pod("a", deleting=True)
    value["status"]["podIP"] = "10.1.0.1"
    whole = Pod.from_json(value)
    assert PodAddresses.from_json(value) == PodAddresses(whole.ref, whole.resource_version, of_pod(whole))


def test_the_pods_of_a_slice() -> None:
    entries = [endpoint("a"), endpoint("b", terminating=True), {"addresses": ["10.1.0.9"]}]
    entries[1]["addresses"] = ["10.1.0.2"]
    read = EndpointSlice.from_json(endpoint_slice("s", entries))
    assert of_slice(read) == {
        Holding("10.1.0.1", PodRef("ns", "a", "uid-a"), False),
        Holding("10.1.0.2", PodRef("ns", "b", "uid-b"), True),
    }
    assert of_slice(None) == frozenset()


SAID = st.frozensets(
    st.builds(Holding, st.sampled_from(["10.0.0.1", "10.0.0.2"]), st.sampled_from([A, B]), st.booleans()), max_size=4
)


@given(st.lists(st.tuples(st.integers(0, 2), SAID)))
def test_only_what_is_said_last_counts(steps: list[tuple[int, frozenset[Holding]]]) -> None:
    index, said = PodIndex(), [frozenset[Holding]()] * 3
    for source, now in steps:
        index.change(said[source], now)
        said[source] = now
    for address in ("10.0.0.1", "10.0.0.2"):
        every = {each for now in said for each in now if each.address == address}
        living = {each.pod for each in every if not each.ending}
        found = index.pod_at(address)
        if living:
            assert found == (living.pop() if len(living) == 1 else None)
        else:
            assert (found in {each.pod for each in every}) if every else found is None
    for source in range(3):
        index.change(said[source], ())
    assert not index._at
