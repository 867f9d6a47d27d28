from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import ProtocolError
from fairlead.helper.requests import MOST_ENTRIES, MOST_NAMES, endpoint, endpoints, entries, fitting
from fairlead.helper.wire import LARGEST, Reader, encode
from fairlead.policy.hostsblock import Entry

OWN = frozenset({"laptop", "laptop.example.org"})


def test_lines_and_endpoints_are_taken() -> None:
    assert entries([["127.44.5.6", ["db", "db.shop.svc"]], ["127.44.5.7", ["p-0.db"]]], OWN) == [
        Entry("127.44.5.6", ("db", "db.shop.svc")),
        Entry("127.44.5.7", ("p-0.db",)),
    ]
    assert entries([], OWN) == []
    assert endpoints([["127.44.5.6", 80], ["127.44.5.6", 65535]]) == [("127.44.5.6", 80), ("127.44.5.6", 65535)]


LONG = [f"{number:05}{'n' * 58}.{'s' * 63}.{'d' * 63}" for number in range(45_000)]
FIT = (
    [Entry(f"127.9.{number >> 7}.{number & 127}", (f"s{number}",)) for number in range(MOST_ENTRIES + 1)],
    [Entry(f"127.9.{number >> 7}.{number & 127}", tuple(LONG[number * 4 :][:4])) for number in range(10_500)],
    [Entry("127.9.9.9", tuple(LONG[: MOST_NAMES + 1]))],
    [Entry("127.9.9.9", ("a",))],
)


@pytest.mark.parametrize("wanted", FIT)
def test_what_fits_is_asked_for_and_the_rest_is_named(wanted: list[Entry]) -> None:
    kept, rest = fitting(wanted)
    assert [name for entry in kept for name in entry.names] + rest == [name for entry in wanted for name in entry.names]
    message = encode({"id": 1, "op": "hosts", "with": kept})
    assert entries(Reader().feed(message)[0]["with"], OWN) == kept
    assert len(rest) <= 1 or len(message) > LARGEST * 0.98, "no more than has to be"


ILLEGAL = (
    "",
    "DB",
    "a b",
    "a\nb",
    "a_b",
    "-a",
    "a-",
    "a..b",
    ".a",
    "a.",
    "a" * 64,
    "a." * 127 + "a",
    "é",
    "a\0",
    "a#b",
)
NUMBERS = ("10.0.0.1", "1", "0x7f", "a.1")
THE_MACHINES = ("localhost", "x.localhost", "ip6-localhost", "localhost.localdomain", "broadcasthost", *sorted(OWN))


@pytest.mark.parametrize("name", [*ILLEGAL, *NUMBERS, *THE_MACHINES, None, 7, ["a"]])
def test_a_name_that_is_not_a_services_is_refused(name: Any) -> None:
    with pytest.raises(ProtocolError, match="not a name"):
        entries([["127.44.5.6", [name]]], OWN)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.0.0.53", "127.0.1.1", "10.0.0.1", "::1", "127.1", "127.44.5.6\n", "", None, 7]
)
def test_an_address_that_is_not_ours_is_refused(address: Any) -> None:
    with pytest.raises(ProtocolError, match="not an address"):
        entries([[address, ["db"]]], OWN)
    with pytest.raises(ProtocolError, match="not an address"):
        endpoint([address, 80])


@pytest.mark.parametrize("port", [0, -1, 65536, "80", 80.0, None, True])
def test_a_port_that_is_none_is_refused(port: Any) -> None:
    with pytest.raises(ProtocolError, match="a port"):
        endpoints([["127.44.5.6", port]])


SHAPES: tuple[Any, ...] = (
    None,
    {},
    "x",
    [[]],
    [["127.44.5.6"]],
    [["127.44.5.6", []]],
    [["127.44.5.6", "db"]],
    [["127.44.5.6", ["a"], 1]],
)
TWICE = ([["127.44.5.6", ["a", "a"]]], [["127.44.5.6", ["a"]], ["127.44.5.7", ["a"]]])
TOO_MANY = ([["127.44.5.6", [f"a{each}" for each in range(65)]]], [["127.44.5.6", ["a"]]] * (MOST_ENTRIES + 1))


@pytest.mark.parametrize("value", [*SHAPES, *TWICE, *TOO_MANY])
def test_other_lines_are_refused(value: Any) -> None:
    with pytest.raises(ProtocolError):
        entries(value, OWN)


@pytest.mark.parametrize("value", [None, {}, [80], [["127.44.5.6", 80]] * 2, [["127.44.5.6", 80, 1]]])
def test_other_endpoints_are_refused(value: Any) -> None:
    with pytest.raises(ProtocolError):
        endpoints(value)


def test_no_more_endpoints_than_sockets_fit_in_a_reply() -> None:
    with pytest.raises(ProtocolError):
        endpoints([["127.44.5.6", port] for port in range(1, 252)])
