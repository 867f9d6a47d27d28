from __future__ import annotations

import pytest

from bench.errors import BenchError
from bench.peers import parse

PLACE = {"kubeconfig": "/k c", "namespace": "n", "pod": "p"}


def test_ports_become_a_word_each() -> None:
    peer = parse("other=/bin/other --kubeconfig '{kubeconfig}' -n {namespace} pod/{pod} {ports}")
    assert peer.name == "other"
    assert peer.command(**PLACE, ports={8080: 80, 9000: 7001}) == [
        "/bin/other", "--kubeconfig", "/k c", "-n", "n", "pod/p", "8080:80", "9000:7001",
    ]  # fmt: skip


def test_ports_inside_a_word_are_joined() -> None:
    assert parse("x=f --ports={ports}").command(**PLACE, ports={1: 2, 3: 4}) == ["f", "--ports=1:2,3:4"]


def test_equals_and_quotes_in_the_command() -> None:
    assert parse("x=env A=b 'c d' {ports}").words == ("env", "A=b", "c d", "{ports}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("just-a-command", "NAME=COMMAND"),
        ("=f {ports}", "NAME=COMMAND"),
        ("Big=f {ports}", "NAME=COMMAND"),
        ("kubectl=f {ports}", "taken"),
        ("floor=f {ports}", "taken"),
        ("x=f pod/{pod}", "no {ports}"),
        ("x=", "no {ports}"),
        ("x=f {port} {ports}", "fields are {kubeconfig} {namespace} {pod} {ports}"),
        ("x=f {} {ports}", "cannot be used"),
        ("x=f {pod.name} {ports}", "cannot be used"),
        ("x=f {ports", "cannot be used"),
        ("x=f 'open {ports}", "cannot be used"),
    ],
)
def test_what_is_no_command_of_a_peer_is_refused(text: str, words: str) -> None:
    with pytest.raises(BenchError) as caught:
        parse(text)
    assert words in str(caught.value)
