from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Iterator

import pytest

from fairlead.host import descriptors
from fairlead.kit import process
from tests.support.loop import run

OWN = [sys.executable, "-I", "-S", "-c", "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"]


@pytest.fixture(autouse=True)
def limits_as_before() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    process._inherited = None


async def childs_limit() -> bytes:
    child = await process.start(OWN, stdout=asyncio.subprocess.PIPE)
    out, _ = await child.process.communicate()
    return out.strip()


def test_ours_is_raised_and_a_childs_is_not() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    expected = descriptors.ENOUGH if hard == resource.RLIM_INFINITY else min(hard, descriptors.ENOUGH)
    assert descriptors.raise_limit() == expected
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (expected, hard)
    assert run(childs_limit()) == f"256 {hard}".encode()


def test_a_limit_that_is_high_enough_is_left_alone() -> None:
    before = descriptors.raise_limit()
    process._inherited = None
    assert descriptors.raise_limit() == before
    assert process._inherited is None


def test_a_machine_that_refuses_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(which: int, limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with monkeypatch.context() as patch:
        patch.setattr(resource, "setrlimit", refuse)
        assert descriptors.raise_limit() == 256
