from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import get_args

import pytest

from fairlead.cli.render import as_json
from fairlead.cli.repeats import MOST, QUIET, Repeats
from fairlead.cli.services_render import GATHER, ServicesScreen
from fairlead.cli.services_text import USUAL, Manner, failure, text
from fairlead.model import events
from fairlead.model import service_events as told
from fairlead.model.service_events import ServiceEvent
from tests.support.loop import run_virtual

DOCS = Path(__file__).parent.parent.parent / "docs" / "reference"
POD = "nginx-deployment-5cdfb5fc49-"
WHERE = ("default", "prod")


def forwarding(target: str, *to: str, kind: str = "service") -> told.Forwarding:
    pod, _, service = target.rpartition(".")
    return told.Forwarding(target, service, pod, *WHERE, kind, "127.44.5.6", 80, to)


WEB = forwarding("web", "web-1:8080")
NAME = ("web", "web", "", *WHERE)
ENDS = told.StoppedForwarding(*NAME)
RELAY = told.NotServed("kubernetes", *WHERE, "", "it has no selector, and its endpoints are no pods (198.18.0.2)", True)
BUSY = told.NotServed("web", *WHERE, "80", "127.4.5.6:80 is in use by nginx (pid 42); trying again every 5 s", False)
VERBOSE = Manner(verbose=True)
SEVERAL = Manner(contexts=True)
DRY = Manner(dry_run=True)

LINES: list[tuple[ServiceEvent, Manner, list[str]]] = [
    (WEB, USUAL, ["INFO Forwarding: web:80 to pod web-1:8080"]),
    (
        forwarding(f"{POD}fgn78.nginx1", f"{POD}fgn78:80", kind="pod"),
        USUAL,
        [f"INFO Forwarding: {POD}fgn78.nginx1:80 to pod {POD}fgn78:80"],
    ),
    (
        forwarding("nginx", f"{POD}fgn78:80", f"{POD}rjg26:80"),
        USUAL,
        [f"INFO Forwarding: nginx:80 to pods {POD}fgn78:80, {POD}rjg26:80"],
    ),
    (
        forwarding("nginx", *(f"{POD}{number:05}:80" for number in range(100))),
        USUAL,
        [f"INFO Forwarding: nginx:80 to pods {POD}00000:80, {POD}00001:80 and 98 more"],
    ),
    (
        forwarding("db", *(f"db-{number}:5432" for number in range(12))),
        USUAL,
        [
            "INFO Forwarding: db:80 to pods db-0:5432, db-1:5432, db-2:5432, db-3:5432, db-4:5432, db-5:5432 "
            "and 6 more",
        ],
    ),
    (forwarding("api", "localhost:3000"), USUAL, ["INFO Forwarding: api:80 to localhost:3000 on this machine"]),
    (WEB, DRY, ["INFO Would forward: web:80 to pod web-1:8080"]),
    (ENDS, USUAL, ["WARN Stopped forwarding web in default."]),
    (ENDS, SEVERAL, ["WARN Stopped forwarding web in default of prod."]),
    (
        RELAY,
        USUAL,
        [
            "WARN service kubernetes in default needs the relay: it has no selector, and its endpoints are no pods "
            "(198.18.0.2)"
        ],
    ),
    (
        RELAY._replace(service="dns", port="53/UDP", reason="port forwarding carries TCP only"),
        SEVERAL,
        ["WARN port 53/UDP of service dns in default of prod needs the relay: port forwarding carries TCP only"],
    ),
    (
        BUSY,
        USUAL,
        [
            "WARN port 80 of service web in default is not forwarded: 127.4.5.6:80 is in use by nginx (pid 42); "
            "trying again every 5 s"
        ],
    ),
    (
        BUSY._replace(pod="web-0", reason="it is in use"),
        USUAL,
        ["WARN port 80 of pod web-0.web in default is not forwarded: it is in use"],
    ),
    (told.ServiceState("web", "web", "", *WHERE, "ready"), USUAL, []),
    (told.ServiceState("web", "web", "", *WHERE, "ready"), VERBOSE, ["INFO web is ready"]),
    (
        told.ServiceState("web", "web", "", *WHERE, "failing", "nothing listens there"),
        VERBOSE,
        ["INFO web is failing: nothing listens there"],
    ),
    (told.HostsLine("127.44.5.6", ("web", "web.default"), (80,)), DRY, [" 127.44.5.6 web web.default"]),
    (
        told.Ready(16, 4, "/etc/hosts"),
        USUAL,
        ["INFO 16 names on 4 addresses are in /etc/hosts; Ctrl-C ends this."],
    ),
    (told.Ready(4, 1, "/tmp/h"), Manner(command=True), ["INFO 4 names on 1 address are in /tmp/h."]),
    (
        told.Ready(0, 0, "/etc/hosts", 0, ("default",)),
        USUAL,
        [
            "INFO No service was found in namespace default (-n looks in others, -A in all); "
            "new ones join by themselves; Ctrl-C ends this."
        ],
    ),
    (
        told.Ready(0, 0, "/etc/hosts", 0, ("shop",), ("--selector app=x",)),
        Manner(command=True),
        [
            "INFO No service was found in namespace shop with --selector app=x (-n looks in others, -A in all); "
            "new ones join by themselves."
        ],
    ),
    (
        told.Ready(0, 0, "/etc/hosts", 2),
        USUAL,
        ["INFO Of 2 services none is forwarded, as told of each; Ctrl-C ends this."],
    ),
    (told.Handling(*NAME, 80), USUAL, []),
    (told.Handling(*NAME, 80), VERBOSE, ["INFO Handling connection for web:80"]),
    (
        told.ServiceState("web", "web", "", *WHERE, "waiting", "no pod is ready", wait=30.0),
        USUAL,
        ["WARN web: no pod is ready; new connections wait up to 30 s"],
    ),
    (
        told.ServiceState("web", "web", "", *WHERE, "waiting", "nothing listens on localhost:80 on this machine"),
        USUAL,
        ["WARN web: nothing listens on localhost:80 on this machine"],
    ),
    (
        events.ServerLost("the API server is away"),
        USUAL,
        ["WARN The API server is away; trying again until it answers"],
    ),
    (events.ServerBack(61.4), USUAL, ["WARN The API server is back after 61 s"]),
    (events.ServerLost("it is away", "dev"), SEVERAL, ["WARN Context dev: it is away; trying again until it answers"]),
    (events.ServerBack(61.4, "dev"), SEVERAL, ["WARN Context dev: the API server is back after 61 s"]),
    (events.ServerBack(61.4, "dev"), USUAL, ["WARN The API server is back after 61 s"]),
    (events.Note("by the way"), USUAL, ["INFO By the way"]),
    (events.Note("beware", warning=True), USUAL, ["WARN Beware"]),
    (events.Ended("", 0), USUAL, ["INFO Done..."]),
    (events.Ended("", 0), DRY, ["INFO Nothing was changed: this was a dry run."]),
    (events.Ended("told already", 3), USUAL, []),
    (events.Listening("web", "127.4.5.6", 80, 80), USUAL, []),
    (events.PodGone("web", "web-1", "deleted"), USUAL, []),
    (events.PodNew("web", "web-1"), USUAL, []),
]


@pytest.mark.parametrize(("event", "manner", "lines"), LINES)
def test_each_event_as_text(event: ServiceEvent, manner: Manner, lines: list[str]) -> None:
    assert [f"{level} {line}" for level, line in text(event, manner)] == lines


@pytest.mark.parametrize(("event", "manner"), [(event, manner) for event, manner, _ in LINES if manner is not DRY])
def test_a_line_fits_into_a_wide_terminal(event: ServiceEvent, manner: Manner) -> None:
    for level, line in text(event, manner):
        assert len(f"{level}[12:34:56] {line}") <= 140, line


def test_the_relay_is_explained_once_and_the_hosts_lines_have_one_heading() -> None:
    [(_, first)] = text(RELAY, USUAL, new=True)
    assert "needs the relay (not in this version): it has no selector" in first
    lines = text(told.HostsLine("127.44.5.6", ("web",), (80,)), DRY, new=True)
    assert lines == [("INFO", "Lines for the hosts file:"), ("", "127.44.5.6 web")]


@pytest.mark.parametrize(
    ("event", "manner", "unsaid", "line"),
    [
        (
            told.ConnectionFailed(*NAME, 80, "web-1:8080", "uid xyz: refused", "nothing listens there", "start it"),
            USUAL,
            0,
            "web:80: a connection to pod web-1:8080 failed: nothing listens there; start it",
        ),
        (
            told.ConnectionFailed(*NAME, 80, "web-1:8080", "uid xyz: refused", "nothing listens there"),
            VERBOSE,
            7,
            "web:80: a connection to pod web-1:8080 failed: nothing listens there (and 7 more before) "
            "[the server said: uid xyz: refused]",
        ),
        (
            told.ConnectionFailed(*NAME, 80, "", "no pod of web is ready"),
            USUAL,
            0,
            "web:80: a connection failed: no pod of web is ready",
        ),
    ],
)
def test_a_connection_that_failed(event: told.ConnectionFailed, manner: Manner, unsaid: int, line: str) -> None:
    assert failure(event, manner, unsaid) == ("WARN", line)


def test_what_fails_again_and_again_is_counted() -> None:
    repeats = Repeats()
    assert [repeats.again("web", now) for now in (0.0, 1.0, QUIET - 0.1)] == [0, None, None]
    assert repeats.again("db", 1.0) == 0
    assert repeats.again("web", QUIET) == 2
    assert repeats.again("web", QUIET + 1) is None
    for number in range(3 * MOST):
        repeats.again(number, 0.0)
    assert len(repeats._said) <= MOST


def test_failures_are_a_line_in_a_while_and_an_event_each(capfd: pytest.CaptureFixture[str]) -> None:
    failed = told.ConnectionFailed(*NAME, 80, "", "no pod is ready")
    for output, lines in (("text", 1), ("json", 10)):
        screen = ServicesScreen(output)
        for _ in range(10):
            screen.show(failed)
        screen.finish()
        assert len(capfd.readouterr().out.splitlines()) == lines


def test_a_line_that_says_the_same_is_not_repeated(capfd: pytest.CaptureFixture[str]) -> None:
    """Of 100 pods all but two are behind "and 98 more": a rollout would be 100 lines that are alike."""

    def pods(last: int) -> told.Forwarding:
        return forwarding("nginx", *(f"{POD}{number:05}:80" for number in (*range(99), last)))

    waiting = told.ServiceState("nginx", "nginx", "", *WHERE, "waiting", "no pod is ready")
    ready = waiting._replace(state="ready")
    ends = told.StoppedForwarding("nginx", "nginx", "", *WHERE)

    async def main(output: str) -> None:
        screen = ServicesScreen(output)
        for event in (pods(99), ready, pods(100), pods(101), waiting, pods(99), ends, pods(99), ready, pods(98)):
            screen.show(event)
        screen.finish()

    for output, count in (("text", 5), ("json", 10)):
        run_virtual(main(output))
        assert len(capfd.readouterr().out.splitlines()) == count


def rollout(step: int) -> list[told.Forwarding]:
    """Fifty services of two ports lead to other pods."""
    pods = (("a",), ("a", "b"), ("b",), ("b", "c"))[step]
    names = (f"s{number}" for number in range(50))
    ports = [forwarding(name, *(f"{pod}:{port}" for pod in pods)) for name in names for port in (80, 443)]
    return [event._replace(port=int(event.to[0].partition(":")[2])) for event in ports]


def said(out: str) -> list[str]:
    return [re.sub(r"\[.*?\]", "", line) for line in out.splitlines()]


def test_a_rollout_behind_many_services_is_a_few_lines(capfd: pytest.CaptureFixture[str]) -> None:
    """What is new is said at once; of changes, those of a moment are said together, as they are by then."""

    async def main() -> None:
        screen = ServicesScreen("text")
        for event in rollout(0):
            screen.show(event)
        assert len(capfd.readouterr().out.splitlines()) == 100
        for event in [*rollout(1), *rollout(2), *rollout(3)]:
            screen.show(event)
            await asyncio.sleep(0.001)
        assert capfd.readouterr().out == ""
        await asyncio.sleep(GATHER)
        assert said(capfd.readouterr().out) == [
            "INFO Forwarding: s0:80, s1:80, s2:80, s3:80, s4:80, s5:80 and 44 more to pods b:80, c:80",
            "INFO Forwarding: s0:443, s1:443, s2:443, s3:443, s4:443 and 45 more to pods b:443, c:443",
        ]
        one = rollout(1)[0]
        screen.show(one)
        await asyncio.sleep(GATHER)
        assert said(capfd.readouterr().out) == ["INFO Forwarding: s0:80 to pods a:80, b:80"]
        screen.show(rollout(2)[0])
        screen.show(one)
        await asyncio.sleep(GATHER)
        assert capfd.readouterr().out == "", "it is as it was"
        screen.finish()

    run_virtual(main())


def test_pods_of_two_namespaces_that_have_one_name_are_two_lines(capfd: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        screen = ServicesScreen("text")
        for pod in ("db-1:5432", "db-0:5432"):
            for namespace in ("shop", "billing"):
                screen.show(forwarding(f"db.{namespace}", pod)._replace(namespace=namespace))
        screen.finish()

    run_virtual(main())
    assert said(capfd.readouterr().out)[2:] == [
        "INFO Forwarding: db.shop:80 to pod db-0:5432",
        "INFO Forwarding: db.billing:80 to pod db-0:5432",
    ]


def test_what_is_gathered_is_told_before_what_came_later(capfd: pytest.CaptureFixture[str]) -> None:
    gone = told.StoppedForwarding("s0", "s0", "", *WHERE)

    async def main() -> None:
        screen = ServicesScreen("text")
        for event in (rollout(0)[0], rollout(1)[0], gone, rollout(1)[0], rollout(2)[0]):
            screen.show(event)
        screen.say("error: no more")
        screen.show(rollout(3)[0])
        screen.finish()

    run_virtual(main())
    captured = capfd.readouterr()
    assert said(captured.out) == [
        "INFO Forwarding: s0:80 to pod a:80",
        "INFO Forwarding: s0:80 to pods a:80, b:80",
        "WARN Stopped forwarding s0 in default.",
        "INFO Forwarding: s0:80 to pods a:80, b:80",
        "INFO Forwarding: s0:80 to pod b:80",
        "INFO Forwarding: s0:80 to pods b:80, c:80",
    ]
    assert captured.err == "error: no more\n"


def test_each_change_is_a_line_of_its_own_for_who_asks_for_more(capfd: pytest.CaptureFixture[str]) -> None:
    screen = ServicesScreen("text", VERBOSE)
    for event in rollout(0) + rollout(1):
        screen.show(event)
    screen.finish()
    assert len(capfd.readouterr().out.splitlines()) == 200


@pytest.mark.parametrize("event", [event for event, _, _ in LINES])
def test_each_event_as_json(event: ServiceEvent) -> None:
    line = as_json(event)
    read = json.loads(line)
    assert "\n" not in line
    assert (read.pop("v"), read.pop("event")) == (1, events.name_of(type(event)))
    assert set(read) == set(event._fields)


def test_every_kind_of_event_is_tried_and_those_of_services_are_documented() -> None:
    own = {kind for kind in get_args(ServiceEvent) if kind.__module__ == told.__name__}
    tried = {type(event) for event, _, _ in LINES} | {told.ConnectionFailed}
    assert tried >= own
    assert tried - own >= {events.ServerLost, events.ServerBack, events.Note, events.Ended}
    page = (DOCS / "services-events.md").read_text()
    documented = {
        name: set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))
        for name, part in re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    }
    assert documented == {events.name_of(kind): set(kind._fields) for kind in own}
