"""What ``run`` says among the lines of a command: little, on standard error, each line as ours."""

from __future__ import annotations

import pytest

from fairlead.cli import run_screen
from fairlead.cli.repeats import QUIET
from fairlead.cli.run_screen import RunScreen
from fairlead.model import events
from fairlead.model import service_events as told
from fairlead.model.service_events import ServiceEvent

WHOSE = ("web", "web", "", "ns", "c")
FAILED = told.ConnectionFailed(*WHOSE, 80, "a:8080", "connection refused", "nothing listens there", "look")
USUAL: list[ServiceEvent] = [
    told.Forwarding(*WHOSE, "service", "10.0.0.1", 80, ("a:8080",)),
    told.StoppedForwarding(*WHOSE),
    told.ServiceState(*WHOSE, "waiting", "no pod is ready", "", 30.0),
    told.Handling(*WHOSE, 80),
    told.NotServed("web", "ns", "c", "53/UDP", "port forwarding carries TCP only", True),
    events.Note("by the way"),
]


def said(capfd: pytest.CaptureFixture[str], *shown: ServiceEvent, verbose: bool = False) -> list[str]:
    screen = RunScreen(verbose=verbose, contexts=False)
    for event in shown:
        screen.show(event)
    screen.finish()
    out, err = capfd.readouterr()
    assert out == ""
    return err.splitlines()


WAITING = told.ServiceState(*WHOSE, "waiting", "no pod is ready", "", 30.0)
CAME = told.Handling(*WHOSE, 80)


def test_what_goes_well_is_not_told(capfd: pytest.CaptureFixture[str]) -> None:
    ready = told.ServiceState(*WHOSE, "ready")
    assert said(capfd, *(event for event in USUAL if event != CAME), ready, CAME) == []


def test_who_has_to_wait_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    line = "fairlead: web: no pod is ready; new connections wait up to 30 s"
    assert said(capfd, WAITING, CAME, CAME) == [line]
    assert said(capfd, WAITING, CAME, told.ServiceState(*WHOSE, "ready"), CAME, WAITING, CAME) == [line, line]


def test_with_v_all_of_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    lines = said(capfd, *USUAL, verbose=True)
    assert len(lines) == len(USUAL)
    assert all(line.startswith("fairlead: ") for line in lines)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (events.Note("mind this", warning=True), "Mind this"),
        (events.Note("two\nlines\x1b[2J", warning=True), "Two lines"),
        (FAILED, "web:80: a connection to pod a:8080 failed: nothing listens there; look"),
        (events.ServerLost("timed out", "c"), "Timed out; trying again"),
        (events.ServerBack(3.0, "c"), "The API server is back after 3 s"),
    ],
)
def test_trouble_is_told(capfd: pytest.CaptureFixture[str], event: ServiceEvent, words: str) -> None:
    [line] = said(capfd, event)
    assert line.startswith("fairlead: ")
    assert words in line
    assert "\x1b" not in line


def test_the_same_failure_is_counted(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    times = [0.0] * 5 + [QUIET + 1]
    monkeypatch.setattr(run_screen, "monotonic", lambda: times.pop(0))
    lines = said(capfd, *[FAILED] * 4, FAILED._replace(target="db"), FAILED)
    assert [line.partition(":")[2].split(":")[0].strip() for line in lines] == ["web", "db", "web"]
    assert "(and 3 more before)" in lines[2]


def test_after_the_end_nothing_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    screen = RunScreen(verbose=True, contexts=False)
    screen.finish()
    screen.show(FAILED)
    screen.finish()
    assert capfd.readouterr() == ("", "")
