"""What a command is given of the machine, and of us."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.host import children


@pytest.fixture
def ignored() -> Iterator[None]:
    numbers = (signal.SIGHUP, signal.SIGUSR1)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_command_is_run_as_it_is() -> None:
    assert children.ignoring(["echo", "a b"]) == ["echo", "a b"]


@pytest.mark.usefixtures("ignored")
def test_what_we_ignore_it_ignores() -> None:
    command = children.ignoring(["sh", "-c", 'kill -HUP $$; kill -USR1 $$; echo "$0" "$1"', "a b", "c"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "a b c\n")


@pytest.mark.parametrize(
    ("given", "there"),
    [(b"HOME=/h\0", False), (b"HOME=/h\0LC_CTYPE=C.UTF-8\0", True), (b"XLC_CTYPE=1\0", False), (None, True)],
)
def test_what_python_put_into_the_environment_is_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bytes | None, there: bool
) -> None:
    monkeypatch.setenv("LC_CTYPE", "C.UTF-8")
    monkeypatch.setenv("MINE", "1")
    (tmp_path / "self").mkdir()
    if given is not None:
        (tmp_path / "self/environ").write_bytes(given)
    env = children.environment(str(tmp_path))
    assert ("LC_CTYPE" in env) == there
    assert env["MINE"] == "1"
