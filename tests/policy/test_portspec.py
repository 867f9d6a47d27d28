from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import UsageError
from fairlead.model.target import Local, PortSpec, TargetSpec
from fairlead.policy.portspec import parse_number, parse_port, parse_targets

RULE = "it may have lower case letters, digits, '-' and '.', and must start and end with a letter or a digit"
INCOMPLETE = "TYPE/NAME and list of ports are required for port-forward"


@pytest.mark.parametrize(
    ("word", "local", "remote"),
    [
        ("80", None, "80"),
        ("8080:80", 8080, "80"),
        (":80", Local.ANY, "80"),
        ("0:80", Local.ANY, "80"),
        ("00:80", Local.ANY, "80"),
        ("080:80", 80, "80"),
        ("80:80", None, "80"),
        ("65535:1", 65535, "1"),
        ("http", None, "http"),
        ("http:http", None, "http"),
        (":http", Local.ANY, "http"),
        ("8080:http", 8080, "http"),
        ("-:22", Local.STDIO, "22"),
        ("-:ssh", Local.STDIO, "ssh"),
        # judged with the object at hand
        ("0", None, "0"),
        ("99999", None, "99999"),
        ("1:99999", 1, "99999"),
    ],
)
def test_a_port_is_read_as_kubectl_reads_it(word: str, local: int | Local | None, remote: str) -> None:
    assert parse_port(word) == PortSpec(local, remote)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("1:2:3", "invalid port format '1:2:3'"),
        ("::", "invalid port format '::'"),
        ("", "remote port cannot be empty"),
        ("80:", "remote port cannot be empty"),
        (":", "remote port cannot be empty"),
        ("x:80", "error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax"),
        ("65536:80", "error parsing local port '65536': strconv.ParseUint: parsing \"65536\": value out of range"),
        ("99999x:80", "error parsing local port '99999x': strconv.ParseUint: parsing \"99999x\": value out of range"),
        ("+1:80", "error parsing local port '+1': strconv.ParseUint: parsing \"+1\": invalid syntax"),
        ("1_0:80", "error parsing local port '1_0': strconv.ParseUint: parsing \"1_0\": invalid syntax"),
        ("\u0661:80", "error parsing local port '\u0661': strconv.ParseUint: parsing \"\u0661\": invalid syntax"),
        ('a"\\:80', 'error parsing local port \'a"\\\': strconv.ParseUint: parsing "a\\"\\\\": invalid syntax'),
    ],
)
def test_what_is_no_port_is_refused_in_kubectls_words(word: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_port(word)
    assert caught.value.what == words
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("127.0.0.1:8080:80", "the address is an option: --address=127.0.0.1 8080:80"),
        ("[::1]:8080:http", "the address is an option: --address=::1 8080:http"),
        ("localhost:8080:80", "the address is an option: --address=localhost 8080:80"),
        ("1:2:3", "a port is written REMOTE, LOCAL:REMOTE or :REMOTE, such as 8080:80 or :http"),
        ("::1", "a port is written REMOTE, LOCAL:REMOTE or :REMOTE, such as 8080:80 or :http"),
    ],
)
def test_an_address_before_the_ports_is_told_where_to_go(word: str, remedy: str) -> None:
    with pytest.raises(UsageError, match="invalid port format") as caught:
        parse_port(word)
    assert caught.value.remedy == remedy


def test_a_number_that_is_empty() -> None:
    with pytest.raises(UsageError, match='parsing "": invalid syntax'):
        parse_number("", "remote")


def test_a_long_number_costs_no_time() -> None:
    with pytest.raises(UsageError, match="value out of range"):
        parse_number("9" * 1_000_000, "local")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("web 80", [("pod", "web", ["80"])]),
        ("pod/web 80 8080:81", [("pod", "web", ["80", "8080:81"])]),
        ("svc/a 80 deploy/b :90 91", [("svc", "a", ["80"]), ("deploy", "b", [":90", "91"])]),
        ("web 80 svc/a http", [("pod", "web", ["80"]), ("svc", "a", ["http"])]),
        # A bare name is a pod as the first word only: here it is the name of a port.
        ("svc/a 80 web", [("svc", "a", ["80", "web"])]),
        ("deployments.v1.apps/web 80", [("deployments.v1.apps", "web", ["80"])]),
    ],
)
def test_words_are_targets_each_with_its_ports(words: str, expected: list[tuple[str, str, list[str]]]) -> None:
    assert parse_targets(words.split()) == tuple(
        TargetSpec(kind, name, tuple(map(parse_port, ports))) for kind, name, ports in expected
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], INCOMPLETE),
        (["web"], INCOMPLETE),
        (["svc/a", "80", "svc/b"], INCOMPLETE),
        (["svc/a", "svc/b", "80"], INCOMPLETE),
        (["", "80"], INCOMPLETE),
        (["a/b/c", "80"], "arguments in resource/name form may not have more than one slash"),
        (["a/", "80"], "arguments in resource/name form must have a single resource and name"),
        (["/a", "80"], "arguments in resource/name form must have a single resource and name"),
        (["pod,svc/a", "80"], "arguments in resource/name form must have a single resource and name"),
        (["pod/..", "80"], "invalid resource name \"..\": [may not be '..']"),
        (["pod/a%b", "80"], "invalid resource name \"a%b\": [may not contain '%']"),
        (["svc/WEB", "80"], f'invalid resource name "WEB": {RULE}'),
        (["web_x", "80"], f'invalid resource name "web_x": {RULE}'),
        (["svc/web ", "80"], f'invalid resource name "web ": {RULE}'),
        (["svc/\udcff\udcfe", "80"], f'invalid resource name "\\udcff\\udcfe": {RULE}'),
        (
            ["svc/" + "a" * 254, "80"],
            f'invalid resource name "{"a" * 40}...": it may not be longer than 253 characters',
        ),
    ],
)
def test_what_is_no_target_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_targets(words)
    assert caught.value.what == message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("word", "instead"), [("svc/web:80", "svc/web 80"), ("web:8080:80", "web 8080:80"), ("svc/web:", "svc/web 80")]
)
def test_a_port_behind_a_colon(word: str, instead: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_targets([word])
    assert caught.value.remedy == f"a blank, not a colon: {instead}"


@pytest.mark.parametrize("word", ["8080/80", "8080:80/udp", ":80/tcp"])
def test_a_port_with_a_slash_is_no_target(word: str) -> None:
    (target,) = parse_targets(["deploy/web", word])
    assert [str(port) for port in target.ports] == [word]


def test_a_target_without_ports_is_named() -> None:
    with pytest.raises(UsageError, match="svc/b has no port"):
        parse_targets(["svc/a", "80", "svc/b"])
    with pytest.raises(UsageError, match=r"svc/a has no port; for example: pod/web 8080:80"):
        parse_targets(["svc/a"])


@given(st.lists(st.text(alphabet="a0:/-+.,% \u0661", max_size=8), max_size=5))
def test_any_words_are_targets_or_a_usage_error(words: list[str]) -> None:
    try:
        targets = parse_targets(words)
    except UsageError:
        return
    assert all(target.name and target.ports for target in targets)
