"""The lane that is kept open: one to one pod, for as long as that pod takes connections."""

from __future__ import annotations

from tests.support.commandline import LIMIT, CommandLine, fetch
from tests.support.fakecluster import FakeCluster
from tests.support.world import within


def test_a_pod_that_comes_gets_no_lane_before_it_gets_a_connection(line: CommandLine, cluster: FakeCluster) -> None:
    with line.forward("svc/web", ":80", "--sticky") as running:
        assert fetch(running.port(cluster.http)) == b"hello"
        cluster.add_pod("web-0")  # first by its name
        running.wait_told("pod-new", LIMIT)
        # Any one of these takes longer than to ask for a lane.
        assert [fetch(running.port(cluster.http)) for _ in range(5)] == [b"hello"] * 5
        assert cluster.asked("pods/web-0/portforward") == 0
        cluster.delete_pod("web-1")
        within(LIMIT, lambda: cluster.asked("pods/web-0/portforward"), "a lane to the pod that is left")
