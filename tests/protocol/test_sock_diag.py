from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError
from fairlead.protocol import sock_diag
from fairlead.protocol.sock_diag import Dump, Listener, request
from tests.support.netlink import DATA, DONE, ERROR, entry, message


def attribute(kind: int, value: bytes) -> bytes:
    return pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def fed(*datagrams: bytes) -> Dump:
    dump = Dump(7)
    for datagram in datagrams:
        dump.feed(datagram)
    return dump


def test_a_request_is_as_long_as_it_says() -> None:
    assert request(258) == pack("=IHHII", 76, 18, 0x301, 258, 0) + bytes(52) + pack("=II", 1 << 10, 0)


def test_a_dump_comes_in_parts() -> None:
    only = attribute(8, b"\x01") + attribute(11, b"\x01")
    parts = [
        message(DATA, entry("127.0.0.1", 8080)) + message(DATA, entry("0.0.0.0", 22, 0, 5)),
        message(DATA, entry("::", 80, more=attribute(11, b"\x00"))) + message(DATA, entry("fe80::1", 81, more=only)),
        message(DATA, entry("::ffff:127.0.0.1", 82, more=attribute(8, b"\x01"))),
    ]
    assert not fed(*parts).done
    dump = fed(*parts, message(DONE, pack("=i", 0)) + b"rest")
    assert dump.done
    assert not dump.interrupted
    assert dump.listeners == [
        Listener("127.0.0.1", 8080, 1000, 99),
        Listener("0.0.0.0", 22, 0, 5),
        Listener("::", 80, 1000, 99, v6only=False),
        Listener("fe80::1", 81, 1000, 99, v6only=True),
        Listener("127.0.0.1", 82, 1000, 99),
    ]


def test_nobody_listens() -> None:
    assert fed(message(DONE)).listeners == []
    assert fed(message(1), message(DONE)).done


@pytest.mark.parametrize("interrupted", [message(DATA, entry("::1", 1), flags=0x12), message(DONE, flags=0x12)])
def test_an_interrupted_dump_says_so(interrupted: bytes) -> None:
    assert fed(interrupted, message(DONE)).interrupted


def test_the_answer_to_an_older_request_is_passed_over() -> None:
    old = message(DATA, entry("::1", 1), sequence=6, flags=0x12) + message(ERROR, pack("=i", -16), sequence=6)
    dump = fed(old + message(DATA, entry("::1", 2)), message(DONE, sequence=6))
    assert not dump.done
    assert not dump.interrupted
    assert [listener.port for listener in dump.listeners] == [2]


@pytest.mark.parametrize(
    ("datagram", "what"),
    [
        (message(DATA, entry("::1", 1))[:-1], "no possible length"),
        (message(DATA, entry("::1", 1))[:15], "cut off"),
        (pack("=IHHII", 15, DATA, 2, 7, 0), "no possible length"),
        (pack("=IHHII", 0, DATA, 2, 7, 0), "no possible length"),
        (message(DATA, entry("10.0.0.1", 1)[:-1]), "entry that is cut off"),
        (message(DATA, b""), "entry that is cut off"),
        (message(DATA, entry("10.0.0.1", 1, state=1)), "socket in state 1"),
        (message(DATA, entry("10.0.0.1", 1, family=77)), "unknown family 77"),
        (message(DATA, entry("::1", 1, more=b"abc")), "attribute that is cut off"),
        (message(DATA, entry("::1", 1, more=pack("=HH", 3, 11))), "attribute of no possible length"),
        (message(DATA, entry("::1", 1, more=pack("=HH", 9, 11) + b"abc")), "attribute of no possible length"),
        (message(ERROR, pack("=i", -2)), "error 2"),
        (message(ERROR, pack("=i", 0)), "lists none"),
        (message(ERROR, b"abc"), "error that is cut off"),
        (message(DONE, pack("=i", -105)), "error 105"),
        (message(16), "unknown type 16"),
    ],
)
def test_what_makes_no_sense_is_an_error(datagram: bytes, what: str) -> None:
    with pytest.raises(ProtocolError, match=what):
        fed(datagram)


def test_a_dump_without_an_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sock_diag, "MOST", 3)
    dump = fed(*(message(DATA, entry("::1", port)) for port in (1, 2, 3)))
    with pytest.raises(ProtocolError, match="more than 3"):
        dump.feed(message(DATA, entry("::1", 4)))


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    try:
        fed(data)
    except ProtocolError:
        pass


@given(st.data())
def test_any_change_of_a_dump_is_taken_or_refused(data: st.DataObject) -> None:
    whole = bytearray(message(DATA, entry("::1", 1, more=attribute(11, b"\x01"))) + message(DONE, pack("=i", 0)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        fed(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    except ProtocolError:
        pass
