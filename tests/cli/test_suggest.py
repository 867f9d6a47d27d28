"""Did you mean ...?"""

from __future__ import annotations

import pytest

from fairlead.cli.commands import COMMANDS
from fairlead.cli.options import FORWARD, GLOBAL
from fairlead.cli.suggest import closest

NAMES = [command.name for command in COMMANDS]
OPTIONS = [f"--{option.name}" for option in (*FORWARD, *GLOBAL)]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("foward", "forward"),
        ("orward", "forward"),
        ("fwd", "forward"),
        ("port-forward", "forward"),
        ("comp", "completion"),
        ("verison", "version"),
        ("options", ""),
        ("get", ""),
    ],
)
def test_a_command(word: str, meant: str) -> None:
    assert closest(word, NAMES) == meant


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--adress", "--address"),
        ("--namspace", "--namespace"),
        ("--kube-config", "--kubeconfig"),
        ("--exit-on-los", "--exit-on-loss"),
        ("--ready", "--ready-file"),
        ("--short", ""),
        ("--nope", ""),
    ],
)
def test_the_dashes_of_an_option_make_it_like_no_other(word: str, meant: str) -> None:
    assert closest(word, OPTIONS) == meant
