from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlead.policy.hostsblock import LONGEST, Block, Entry, Mention, Owner, blocks, heal, may_serve, mentions, replace

BOOT = "29ff7d19-42d5-4048-8d34-222a1fb50dbd"
ME, OTHER = Owner(4711, 81234, BOOT), Owner(99, 5, BOOT)
ENTRIES = (Entry("127.44.5.6", ("nginx", "nginx.default.svc.cluster.local")), Entry("127.9.8.7", ("db.shop",)))
USUAL = b"127.0.0.1 localhost\n::1 localhost ip6-localhost\n\n# mine\n10.0.0.5\tdb\n"
OURS = (
    b"# fairlead begin pid=4711 start=81234 boot=29ff7d19-42d5-4048-8d34-222a1fb50dbd\n"
    b"127.44.5.6 nginx nginx.default.svc.cluster.local\n"
    b"127.9.8.7 db.shop\n"
    b"# fairlead end pid=4711\n"
)
BEGIN, END = OURS.splitlines(keepends=True)[0], OURS.splitlines(keepends=True)[-1]


def nobody(owner: Owner) -> bool:
    return False


def without(data: bytes) -> bytes:
    return heal(data, nobody)[0]


# -- the form --


def test_a_block_stands_first_in_the_form_that_is_documented() -> None:
    assert replace(USUAL, ME, ENTRIES) == OURS + USUAL
    assert blocks(OURS + USUAL) == [Block(ME, ENTRIES)]


def test_no_entries_remove_it() -> None:
    assert replace(OURS + USUAL, ME, ()) == USUAL
    assert replace(USUAL, ME, ()) == USUAL


def test_new_entries_take_the_place_of_the_old() -> None:
    assert replace(OURS + USUAL, ME, ENTRIES[:1]) == replace(USUAL, ME, ENTRIES[:1])


def test_the_same_again_changes_nothing_also_behind_another_run() -> None:
    both = replace(OURS + USUAL, OTHER, ENTRIES)
    assert replace(both, ME, ENTRIES) == both
    assert replace(both, OTHER, ENTRIES) == both


def test_a_block_that_others_wrote_before_comes_first_again() -> None:
    assert replace(b"10.1.1.1 x\n" + OURS + USUAL, ME, ENTRIES) == OURS + b"10.1.1.1 x\n" + USUAL


def test_several_runs_have_a_block_each() -> None:
    both = replace(replace(USUAL, ME, ENTRIES), OTHER, ENTRIES[:1])
    assert [block.owner for block in blocks(both)] == [OTHER, ME]
    assert replace(both, OTHER, ()) == OURS + USUAL


def test_a_process_id_used_again_is_another_owner() -> None:
    later = ME._replace(start=9)
    both = replace(OURS + USUAL, later, ENTRIES[1:])
    assert blocks(both) == [Block(later, ENTRIES[1:]), Block(ME, ENTRIES)]
    assert replace(both, later, ()) == OURS + USUAL
    assert heal(both, lambda owner: owner == later) == (replace(USUAL, later, ENTRIES[1:]), [ME])


def test_many_names_go_on_another_line_of_the_same_address() -> None:
    names = tuple(f"service-{number}.{'n' * 60}.svc" for number in range(30))
    data = replace(b"", ME, [Entry("127.1.2.3", names)])
    assert max(map(len, data.splitlines())) <= LONGEST
    assert sum((entry.names for entry in blocks(data)[0].entries), ()) == names
    assert without(data) == b""


# -- bytes of others --


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"\n",
        b"127.0.0.1 localhost",
        b"127.0.0.1 localhost\r\n10.0.0.5 db\r\n",
        b"\xef\xbb\xbf127.0.0.1 localhost\n",
        b"\xff\xfe1\x002\x007\x00\n\x00",
        b"a\0b\0\n\0",
        b"x" * 1_000_000,
        b"127.44.5.6 nginx\n127.9.8.7 db.shop\n",
        b"# fairlead begin\n# fairlead begin pid=0 start=1 boot=a\n# fairlead end pid=\n",
    ],
)
def test_foreign_bytes_are_the_same_after_it(foreign: bytes) -> None:
    there = replace(foreign, ME, ENTRIES)
    assert there == OURS + foreign
    assert replace(there, ME, ()) == foreign
    assert without(there) == foreign


OTHERS = (BEGIN.replace(b"4711", b"99"), END.replace(b"4711", b"99"))
NEARLY = (b"127.0.0.1 me\n", b"127.9.8.7  two-spaces\n", b"127.9.8.7 no-end", b"# fairlead end pid=4711\r\n")
LINES = st.sampled_from([BEGIN, END, *OTHERS, *NEARLY, b"127.9.8.7 db.shop\n", b"10.0.0.1 x\n", b"\r\n", b"\n", b"\0"])
ANY = st.one_of(st.binary(max_size=60), st.lists(st.one_of(LINES, st.binary(max_size=8)), max_size=12).map(b"".join))


@given(ANY)
def test_what_is_inserted_and_removed_leaves_any_bytes_as_they_were(foreign: bytes) -> None:
    mine = Owner(12345, 1, BOOT)
    assert replace(replace(foreign, mine, ENTRIES), mine, ()) == foreign


@given(ANY, ANY, st.integers(0, 8))
def test_what_others_write_meanwhile_stays_at_its_place(before: bytes, written: bytes, place: int) -> None:
    mine = Owner(12345, 1, BOOT)
    begin, *_, end = replace(b"", mine, ENTRIES).splitlines(keepends=True)
    added = without(begin + written + b"\n" + end)  # whole lines, none of them in our form
    assume(added.endswith(b"\n") and without(begin + added + end) == added)
    there = re.findall(rb"[^\n]*\n|[^\n]+", replace(before, mine, ENTRIES))
    there.insert(place, added)
    theirs = there[4:] if place >= 4 else [added, *there[5:]]
    assert replace(b"".join(there), mine, ()) == b"".join(theirs)


@given(ANY)
def test_healing_takes_lines_of_our_form_only_and_is_complete(data: bytes) -> None:
    healed = without(data)
    assert blocks(healed) == []
    assert without(healed) == healed
    rest = iter(data.splitlines(keepends=True))
    assert all(line in rest for line in healed.splitlines(keepends=True)), "order and bytes of what stays"


@given(ANY)
def test_the_blocks_of_the_living_are_untouched(data: bytes) -> None:
    healed, dead = heal(data, lambda owner: True)
    assert dead == []
    assert blocks(healed) == blocks(data)


def test_foreign_lines_in_a_block_stay_when_it_goes() -> None:
    lines = OURS.splitlines(keepends=True)
    data = b"".join([lines[0], b"10.1.1.1 a\n", lines[1], b"127.0.0.1 b\n# c\n", *lines[2:], USUAL])
    assert without(data) == b"10.1.1.1 a\n127.0.0.1 b\n# c\n" + USUAL
    assert replace(data, ME, ENTRIES) == data
    assert replace(data, ME, ENTRIES[:1]).endswith(b"10.1.1.1 a\n127.0.0.1 b\n# c\n" + USUAL)


# -- broken blocks --


def test_a_begin_without_end_has_the_lines_that_follow_it() -> None:
    data = OURS.replace(END, b"") + USUAL + b"127.7.7.7 elsewhere\n"
    assert without(data) == USUAL + b"127.7.7.7 elsewhere\n"
    assert replace(data, ME, ENTRIES) == OURS + USUAL + b"127.7.7.7 elsewhere\n"


def test_an_end_without_begin_goes() -> None:
    assert heal(END + USUAL, lambda owner: True) == (USUAL, [])


def test_an_end_without_begin_stays_where_it_parts_a_living_block_from_others() -> None:
    data = BEGIN + END.replace(b"4711", b"99") + b"127.9.8.7 mine\n"
    assert heal(data, lambda owner: True) == (data, [])
    assert without(data) == b"127.9.8.7 mine\n"


def test_a_block_cut_off_in_a_line_leaves_the_piece() -> None:
    assert without(OURS[: OURS.index(b"db.shop") - 1]) == b"127.9.8.7"


def test_a_block_within_another_is_told_from_it() -> None:
    inner = replace(b"", OTHER, [Entry("127.3.3.3", ("inner",))])
    data = OURS.replace(b"127.9.8.7", inner + b"127.9.8.7") + USUAL
    assert blocks(data) == [Block(ME, ENTRIES), Block(OTHER, (Entry("127.3.3.3", ("inner",)),))]
    assert replace(data, OTHER, ()) == OURS + USUAL
    assert heal(data, lambda owner: owner == OTHER) == (inner + USUAL, [ME])


def test_dos_line_ends_of_an_editor_do_not_hide_a_block() -> None:
    data = (OURS + USUAL).replace(b"\n", b"\r\n")
    assert blocks(data) == [Block(ME, ENTRIES)]
    assert without(data) == USUAL.replace(b"\n", b"\r\n")


def test_many_begins_take_no_time() -> None:
    data = BEGIN * 20_000 + b"127.1.2.3 a\n" * 20_000 + END * 20_000
    assert without(data) == b""


def test_a_long_file_of_others_takes_no_time() -> None:
    """A list of sites to be blocked has 170,000 lines and is read again with each change."""
    sites = b"".join(b"0.0.0.0 ad%d.example\n" % number for number in range(170_000))
    data = b"".join([USUAL, OURS, sites, b"10.0.0.6 nginx\n"])
    before = time.process_time()
    there = replace(heal(data, lambda owner: True)[0], ME, ENTRIES)
    assert mentions(there, {"nginx", "db.shop"}) == [Mention("nginx", "10.0.0.6", 170_010)]
    assert blocks(there) == [Block(ME, ENTRIES)]
    assert time.process_time() - before < 1.0
    assert replace(there, ME, ()) == b"".join([USUAL, sites, b"10.0.0.6 nginx\n"])


# -- names of others --


def test_names_are_found_as_glibc_reads_them() -> None:
    data = OURS + (
        b"10.0.0.5\tDB.shop  other # nginx\n"
        b"  ::1 \v nginx\r\n"
        b"#10.0.0.6 nginx\n"
        b"300.1.1.1 nginx\n"
        b"nginx nginx\n"
        b"10.0.0.7 x\0 nginx\n"
        b"10.0.0.8 ngin\xc3\xa4 nginx.default\n"
        b"10.0.0.9 nginx"
    )
    assert mentions(data, {"nginx", "db.shop"}) == [
        Mention("db.shop", "10.0.0.5", 5),
        Mention("nginx", "::1", 6),
        Mention("nginx", "10.0.0.9", 12),
    ]


def test_names_in_blocks_are_nobody_elses() -> None:
    assert mentions(OURS, {"nginx", "db.shop"}) == []


@pytest.mark.parametrize("address", ["127.0.1.2", "127.1.0.0", "127.255.255.254", "127.44.5.6"])
def test_where_services_may_stand(address: str) -> None:
    assert may_serve(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.0.0.200", "127.0.1.1", "128.1.1.1", "10.0.0.1", "127.1", "127.01.1.1", "::1", "", "x"]
)
def test_where_they_may_not(address: str) -> None:
    assert not may_serve(address)
