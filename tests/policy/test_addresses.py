from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import UsageError
from fairlead.model.named import GroupKey, Reservation
from fairlead.policy import addresses
from fairlead.policy.addresses import Entry, Table, choice, is_usable, load, parse_reservations, reserved

API, DB = GroupKey("kind", "shop", "api"), GroupKey("kind", "shop", "db")
POD = GroupKey("kind", "shop", "db", "db-0")
TODAY = 20_000


def text(*entries: Any, version: int = 1) -> str:
    return json.dumps({"version": version, "entries": entries})


def entry(key: GroupKey, address: str, day: int = TODAY, **more: object) -> dict[str, object]:
    return {**key._asdict(), "address": address, "day": day, **more}


def test_the_first_choice_is_a_hash_of_what_it_is_for() -> None:
    """Fixed: what users have in their files and their heads must not change with a release."""
    assert Table().allot([API, DB, POD], TODAY) == {API: "127.35.156.244", DB: "127.179.229.197", POD: "127.210.32.93"}


def test_keys_that_read_alike_differ() -> None:
    keys = [GroupKey("a", "b", "c"), GroupKey("ab", "", "c"), GroupKey("a", "bc", ""), GroupKey("a", "b", "", "c")]
    assert len({choice(key, 0) for key in keys}) == 4


def test_what_was_given_stays_whoever_comes_and_goes() -> None:
    table = Table()
    before = table.allot([API], TODAY)
    table.allot([DB, POD], TODAY + 1)
    assert table.allot([POD, API], TODAY + 2)[API] == before[API]


def test_a_collision_is_answered_by_the_next_choice_and_kept() -> None:
    taken = choice(API, 0)
    table = Table({DB: Entry(taken, TODAY)})
    assert table.allot([API, DB], TODAY) == {API: choice(API, 1), DB: taken}
    again, wrong = load(table.dump())
    assert (again.allot([API], TODAY), wrong) == ({API: choice(API, 1)}, "")


def test_what_is_not_used_for_a_month_is_forgotten() -> None:
    table = Table({API: Entry("127.9.9.9", TODAY), DB: Entry("127.8.8.8", TODAY)})
    assert table.allot([DB], TODAY + 30) == {DB: "127.8.8.8"}
    assert len(table) == 2
    assert table.allot([DB], TODAY + 31) == {DB: "127.8.8.8"}
    assert len(table) == 1


def test_what_is_fleeting_is_forgotten_sooner() -> None:
    table = Table()
    table.allot([API, POD], TODAY, fleeting=[POD])
    table.allot([API], TODAY + 1)
    assert len(table) == 2
    table.allot([API], TODAY + 2)
    assert len(table) == 1


def test_a_line_that_was_read_before_is_not_read_again() -> None:
    table = Table()
    table.allot([API, DB], TODAY)
    lines = table.dump()
    known = dict.fromkeys(table.known(), (POD, Entry("127.9.9.9", TODAY)))
    again, wrong = load(lines, known)
    assert again.allot([POD], TODAY) == {POD: "127.9.9.9"}
    assert wrong == "1 of its entries make no sense", "the other line is known as the same"
    table.allot([API], TODAY + 1)
    assert set(load(table.dump())[0].known()) == set(table.known()) != set(again.known())


def test_a_reserved_address_replaces_what_was_given_and_stays_when_the_reservation_goes() -> None:
    table = Table()
    table.allot([API], TODAY)
    assert table.allot([API], TODAY, fixed={API: "127.9.9.9"}, kept=["127.9.9.9"]) == {API: "127.9.9.9"}
    assert table.allot([API], TODAY) == {API: "127.9.9.9"}
    assert len(table) == 1


def test_who_has_an_address_that_is_reserved_moves_once() -> None:
    held = choice(DB, 0)
    table = Table()
    table.allot([DB], TODAY)
    first = table.allot([DB, API], TODAY, fixed={API: held}, kept=[held])
    assert first == {API: held, DB: choice(DB, 1)}
    assert table.allot([DB, API], TODAY, fixed={API: held}, kept=[held]) == first
    assert table.allot([DB], TODAY, kept=[held]) == {DB: choice(DB, 1)}


def test_an_address_that_is_reserved_for_what_is_not_there_yet_is_not_given() -> None:
    kept = [choice(API, 0), choice(API, 1)]
    table = Table({DB: Entry(kept[1], TODAY)})
    assert table.allot([API, DB], TODAY, kept=kept) == {API: choice(API, 2), DB: choice(DB, 0)}


def test_a_reservation_that_names_two_groups_gives_the_address_once() -> None:
    allotted = Table().allot([API, DB], TODAY, fixed={API: "127.9.9.9", DB: "127.9.9.9"}, kept=["127.9.9.9"])
    assert sorted(allotted.values()).count("127.9.9.9") == 1


KEYS = st.builds(
    GroupKey, st.sampled_from("ab"), st.sampled_from("ab"), st.sampled_from("abc"), st.sampled_from("0123")
)
STEPS = st.lists(
    st.tuples(st.lists(KEYS, max_size=5), st.integers(0, 20), st.dictionaries(KEYS, st.integers(0, 3), max_size=1)),
    max_size=30,
)


@given(STEPS, st.booleans())
def test_addresses_differ_and_stay(steps: list[tuple[list[GroupKey], int, dict[GroupKey, int]]], small: bool) -> None:
    """However keys come, go and are reserved, and also where every address is wanted by many."""
    with pytest.MonkeyPatch.context() as patch:
        if small:
            patch.setattr(
                addresses, "choice", lambda key, attempt: f"127.7.7.{1 + (sum(''.join(key).encode()) + attempt) % 60}"
            )
        table, day = Table(), TODAY
        seen: dict[GroupKey, tuple[str, int]] = {}
        for keys, days, fixed_numbers in steps:
            day += days
            fixed = {key: f"127.7.7.{1 + number}" for key, number in fixed_numbers.items()}
            allotted = table.allot(keys, day, fixed=fixed, kept=set(fixed.values()))
            assert set(allotted) == set(keys)
            assert len(set(allotted.values())) == len(allotted)
            for key, address in allotted.items():
                assert is_usable(address)
                assert (fixed.get(key) == address) == (address in fixed.values())
                before = seen.get(key)
                if before and key not in fixed and before[0] not in fixed.values() and day - before[1] <= 30:
                    assert address == before[0]
            for key in fixed:
                seen.pop(key, None)
            seen = {key: each for key, each in seen.items() if each[0] not in fixed.values()}
            seen.update({key: (address, day) for key, address in allotted.items()})
            table, wrong = load(table.dump())
            assert not wrong


def test_a_hundred_thousand_keys() -> None:
    keys = [GroupKey("kind", f"ns-{number % 50}", f"svc-{number}") for number in range(100_000)]
    table = Table()
    given = table.allot(keys, TODAY)
    assert len(set(given.values())) == len(keys)
    assert table.allot(keys[::-1], TODAY + 1) == given


def test_replaced_pods_leave_nothing_behind() -> None:
    """Three pods of a Deployment behind a headless service, replaced every day."""
    table = Table()
    api = table.allot([API], TODAY)
    for day in range(300):
        pods = [GroupKey("kind", "shop", "web", f"web-{day}-{number}") for number in range(3)]
        assert table.allot([API, *pods], TODAY + day)[API] == api[API]
        assert len(table) <= 1 + 3 * (addresses.KEPT + 1)


def test_a_table_has_a_limit_and_forgets_the_least_recently_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "MOST", 10)
    table = Table()
    given = table.allot([API], TODAY)
    for number in range(100):
        table.allot([API, GroupKey("kind", "shop", "web", f"web-{number}")], TODAY)
    assert len(table) == 10
    assert table.allot([API], TODAY) == given
    assert len(table.allot([GroupKey("kind", "shop", str(number)) for number in range(20)], TODAY)) == 20
    assert len(table) == 20


def test_a_table_as_text_and_back() -> None:
    table = Table()
    keys = [API, POD, GroupKey("arn:aws:eks:\u00e9/\ud800", "shop", "api"), GroupKey("", "shop", "api")]
    given = table.allot(keys, TODAY)
    again, wrong = load(table.dump())
    assert (again.allot(keys, TODAY), wrong) == (given, "")
    assert again.dump() == table.dump()


def test_unknown_fields_are_ignored() -> None:
    table, wrong = load(text(entry(API, "127.9.9.9", colour="red")))
    assert (table.allot([API], TODAY), wrong) == ({API: "127.9.9.9"}, "")


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("", "it is broken"),
        ('{"version": 1, "entr', "it is broken"),
        ("[" * 100_000, "it is broken"),
        ("[]", "it is no table of addresses"),
        ("null", "it is no table of addresses"),
        ('{"version": 1}', "it is no table of addresses"),
        ('{"version": 1, "entries": {}}', "it is no table of addresses"),
        (text(entry(API, "127.9.9.9"), version=2), "it was written by another version"),
        (" " * (addresses.MOST_BYTES + 1), "it is too long"),
    ],
)
def test_a_broken_table_is_an_empty_one(broken: str, words: str) -> None:
    table, wrong = load(broken)
    assert (len(table), wrong) == (0, words)


@pytest.mark.parametrize(
    "item",
    [
        {}, [], None, 3, "api", {**entry(API, "127.9.9.9"), "pod": None}, {**entry(API, "127.9.9.9"), "service": []},
        entry(API, "10.0.0.1"), entry(API, "127.0.0.1"), entry(API, "127.0.1.1"), entry(API, "localhost"),
        {**entry(API, ""), "address": 7}, {**entry(API, "127.9.9.9"), "day": "x"},
        {**entry(API, "127.9.9.9"), "day": True}, {"context": "", "namespace": "shop", "service": "api"},
        entry(API, "127.8.8.8"),
    ],
)  # fmt: skip
def test_an_entry_that_makes_no_sense_costs_itself_alone(item: object) -> None:
    table, wrong = load(text(entry(DB, "127.8.8.8"), item))
    assert (len(table), wrong) == (1, "1 of its entries make no sense")
    assert table.allot([DB], TODAY) == {DB: "127.8.8.8"}


VALUES = st.one_of(st.none(), st.integers(), st.text(max_size=4), st.sampled_from(["127.9.9.9", "127.0.0.1", [], {}]))
ITEMS = st.dictionaries(st.sampled_from([*GroupKey._fields, "address", "day", "x"]), VALUES)


@given(st.lists(st.one_of(ITEMS, VALUES), max_size=3))
def test_no_entry_breaks_it(items: list[object]) -> None:
    table, _ = load(text(*items))
    assert len(set(table.allot([API, DB], TODAY).values())) == 2


@pytest.mark.parametrize(
    "address", ["127.1.0.1", "127.9.9.9", "127.0.2.1", "127.0.1.2", "127.255.255.254", "127.9.9.0"]
)
def test_usable_addresses(address: str) -> None:
    assert is_usable(address)


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1", "127.0.0.53", "127.0.1.1", "127.255.255.255", "128.1.1.1", "127.1.1", "127.1.1.256", "127.01.1.1",
     "127.1.1.1\n", "127.1.1.1.1", "::1", "\u0661\u0662\u0667.1.1.1"],
)  # fmt: skip
def test_other_addresses(address: str) -> None:
    assert not is_usable(address)


def test_reservations() -> None:
    words = ["api=127.9.9.9", "DB.shop.svc=127.9.9.10", "kafka-1.kafka=127.0.2.1"]
    assert parse_reservations(words) == (
        Reservation("api", "127.9.9.9"), Reservation("db.shop.svc", "127.9.9.10"),
        Reservation("kafka-1.kafka", "127.0.2.1"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["api"], '--reserve is NAME=IP, not "api"'),
        (["=127.9.9.9"], '--reserve is NAME=IP, not "=127.9.9.9"'),
        (["a_b=127.9.9.9"], '--reserve is NAME=IP, not "a_b=127.9.9.9"'),
        (["api="], '--reserve api=: "" is not an IP address'),
        (["api=nine"], '--reserve api=nine: "nine" is not an IP address'),
        (["api=127.009.9.9"], '--reserve api=127.009.9.9: "127.009.9.9" is not an IP address'),
        (["api=10.0.0.1"], "--reserve api=10.0.0.1: the address is not in 127.0.0.0/8"),
        (["api=::1"], "--reserve api=::1: the address is not in 127.0.0.0/8"),
        (["api=127.0.0.1"], "--reserve api=127.0.0.1: the system needs that address for itself"),
        (["api=127.0.1.1"], "--reserve api=127.0.1.1: the system needs that address for itself"),
        (["api=127.9.9.9", "db=127.9.9.9"], "--reserve gives 127.9.9.9 to api and to db"),
        (["api=127.9.9.9", "API=127.9.9.8"], "--reserve names api twice"),
    ],
)
def test_reservations_that_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_reservations(words)
    assert caught.value.what == message


def test_a_reservation_by_any_of_the_names() -> None:
    reservations = parse_reservations(["db.shop=127.9.9.9", "api=127.9.9.8"])
    assert reserved(["db", "db.shop.svc.cluster.local", "db.shop"], reservations) == "127.9.9.9"
    assert reserved(["db", "db.pay"], reservations) is None
