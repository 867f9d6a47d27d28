from __future__ import annotations

import pytest

from fairlead.errors import ProtocolError
from fairlead.protocol.http_connect import MAX_HEAD, HttpConnect

YES = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"


def test_a_request_says_who_we_are_if_that_is_known() -> None:
    talk = HttpConnect("api.test:6443", username="ada", password="pw", agent="fairlead/1")
    assert talk.start() == (
        b"CONNECT api.test:6443 HTTP/1.1\r\nHost: api.test:6443\r\nUser-Agent: fairlead/1\r\n"
        b"Proxy-Authorization: Basic YWRhOnB3\r\n\r\n"
    )
    assert b"Authorization" not in HttpConnect("a:1").start()


@pytest.mark.parametrize("step", [1, 2, 7, len(YES)])
def test_a_yes_is_understood_in_any_pieces(step: int) -> None:
    talk = HttpConnect("a:1")
    for at in range(0, len(YES), step):
        assert not talk.done
        assert talk.receive(YES[at : at + step]) == b""
    assert talk.done


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", r"who we are: 407 .*USER:PASSWORD@"),
        (b"HTTP/1.0 503 Service Unavailable\r\nX: y\r\n\r\nbody", "it refused: 503 Service Unavailable"),
        (b"SSH-2.0-x\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 xyz\r\n\r\n", "not HTTP"),
        (YES + b"x", "before any were sent"),
        (b"a" * (MAX_HEAD + 1), "longer than"),
    ],
)
def test_a_no_is_told_with_its_reason(answer: bytes, what: str) -> None:
    with pytest.raises(ProtocolError, match=what):
        HttpConnect("a:1").receive(answer)


def test_bytes_after_the_answer_are_refused_in_whatever_piece_they_come() -> None:
    talk = HttpConnect("a:1")
    talk.receive(b"HTTP/1.1 200 OK\r\n\r\n")
    assert talk.done
    with pytest.raises(ProtocolError, match="before any were sent"):
        talk.receive(b"x")
