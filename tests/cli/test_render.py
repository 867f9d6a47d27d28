from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from fairlead.cli.render import STDERR, Screen, as_json, kubectl_line, our_lines
from fairlead.model import events
from fairlead.model.events import Event
from fairlead.policy.text import one_line

DOCS = Path(__file__).parent.parent.parent / "docs" / "reference"
REFUSED = events.ConnectionFailed(
    8080, 80, "web-1", "failed to connect\nto localhost", "nothing listens on port 80 in the pod", "start it"
)


def names(kind: type[Event]) -> set[str]:
    return set(kind._fields)


TEXT: list[tuple[Event, str, str]] = [
    (events.Listening("pod/x", "127.0.0.1", 8080, 80), "Forwarding from 127.0.0.1:8080 -> 80", ""),
    (events.Listening("pod/x", "::1", 8080, 80), "Forwarding from [::1]:8080 -> 80", ""),
    (events.Handling(8080), "Handling connection for 8080", ""),
    (events.Handling(0), "", ""),
    (events.Ready((events.ReadyPort("pod/x", 8080, 80),), ("x",)), "", ""),
    (
        REFUSED,
        "",
        "a connection to port 8080 (pod web-1, port 80) failed: nothing listens on port 80 in the pod; start it "
        "[the server said: failed to connect to localhost]",
    ),
    (
        events.ConnectionFailed(0, 80, "", "no answer"),
        "",
        "the connection (port 80) failed: no answer",
    ),
    (events.PodGone("svc/web", "web-1", "deleted"), "", "svc/web: pod web-1 is no longer used: deleted"),
    (events.PodNew("svc/web", "web-2"), "", "svc/web: now using pod web-2"),
    (
        events.Waiting("svc/web", "pod web-1 is Pending", 30.0),
        "",
        "svc/web: no pod to connect to: pod web-1 is Pending; new connections wait up to 30 s for one",
    ),
    (events.ServerLost("the API server is away"), "", "the API server is away; trying again until it answers"),
    (events.ServerBack(61.4), "", "the API server is back after 61 s"),
    (events.Note("by the way"), "", "by the way"),
    (events.Ended("", 0), "", ""),
]


@pytest.mark.parametrize(("event", "kubectl", "ours"), TEXT)
def test_each_event_as_text(event: Event, kubectl: str, ours: str) -> None:
    assert kubectl_line(event) == kubectl
    assert our_lines(event) == ([ours] if ours else [])


def test_of_several_targets_it_says_which_is_which() -> None:
    """kubectl's lines have ports alone, and it knows but one target."""
    ports = (events.ReadyPort("svc/web", 8080, 8000), events.ReadyPort("deploy/db", 5432, 5432))
    assert our_lines(events.Ready(ports, ("web-1", "db-1"))) == [
        "svc/web: local port 8080 -> 8000",
        "deploy/db: local port 5432 -> 5432",
    ]


@pytest.mark.parametrize("event", [event for event, _, _ in TEXT])
def test_each_event_as_json(event: Event) -> None:
    line = as_json(event)
    read = json.loads(line)
    assert "\n" not in line
    assert (read.pop("v"), read.pop("event")) == (1, events.name_of(type(event)))
    assert set(read) == names(type(event))


def test_every_kind_of_event_is_tried_and_documented() -> None:
    kinds = set(get_args(Event))
    assert {type(event) for event, _, _ in TEXT} == kinds
    text = (DOCS / "events.md").read_text()
    documented = {
        name: set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))
        for name, part in re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    }
    assert documented == {events.name_of(kind): names(kind) for kind in kinds}


def test_stdout_has_kubectls_lines_only_and_each_event_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    screen = Screen("text")
    for event, _, _ in TEXT:
        screen.show(event)
    out, err = capfd.readouterr()
    assert out.splitlines() == [kubectl for _, kubectl, _ in TEXT if kubectl]
    assert err.splitlines() == [one_line(ours) for _, _, ours in TEXT if ours]


def test_json_is_all_there_is_on_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    screen = Screen("json")
    for event, _, _ in TEXT:
        screen.show(event)
    out, err = capfd.readouterr()
    assert [json.loads(line)["event"] for line in out.splitlines()] == [
        events.name_of(type(event)) for event, _, _ in TEXT
    ]
    assert err == ""


def test_where_standard_output_is_the_connection_no_line_goes_there(capfd: pytest.CaptureFixture[str]) -> None:
    screen = Screen("text")
    screen.kubectl_to = STDERR
    screen.show(events.Listening("pod/x", "127.0.0.1", 80, 80))
    assert capfd.readouterr() == ("", "Forwarding from 127.0.0.1:80 -> 80\n")
