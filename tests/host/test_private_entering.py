"""What a child meets on its way into the namespaces; that they are others only real ones show."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.host.private import kernel
from fairlead.host.private.entering import enter
from fairlead.kit import process
from tests.support.loop import LOOPS, run_on

NOBODY = 65534


def moves_to_root(descriptor: int, kind: int) -> None:
    """As setns(2) does with a mount namespace."""
    os.chdir("/")


@pytest.fixture(autouse=True)
def no_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "setns", moves_to_root)


def seen(loop: str, first: Callable[[], None] = lambda: None) -> str:
    """The folder in which a child is inside."""

    def in_child() -> None:
        first()
        enter([(0, kernel.NEWNS)])

    async def main() -> str:
        child = await process.start(["pwd", "-P"], stdout=asyncio.subprocess.PIPE, in_child=in_child)
        out, _ = await child.process.communicate()
        return out.decode()

    return run_on(loop, main())


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder that only somebody else may enter."""
    folder = tmp_path / "closed"
    folder.mkdir()
    try:
        yield folder
    finally:
        folder.chmod(0o700)


def test_the_folder_is_the_same(loop: str, tmp_path: Path) -> None:
    assert seen(loop, lambda: os.chdir(tmp_path)) == f"{tmp_path}\n"


def test_a_folder_that_was_removed(loop: str, tmp_path: Path) -> None:
    def leave_none() -> None:
        folder = tmp_path / loop
        folder.mkdir()
        os.chdir(folder)
        folder.rmdir()

    assert seen(loop, leave_none) == "", "pwd has nothing to say, and nothing went wrong before"


def test_a_folder_of_that_name_is_another(loop: str, tmp_path: Path) -> None:
    def replace() -> None:
        folder = tmp_path / loop
        folder.mkdir()
        os.chdir(folder)
        folder.rename(tmp_path / f"{loop}-moved")
        folder.mkdir()

    assert seen(loop, replace) == f"{tmp_path / loop}-moved\n"


def test_a_folder_that_may_not_be_entered_is_named(loop: str, closed: Path) -> None:
    def stay_as_another() -> None:
        os.chdir(closed)
        closed.chmod(0)
        if os.geteuid() == 0:
            os.seteuid(NOBODY)

    with pytest.raises(MachineError) as caught:
        seen(loop, stay_as_another)
    assert str(caught.value) == (
        f"the command cannot run in {closed}, which you may not enter (start it from a folder that you may enter)"
    )


def test_one_that_may_be_entered_only_outside(loop: str, closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root has fewer rights in a user namespace."""

    def setns(descriptor: int, kind: int) -> None:
        os.chdir("/")
        closed.chmod(0)
        if os.geteuid() == 0:
            os.seteuid(NOBODY)

    monkeypatch.setattr(kernel, "setns", setns)
    with pytest.raises(MachineError, match=f"cannot run in {closed}, which you may not enter"):
        seen(loop, lambda: os.chdir(closed))


def test_a_network_that_lets_nobody_in(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def setns(descriptor: int, kind: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(kernel, "setns", setns)
    with pytest.raises(MachineError, match=r"^the private network cannot be entered: Operation not permitted$"):
        seen(loop)


def test_no_descriptor_left(loop: str) -> None:
    def first() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    with pytest.raises(MachineError, match=r"^cannot run pwd: Too many open files$"):
        seen(loop, first)
