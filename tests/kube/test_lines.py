from __future__ import annotations

import pytest

from fairlead.errors import ProtocolError
from fairlead.kube.lines import Lines
from tests.support.loop import run


def lines(*parts: bytes, limit: int = 100) -> list[bytes]:
    left = [*parts]

    async def read() -> bytes | None:
        return left.pop(0) if left else None

    async def main() -> list[bytes]:
        return [line async for line in Lines(read, limit)]

    return run(main())


STREAM = b"one\n\ntwo\nthree\nhalf"


@pytest.mark.parametrize("step", [1, 2, 5, 100])
def test_however_it_is_cut(step: int) -> None:
    parts = [STREAM[at : at + step] for at in range(0, len(STREAM), step)]
    assert lines(*parts) == [b"one", b"two", b"three"]


def test_empty_lines_are_none() -> None:
    assert lines() == []
    assert lines(b"", b"\n", b"") == []


@pytest.mark.parametrize("parts", [[b"x" * 11], [b"x" * 6, b"x" * 5], [b"ok\n" + b"x" * 11 + b"\n"]])
def test_a_line_that_is_too_long_is_refused_however_it_arrives(parts: list[bytes]) -> None:
    assert lines(b"x" * 10 + b"\n", limit=10) == [b"x" * 10]
    with pytest.raises(ProtocolError, match="longer than 10 bytes"):
        lines(*parts, limit=10)
