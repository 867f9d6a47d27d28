"""What the programs that make a private network say and do, with others in their place."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.host.private import setup
from fairlead.host.private.setup import MOST_SAID, StepError
from fairlead.policy.capture import CaptureRules
from fairlead.policy.namespace_advice import NO_END

Program = Callable[[str, str], None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where all programs are."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(setup, "PLACES", str(tmp_path / "sbin"))
    return tmp_path


def program(folder: Path, name: str, text: str, *, before: str = "#!/bin/sh\n") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(before + text)
    (folder / name).chmod(0o755)


def failure(commands: str = "x") -> StepError:
    with pytest.raises(StepError) as caught:
        setup.change_rules(commands)
    return caught.value


def test_commands_are_given_as_they_are(folder: Path) -> None:
    program(folder, "nft", f'echo "$@" > {folder}/words; while read -r line; do echo "$line"; done > {folder}/said')
    setup.change_rules("add element inet fairlead ports { 80 }\n")
    assert (folder / "words").read_text() == "-f -\n"
    assert (folder / "said").read_text() == "add element inet fairlead ports { 80 }\n"


def test_a_program_in_the_folders_of_root_is_found(folder: Path) -> None:
    program(folder / "sbin", "nft", "exit 0")
    setup.change_rules("x")


def test_a_program_that_is_not_there(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = failure()
    assert (error.step, error.number, error.text) == ("nft", 0, "")
    here = tmp_path_factory.mktemp("here")
    program(here, "nft", "exit 0")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", "")
    assert failure().number == 0, "what lies in the current folder is nobody's nft"
    monkeypatch.delenv("PATH")
    assert failure().number == 0


def test_what_it_says_is_kept_as_far_as_it_can_be_told(folder: Path) -> None:
    program(folder, "nft", "printf 'Error: caf\\351\\n  no\\n' >&2; exit 3")
    error = failure()
    assert (error.step, error.number) == ("nft", 3)
    assert error.text == "Error: caf\ufffd\n  no"
    program(folder, "nft", "i=0; while [ $i -lt 3000 ]; do echo 0123456789 >&2; i=$((i+1)); done; exit 1")
    assert len(failure().text) == MOST_SAID


def test_one_that_does_not_read(folder: Path) -> None:
    program(folder, "nft", "exec <&-; echo no >&2; exit 1")
    assert failure("x" * 1_000_000).text == "no"


def test_one_that_cannot_run(folder: Path) -> None:
    program(folder, "nft", "\x7fELF nonsense", before="")
    error = failure()
    assert (error.step, error.number) == ("nft", errno.ENOEXEC)


def test_one_that_is_killed(folder: Path) -> None:
    program(folder, "nft", "kill -9 $$")
    assert failure().number == -9


def test_one_that_does_not_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "LIMIT", 0.1)
    program(folder, "nft", "exec 1<&- 2<&-; exec /bin/sleep 60")
    error = failure()
    assert (error.step, error.number, error.text) == ("nft", NO_END, "it did not end within 0.1 s")
    program(folder, "ip", f"echo x >> {folder}/runs; exec /bin/sleep 60")
    with pytest.raises(StepError, match="it did not end"):
        setup._make_links(CaptureRules(interface="wlan0"))
    assert (folder / "runs").read_text() == "x\n", "what hangs is not tried again"


def test_without_an_interface_of_its_own_the_loopback_does(folder: Path) -> None:
    program(
        folder,
        "ip",
        f'while read -r line; do case "$line" in *veth*) exit 2;; *) echo "$line";; esac; done >> {folder}/said',
    )
    rules = CaptureRules(("192.0.2.7",), ("192.0.2.7",), interface="wlan0")
    setup._make_links(rules)
    said = (folder / "said").read_text().splitlines()
    assert said[-2:] == ["addr add 192.0.2.7/32 dev lo", "route replace local 0.0.0.0/0 dev lo src 192.0.2.7"]
    assert not any("wlan0" in line for line in said)


def test_where_that_fails_too_it_is_told(folder: Path) -> None:
    program(folder, "ip", f"echo x >> {folder}/runs; exit 2")
    for interface, runs in ("wlan0", 2), ("", 3):
        with pytest.raises(StepError):
            setup._make_links(CaptureRules(interface=interface))
        assert len((folder / "runs").read_text().splitlines()) == runs


def test_a_step_that_fails_has_the_systems_words() -> None:
    def work() -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    with pytest.raises(StepError) as caught:
        setup._step("map", work)
    assert (caught.value.step, caught.value.number, caught.value.text) == (
        "map",
        errno.EPERM,
        "Operation not permitted",
    )


def test_what_an_older_kernel_has_not_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "_SYSCTLS", ("net/core/somaxconn", "no/such/setting"))
    found = setup._read_sysctls()
    assert list(found) == ["net/core/somaxconn"]
    setup._write_sysctls({"no/such/setting": "1"})
