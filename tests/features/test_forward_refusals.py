"""A server that lets the first lane through and refuses further ones: it is asked now and then, never in a loop."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from tests.support.commandline import CommandLine, dial, echoes
from tests.support.fakecluster import FakeCluster

pytestmark = pytest.mark.timeout(60)

WATCHED = 1.5
"""Seconds in which a loop without a pause would ask hundreds of times."""
ASKED = 10
"""Upgrades at most in that time: both ways once a second, and some beside each other at the start."""


@pytest.mark.parametrize("code", [401, 403, 500])
def test_refused_lanes_are_not_asked_for_in_a_loop(code: int, line: CommandLine, cluster: FakeCluster) -> None:
    with line.forward("pod/web-1", f":{cluster.echo}") as running, ExitStack() as open_ones:
        port = running.port(cluster.echo)
        held = open_ones.enter_context(dial(port))
        assert echoes(held)
        cluster.refusals["portforward"] = (code, f"the words of a {code}")
        before = cluster.asked("portforward")
        others = [open_ones.enter_context(dial(port)) for _ in range(4)]
        for other in others:
            other.sendall(b"x")
        time.sleep(WATCHED)
        asked = cluster.asked("portforward") - before
        assert 0 < asked <= ASKED, f"{asked} upgrades in {WATCHED:g} s"
        assert echoes(held), "what is open goes on"
        assert [other.recv(1) for other in others] == [b"x"] * 4, "the others share its lane"
        cluster.refusals.clear()
        with dial(port) as later:
            assert echoes(later)
        running.end()
    assert running.told("connection-failed") == []


@pytest.mark.parametrize("code", [403, 500])
def test_refused_with_no_lane_left(code: int, line: CommandLine, cluster: FakeCluster) -> None:
    """The only lane ends and no other can be had: what waits is served when the server lets it, or told why not."""
    with line.forward("pod/web-1", f":{cluster.echo}") as running:
        port = running.port(cluster.echo)
        cluster.refusals["portforward"] = (code, f"the words of a {code}")
        cluster.cut("web-1")
        before = cluster.asked("portforward")
        with dial(port) as first, dial(port) as second:
            first.sendall(b"x")
            second.sendall(b"x")
            time.sleep(WATCHED)
            asked = cluster.asked("portforward") - before
            assert 0 < asked <= ASKED, f"{asked} upgrades in {WATCHED:g} s"
        cluster.refusals.clear()
        with dial(port) as later:
            assert echoes(later)
        running.end()
