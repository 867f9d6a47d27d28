"""The hosts file inside a private namespace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.policy.hostsblock import Entry, Owner, blocks, mentions, replace
from fairlead.policy.private_hosts import render

NGINX = Entry("10.96.0.10", ("nginx", "nginx.default"))
OURS = b"10.96.0.10 nginx nginx.default\n"
LAPTOP = b"127.0.0.1\tlocalhost\n\n# a comment, nginx\n192.0.2.1 build.corp.test build # it\n"


def test_ours_come_first_and_all_else_stays() -> None:
    assert render(LAPTOP, [NGINX]) == OURS + LAPTOP
    assert render(LAPTOP, []) == LAPTOP
    assert render(b"", [NGINX, Entry("fd00::1", ("six",))]) == OURS + b"fd00::1 six\n"


def test_what_runs_wrote_there_is_left_out() -> None:
    written = replace(LAPTOP, Owner(4711, 1, "b"), [Entry("127.44.5.6", ("other", "nginx"))])
    assert render(written, [NGINX]) == OURS + LAPTOP
    assert render(written + b"# fairlead end pid=9\n", []) == LAPTOP


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (b"192.0.2.1 nginx\n", b""),
        (b"192.0.2.1 nginx # mine\n", b""),
        (b"192.0.2.1  a\tNginx  b # mine, nginx\r\n", b"192.0.2.1  a  b # mine, nginx\r\n"),
        (b" 192.0.2.1 nginx nginx nginx.default a", b" 192.0.2.1 a"),
        (b"::1 a nginx#b\n", b"::1 a#b\n"),
        (b"192.0.2.1 nginx2 a.nginx\n", b"192.0.2.1 nginx2 a.nginx\n"),
        (b"nonsense nginx\n", b"nonsense nginx\n"),
        (b"\xff\xfe nginx\n", b"\xff\xfe nginx\n"),
    ],
)
@pytest.mark.parametrize("before", [b"", LAPTOP])
def test_names_that_are_ours_are_nobody_elses(before: bytes, line: bytes, left: bytes) -> None:
    assert render(before + line, [NGINX]) == OURS + before + left


def test_names_that_dns_answers_are_nobody_elses_either() -> None:
    assert render(b"192.0.2.1 out a\n192.0.2.2 out\n", [], {"out"}) == b"192.0.2.1 a\n"


def test_no_line_is_longer_than_every_reader_takes() -> None:
    names = tuple(f"name-{n}.of-a-service.default.svc.cluster.local" for n in range(40))
    text = render(b"", [Entry("10.0.0.1", names)])
    assert all(len(line) <= 500 and line.startswith(b"10.0.0.1 ") for line in text.splitlines())
    assert [word.decode() for word in text.split() if word != b"10.0.0.1"] == list(names)


PIECES = st.sampled_from(
    [b"192.0.2.1", b"127.44.5.6", b" ", b"\t", b"\n", b"\r\n", b"#", b"\0", b"nginx", b"NGINX.default", b"b",
     b"# fairlead begin pid=1 start=1 boot=a\n", b"# fairlead end pid=1\n"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map(b"".join))
def test_afterwards_nobody_else_has_our_names(laptop: bytes) -> None:
    text = render(laptop, [NGINX])
    assert text.startswith(OURS)
    rest = text.removeprefix(OURS)
    assert not mentions(rest, NGINX.names)
    assert not blocks(rest)
    assert render(rest, []) == rest
