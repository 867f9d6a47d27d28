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
def test_kubectls_levels(lines: io.StringIO, verbosity: int, shown: list[str]) -> None:
    log.setup(verbosity, lambda line: print(line, file=lines))
    logger = log.get("fairlead.test")
    for say in (logger.warning, logger.info, logger.decision, logger.request, logger.header):
        say("said")
    assert re.findall(r" (\w+) fairlead.test: said\n", lines.getvalue().lower()) == shown


def test_context_is_inherited_and_may_hold_a_percent_sign(lines: io.StringIO) -> None:
    log.setup(0, lambda line: print(line, file=lines))
    log.get("fairlead.test", pod="50%").about(port=80).warning("took %d s", 3)
    assert lines.getvalue().endswith(" WARNING fairlead.test: [pod=50% port=80] took 3 s\n")


def test_secret_headers_are_hidden() -> None:
    headers = [("Authorization", "Bearer abc"), ("Accept", "*/*"), ("Cookie", "abc")]
    assert log.safe_headers(headers) == "Authorization: (hidden); Accept: */*; Cookie: (hidden)"


def test_a_reader_that_sleeps_stops_nobody() -> None:
    read, write = os.pipe()
    log.setup(8, Lines(write).write)
    logger = log.get("fairlead.test")
    for number in range(2000):  # several times what a pipe holds
        logger.header("%d %s", number, "x" * 200)
    assert b"fairlead.test: 0 x" in os.read(read, 1000)
    os.close(read)
    logger.header("nobody reads any more")
    os.close(write)
