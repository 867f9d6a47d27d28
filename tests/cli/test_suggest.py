"""Did you mean ...?"""

from __future__ import annotations

import pytest

from fairlead.cli.commands import COMMANDS
from fairlead.cli.options import FORWARD, GLOBAL, SERVICES
from fairlead.cli.parse import parse
from fairlead.cli.suggest import closest

NAMES = [name for command in COMMANDS for name in (command.name, *command.aliases)]
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
        ("service", "services"),
        ("scv", "svc"),
        ("cleanup", "clean"),
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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-f", "metadata.name=web"], "unknown option -f (here it is --field-selector)"),
        (["-r", "api:127.9.9.9"], "unknown option -r (here it is --reserve NAME=IP)"),
        (["-z", "conf.yaml"], "unknown option -z (here it is --config, or --reserve NAME=IP)"),
        (["--hosts-path=/tmp/h"], "unknown option --hosts-path (here it is --hosts-file)"),
        (["-p"], "unknown option -p (fairlead clean removes what a killed run left)"),
        (["-a"], "unknown option -a (there is no need for it: what changes is followed at once, and what fails is "
                 "tried again)"),
        (["-b"], "unknown option -b (the copy of the hosts file is made once, and never restored)"),
        (["-q"], "unknown option -q (without -v only changes are told)"),
        (["--tui"], "unknown option --tui (the last line of a terminal shows how all stands)"),
        (["--theme", "dark"], "unknown option --theme (there are no colours to choose)"),
        (["--api"], "unknown option --api (-o json tells programs what happens)"),
        (["--nope"], "unknown option --nope (--help lists the options)"),
        (["-dry-run"], "unknown option -d in -dry-run (did you mean --dry-run?)"),
    ],
)  # fmt: skip
def test_options_of_kubefwd_are_told_what_they_are_called_here(words: list[str], said: str) -> None:
    assert str(parse(words, (*SERVICES, *GLOBAL)).error) == said
    assert "here it is" not in str(parse(words, (*FORWARD, *GLOBAL)).error)
