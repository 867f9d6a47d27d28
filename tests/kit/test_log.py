from __future__ import annotations

import io
import os
import re

import pytest

from fairlead.kit import log
from fairlead.kit.lines import Lines


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [
        (0, ["warning"]),
        (1, ["warning", "info"]),
        (4, ["warning", "info", "decision"]),
        (6, ["warning", "info", "decision", "request"]),
        (7, ["warning", "info", "decision", "request"]),
        (9, ["warning", "info", "decision", "request", "header"]),
    ],
)
def test_verbosity_shows_what_it_shows_with_kubectl(lines: io.StringIO, verbosity: int, shown: list[str]) -> None:
    log.setup(verbosity, lambda line: print(line, file=lines))
    logger = log.get("fairlead.test")
    for say in (logger.warning, logger.info, logger.decision, logger.request, logger.header):
        say("said")
    assert re.findall(r" (\w+) fairlead.test: said\n", lines.getvalue().lower()) == shown


EVIL = "\x1b]0;title\x07\n\x9b2J\r12:00:00.000 WARNING fairlead: run this\u2028now\x85"


def test_what_a_server_says_stays_in_its_line_and_moves_no_cursor(lines: io.StringIO) -> None:
    log.setup(0, lambda line: print(line, file=lines))
    log.get("fairlead.test").warning("it ends: %s", EVIL)
    assert lines.getvalue().endswith(
        " WARNING fairlead.test: it ends: ]0;title 2J 12:00:00.000 WARNING fairlead: run this now\n"
    )


def test_a_traceback_is_told_line_by_line_each_of_them_indented(lines: io.StringIO) -> None:
    log.setup(0, lambda line: print(line, file=lines))
    try:
        raise ValueError(EVIL)
    except ValueError:
        log.get("fairlead.test").warning("why:", exc_info=True)
    first, *trace = lines.getvalue().splitlines()
    assert first.endswith(" WARNING fairlead.test: why:")
    assert trace[0] == "    Traceback (most recent call last):"
    assert "        raise ValueError(EVIL)" in trace
    assert all(line.startswith("    ") and line.isprintable() for line in trace)
    assert any(line.strip().endswith("WARNING fairlead: run this") for line in trace)


def test_secret_headers_are_hidden() -> None:
    headers = [("Authorization", "Bearer abc"), ("Accept", "*/*"), ("Cookie", "abc")]
    assert log.safe_headers(headers) == "Authorization: (hidden); Accept: */*; Cookie: (hidden)"


def test_a_reader_that_sleeps_stops_nobody() -> None:
    read, write = os.pipe()
    lines = Lines(write)
    log.setup(8, lines.write)
    logger = log.get("fairlead.test")
    for number in range(2000):  # several times what a pipe holds
        logger.header("%d %s", number, "x" * 200)
    assert b"fairlead.test: 0 x" in os.read(read, 1000)
    os.close(read)
    logger.header("nobody reads any more")
    lines.close()
    os.close(write)
