"""The codec: its own bytes by hand, round trips, and bytes that are no message."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError
from fairlead.lab.cri import messages
from fairlead.lab.cri.protobuf import Field, Kind, Table, decode, encode

NESTED: Table = {1: Field("text", Kind.STRING), 2: Field("number", Kind.INT)}
TABLE: Table = {
    1: Field("text", Kind.STRING),
    2: Field("flag", Kind.BOOL),
    3: Field("number", Kind.INT),
    4: Field("one", NESTED),
    5: Field("texts", Kind.STRING, repeated=True),
    6: Field("numbers", Kind.INT, repeated=True),
    7: Field("many", NESTED, repeated=True),
    8: Field("map", Kind.MAP),
    200: Field("far", Kind.STRING),
}
EMPTY: dict[str, Any] = {
    "text": "", "flag": False, "number": 0, "one": None, "texts": [], "numbers": [], "many": [], "map": {}, "far": "",
}  # fmt: skip

BYTES: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "text": ("0a 02 68 69", {"text": "hi"}),
    "flag": ("10 01", {"flag": True}),
    "number": ("18 96 01", {"number": 150}),
    "negative": ("18 ff ff ff ff ff ff ff ff ff 01", {"number": -1}),
    "nested": ("22 02 10 05", {"one": {"text": "", "number": 5}}),
    "empty nested": ("22 00", {"one": {"text": "", "number": 0}}),
    "texts": ("2a 01 61 2a 00", {"texts": ["a", ""]}),
    "packed": ("32 03 01 96 01", {"numbers": [1, 150]}),
    "many": ("3a 00 3a 02 10 01", {"many": [{"text": "", "number": 0}, {"text": "", "number": 1}]}),
    "map": ("42 06 0a 01 61 12 01 62", {"map": {"a": "b"}}),
    "far": ("c2 0c 01 78", {"far": "x"}),
}


@pytest.mark.parametrize("case", BYTES)
def test_bytes(case: str) -> None:
    wire, value = BYTES[case]
    data = bytes.fromhex(wire)
    assert decode(TABLE, data) == {**EMPTY, **value}
    assert encode(TABLE, value) == data
    assert encode(TABLE, decode(TABLE, data)) == data


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("30 01 30 96 01", {"numbers": [1, 150]}),  # not packed
        ("0a 01 61 0a 01 62", {"text": "b"}),  # the last one wins
        ("48 05 51 0102030405060708 5d 01020304 5a 01 61 10 01", {"flag": True}),  # unknown ones of all types
        ("42 03 0a 01 61 42 00", {"map": {"a": "", "": ""}}),
        ("10 80 80 01", {"flag": True}),
    ],
)
def test_other_ways_to_say_it(wire: str, value: dict[str, Any]) -> None:
    assert decode(TABLE, bytes.fromhex(wire)) == {**EMPTY, **value}


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        ("0a", "in the middle of a number"),
        ("0a 05 61", "in the middle of a field"),
        ("18", "in the middle of a number"),
        ("18 ff ff ff ff ff ff ff ff ff ff 01", "more than ten bytes"),
        ("00 01", "field number 0"),
        ("0b", "wire type 3"),
        ("0a 01 ff", "not UTF-8"),
        ("08 01", "text has the wrong type"),
        ("1a 01 01", "number has the wrong type"),
        ("20 01", "one has the wrong type"),
        ("22 01 08", "in the middle of a number"),
        ("0d 01 02", "in the middle of a field"),
    ],
)
def test_what_is_no_message(wire: str, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        decode(TABLE, bytes.fromhex(wire))


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no such fields: txt"):
        encode(TABLE, {"txt": ""})


@given(st.binary(max_size=80))
def test_any_bytes_are_a_message_or_a_protocol_error(data: bytes) -> None:
    for table in (TABLE, *(each for method in messages.METHODS for each in (method.request, method.response))):
        try:
            value = decode(table, data)
        except ProtocolError:
            continue
        assert decode(table, encode(table, value)) == value


@given(
    st.fixed_dictionaries(
        {
            "text": st.text(),
            "flag": st.booleans(),
            "number": st.integers(-(2**63), 2**63 - 1),
            "one": st.none() | st.fixed_dictionaries({"text": st.text(), "number": st.integers(0, 99)}),
            "texts": st.lists(st.text()),
            "numbers": st.lists(st.integers(-(2**31), 2**31 - 1)),
            "many": st.lists(st.fixed_dictionaries({"text": st.text(), "number": st.integers(0, 99)})),
            "map": st.dictionaries(st.text(), st.text()),
            "far": st.text(),
        }
    )
)
def test_round_trips(value: dict[str, Any]) -> None:
    assert decode(TABLE, encode(TABLE, value)) == value


@pytest.mark.parametrize("method", messages.METHODS, ids=lambda method: str(method.name))
def test_the_tables_have_no_name_twice(method: messages.Method) -> None:
    def walk(table: Table) -> None:
        names = [field.name for field in table.values()]
        assert len(set(names)) == len(names)
        for field in table.values():
            if not isinstance(field.kind, Kind):
                walk(field.kind)

    walk(method.request)
    walk(method.response)
