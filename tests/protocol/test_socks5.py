from __future__ import annotations

import pytest

from fairlead.errors import ProtocolError
from fairlead.protocol.socks5 import Socks5Connect

OK = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"


def talk_through(talk: Socks5Connect, answer: bytes, step: int) -> bytes:
    out = talk.start()
    for at in range(0, len(answer), step):
        assert not talk.done
        out += talk.receive(answer[at : at + step])
    return out


@pytest.mark.parametrize("step", [1, 3, 100])
@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("api.test", b"\x03\x08api.test"),
        ("10.0.0.1", b"\x01\x0a\x00\x00\x01"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
        ("münchen.test", b"\x03\x13xn--mnchen-3ya.test"),
    ],
)
def test_a_host_is_asked_for_by_name_or_address(host: str, address: bytes, step: int) -> None:
    talk = Socks5Connect(host, 6443)
    out = talk_through(talk, b"\x05\x00" + OK, step)
    assert out == b"\x05\x01\x00" + b"\x05\x01\x00" + address + b"\x19\x2b"
    assert talk.done


@pytest.mark.parametrize("bound", [b"\x04" + bytes(16), b"\x03\x03abc", b"\x01" + bytes(4)])
@pytest.mark.parametrize("step", [1, 100])
def test_password_and_every_bound_address(bound: bytes, step: int) -> None:
    talk = Socks5Connect("a", 1, username="ada", password="pw")
    out = talk_through(talk, b"\x05\x02\x01\x00\x05\x00\x00" + bound + b"\x00\x01", step)
    assert out == b"\x05\x02\x00\x02" + b"\x01\x03ada\x02pw" + b"\x05\x01\x00\x03\x01a\x00\x01"
    assert talk.done


def test_a_proxy_may_want_no_password() -> None:
    talk = Socks5Connect("a", 1, username="ada")
    talk_through(talk, b"\x05\x00" + OK, 100)
    assert talk.done


@pytest.mark.parametrize(
    ("user", "answer", "what"),
    [
        ("", b"HTTP/1.1 400", "does not speak SOCKS5"),
        ("", b"\x05\xff", "who we are .*USER:PASSWORD@"),
        ("", b"\x05\x02", "who we are"),
        ("ada", b"\x05\xff", "^it wants to know who we are$"),
        ("ada", b"\x05\x02\x01\x01", "does not accept our user name"),
        ("", b"\x05\x00\x05\x05\x00\x01\x00", "refused: connection refused"),
        ("", b"\x05\x00\x05\x63\x00\x01\x00", "refused: error 99"),
        ("", b"\x05\x00\x04\x00\x00\x01\x00", "does not speak SOCKS5"),
        ("", b"\x05\x00\x05\x00\x00\x09\x00", "no known type"),
        ("", b"\x05\x00" + OK + b"x", "before any were sent"),
    ],
)
def test_a_refusal_is_told_with_its_reason(user: str, answer: bytes, what: str) -> None:
    with pytest.raises(ProtocolError, match=what):
        Socks5Connect("a", 1, username=user).receive(answer)


def test_names_that_are_too_long_for_socks5_are_refused() -> None:
    with pytest.raises(ProtocolError, match="longer than SOCKS5 allows"):
        Socks5Connect("a", 1, username="x" * 256)
    with pytest.raises(ProtocolError, match="name is longer"):
        Socks5Connect("x" * 256, 1)
