from __future__ import annotations

from collections import Counter

from fairlead.model.target import Backend, PodRef
from fairlead.policy import choose
from fairlead.policy.choose import Choice, least_used

A, B, C = (Backend(PodRef("ns", name, name), 80) for name in "abc")


def test_the_least_used_is_taken() -> None:
    assert least_used([A, B, C], {A.pod: 2, B.pod: 1, C.pod: 3}, 0) == 1
    assert least_used([A, B], {A.pod: 1}, 7) == 1
    assert [least_used([A, B, C], {A.pod: 2, B.pod: 2, C.pod: 2}, start) for start in range(4)] == [0, 1, 2, 0]


def test_equals_take_turns() -> None:
    choice = Choice()
    assert [choice.pick([A, B, C], {}) for _ in range(6)] == [A, B, C, A, B, C]


def test_shares_are_even_while_connections_stay() -> None:
    choice, used = Choice(), Counter[PodRef]()
    for _ in range(300):
        chosen = choice.pick([A, B, C], used)
        assert chosen is not None
        used[chosen.pod] += 1
    assert set(used.values()) == {100}


def test_whoever_is_next_to_a_busy_pod_does_not_get_its_share() -> None:
    choice, taken = Choice(), Counter[str]()
    for _ in range(300):
        chosen = choice.pick([A, B, C], {A.pod: 1})
        assert chosen is not None
        taken[chosen.pod.name] += 1
    assert taken == {"b": 150, "c": 150}


def test_of_no_pods_none_is_chosen() -> None:
    assert Choice().pick([], {}) is None


def test_sticky_keeps_to_one_pod_as_long_as_it_lives() -> None:
    choice = Choice(float("inf"))
    assert [choice.pick([A, B], {A.pod: 9}, now=now) for now in (0, 1e9)] == [B, B]
    assert choice.pick([A], {}, now=2e9) == A
    assert choice.pick([A, B], {A.pod: 9}, now=3e9) == A


def test_affinity_is_by_client_and_runs_out() -> None:
    choice = Choice(10.0)
    first = choice.pick([A, B], {}, client="x", now=0)
    second = choice.pick([A, B], {}, client="y", now=0)
    assert (first, second) == (A, B)
    assert choice.pick([A, B], {A.pod: 5}, client="x", now=9) == A
    assert choice.pick([A, B], {A.pod: 5}, client="x", now=19) == A, "each connection begins the time anew"
    assert choice.pick([A, B], {A.pod: 5}, client="x", now=30) == B


def test_a_pod_keeps_its_clients_when_its_port_changes() -> None:
    choice = Choice(10.0)
    assert choice.pick([A, B], {}) == A
    moved = Backend(A.pod, 81)
    assert choice.pick([B, moved], {}) == moved


def test_clients_are_forgotten_oldest_first() -> None:
    choice = Choice(1e9)
    for number in range(choose.MAX_CLIENTS + 10):
        choice.pick([A, B], {}, client=str(number))
    assert len(choice._held) == choose.MAX_CLIENTS
    assert "0" not in choice._held
