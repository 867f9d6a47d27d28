from __future__ import annotations

import re
from typing import Any

import pytest

from fairlead.cli.commands import every_option, named, options_of
from fairlead.cli.parse import Parsed, first_word, parse
from fairlead.errors import UsageError


def forward(*words: str) -> Parsed:
    command = named("forward")
    assert command is not None
    return parse(words, options_of(command))


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["-n", "foo"], {"namespace": "foo"}),
        (["-nfoo"], {"namespace": "foo"}),
        (["-n=foo"], {"namespace": "foo"}),
        (["--namespace", "foo"], {"namespace": "foo"}),
        (["--namespace=foo"], {"namespace": "foo"}),
        (["--namespace="], {"namespace": ""}),
        (["--namespace=a=b"], {"namespace": "a=b"}),
        (["-n", "a", "-n", "b"], {"namespace": "b"}),
        (["-v=6"], {"verbosity": 6}),
        (["-v", "6"], {"verbosity": 6}),
        (["-v6"], {"verbosity": 6}),
        (["--v=6"], {"verbosity": 6}),
        (["--v", "6"], {"verbosity": 6}),
        (["-v"], {"verbosity": 1}),
        (["-v", "--sticky"], {"verbosity": 1, "sticky": True}),
        (["-s", "https://x"], {"server": "https://x"}),
        (["--as", "jane", "--as-uid=7"], {"as_user": "jane", "as_uid": "7"}),
        (["--as-group", "a", "--as-group=b,c"], {"as_groups": ("a", "b,c")}),
        (["--as-user-extra=k=v"], {"as_user_extra": ("k=v",)}),
        (["--insecure-skip-tls-verify"], {"insecure_skip_tls_verify": True}),
        (["--insecure-skip-tls-verify=false"], {"insecure_skip_tls_verify": False}),
        (["--insecure-skip-tls-verify=T"], {"insecure_skip_tls_verify": True}),
        (["--insecure_skip_tls_verify"], {"insecure_skip_tls_verify": True}),
        (["--request-timeout=5"], {"request_timeout": 5.0}),
        (["--request-timeout=1m30s"], {"request_timeout": 90.0}),
        (["--request-timeout", "0"], {"request_timeout": 0.0}),
        (["--pod_running_timeout=2m"], {"pod_running_timeout": 120.0}),
        (["--wait=0"], {"wait": 0.0}),
        (["--address", "a,b", "--address=c"], {"addresses": ("a", "b", "c")}),
        (["--lanes=8", "-ojson"], {"lanes": 8, "output": "json"}),
        (["-h"], {"help": True}),
    ],
)
def test_options_may_be_spelt_as_kubectl_takes_them(words: list[str], values: dict[str, Any]) -> None:
    parsed = forward(*words, "pod/x", "80")
    assert (parsed.values, parsed.words, parsed.after) == (values, ["pod/x", "80"], None)


def test_a_bool_takes_its_value_only_by_an_equals_sign() -> None:
    parsed = forward("--sticky", "false", "80")
    assert (parsed.values, parsed.words) == ({"sticky": True}, ["false", "80"])


def test_what_follows_two_dashes_is_left_alone() -> None:
    parsed = forward("svc/web", "--sticky", ":80", "--", "run", "--", "-n", "x")
    assert (parsed.words, parsed.after) == (["svc/web", ":80"], ["run", "--", "-n", "x"])
    assert forward("svc/web", "--").after == []


def test_standard_input_and_output_are_words() -> None:
    assert forward("pod/x", "-:22", "-").words == ["pod/x", "-:22", "-"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--adress=x"], r"unknown option --adress \(did you mean --address\?\)"),
        (["--qqqq"], r"unknown option --qqqq \(--help lists the options\)"),
        (["-x"], r"unknown option -x "),
        (["-hx"], r"unknown option -x in -hx"),
        (["-namespace"], None),
        (["-sticky"], None),
        (["-context=x"], r"unknown option -c in -context=x \(did you mean --context=x\?\)"),
        (["-n"], r"option --namespace needs a value"),
        (["--context"], r"option --context needs a value \(for example --context=NAME\)"),
        (["--sticky=maybe"], r'--sticky is true or false, not "maybe"'),
        (["-v=high"], r'--v is a number, not "high"'),
        (["--lanes=-1"], r'--lanes is a number, not "-1"'),
        (["--wait=30"], r'--wait is a time, not "30" \(a duration has a unit'),
        (["--wait=-1s"], r"--wait cannot be negative"),
        (["--pod-running-timeout=0s"], r"--pod-running-timeout must be higher than zero"),
    ],
)
def test_what_is_wrong_is_said_with_a_hint(words: list[str], message: str | None) -> None:
    if message is None:  # kubectl reads these as -n with "amespace" and -s with "ticky"
        assert forward(*words).values in ({"namespace": "amespace"}, {"server": "ticky"})
        return
    parsed = forward("--follow", *words)
    assert isinstance(parsed.error, UsageError)
    assert re.search(message, str(parsed.error))
    assert parsed.values["follow"]


def test_after_a_mistake_the_rest_is_read_all_the_same() -> None:
    """It says how the mistake is to be told."""
    parsed = forward("--nonsense", "--lanes=x", "-o", "json", "pod/x", "--exit-on-loss=t")
    assert (parsed.values, parsed.words) == ({"output": "json", "exit_on_loss": True}, ["pod/x"])
    assert str(parsed.error).startswith("unknown option --nonsense")


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["forward"], 0),
        (["-n", "forward", "version"], 2),
        (["-nfoo", "--context=x", "forward"], 2),
        (["--insecure-skip-tls-verify", "forward"], 1),
        (["--address", "0.0.0.0", "forward"], 2),
        (["-h"], None),
        ([], None),
        (["--", "forward"], None),
    ],
)
def test_the_command_is_the_first_word_that_is_no_option(words: list[str], place: int | None) -> None:
    assert first_word(words, every_option()) == place


@pytest.mark.parametrize(("words", "place"), [(["-v", "svc"], 1), (["-v", "4", "svc"], 2), (["-v=4", "svc"], 1)])
def test_a_level_may_be_missing_before_the_command_too(words: list[str], place: int) -> None:
    assert first_word(words, every_option()) == place


def test_a_word_after_v_that_is_no_number_is_a_word() -> None:
    parsed = forward("-v", "svc/web", ":80")
    assert (parsed.values, parsed.words) == ({"verbosity": 1}, ["svc/web", ":80"])
