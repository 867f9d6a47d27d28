"""The whole of ``fairlead forward`` on both event loops, against a cluster on loopback: what it serves and tells."""

from __future__ import annotations

import json
import re
import socket

import pytest

from tests.support.commandline import (
    LIMIT,
    CommandLine,
    dial,
    echoes,
    fetch,
    is_reset,
    local_port,
    loop_of,
    meets_reset,
)
from tests.support.fakecluster import FakeCluster
from tests.support.objects import PODS, SERVICES, pod, service
from tests.support.running import free_port, listens

pytestmark = pytest.mark.timeout(60)


def test_several_targets_are_ready_and_serve(line: CommandLine, cluster: FakeCluster) -> None:
    with line.forward("svc/web", ":80", "pod/web-1", f":{cluster.echo}") as running:
        assert loop_of(running) == line.loop
        ready = running.wait_told("ready", LIMIT)
        assert [(port["target"], port["remote"]) for port in ready["ports"]] == [
            ("svc/web", cluster.http),
            ("pod/web-1", cluster.echo),
        ]
        assert ready["pods"] == ["web-1", "web-1"]
        web, echo = (int(port["local"]) for port in ready["ports"])
        assert [fetch(web) for _ in range(3)] == [b"hello"] * 3
        with dial(echo) as sock:
            assert echoes(sock, b"x" * 100_000)
    assert [event["event"] for event in running.events if event["event"] not in ("handling", "listening")] == [
        "ready",
        "ended",
    ]
    assert cluster.pods["web-1"].dialled == [cluster.http] * 3 + [cluster.echo]


def test_a_refused_dial_is_one_line_and_touches_nothing_else(line: CommandLine, cluster: FakeCluster) -> None:
    cluster.pods["web-1"].refuse[cluster.nothing] = (
        f"dial tcp4 127.0.0.1:{cluster.nothing}: connect: connection refused"
    )
    with line.forward("pod/web-1", f":{cluster.echo}", f":{cluster.nothing}", json=False) as running:
        with dial(local_port(running, cluster.echo)) as living:
            assert echoes(living)
            assert meets_reset(local_port(running, cluster.nothing))
            assert f"nothing listens on port {cluster.nothing} in the pod" in running.wait_said("failed", LIMIT)
            assert echoes(living)
        running.end()
    assert len(running.err) == 1


def test_a_port_in_use_ends_it_and_nothing_is_served(line: CommandLine, cluster: FakeCluster) -> None:
    other = free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        words = ["--address", "127.0.0.1", "web-1", f"{other}:{cluster.echo}", f"{number}:{cluster.http}"]
        assert f"127.0.0.1:{number} is in use by" in line.fails(words, 9)
    assert not listens("127.0.0.1", other)
    assert cluster.asked("portforward") == 0


def test_a_port_held_on_ipv6_alone_is_served_on_ipv4(line: CommandLine, cluster: FakeCluster) -> None:
    number = free_port()
    taken = socket.create_server(("::1", number), family=socket.AF_INET6)
    with taken, line.forward("svc/web", f"{number}:80") as running:
        assert running.listening() == [("127.0.0.1", number)]
        assert fetch(number) == b"hello"
        notes = [event["text"] for event in running.told("note")]
    assert len(notes) == 1
    assert notes[0].startswith(f"[::1]:{number} is in use by ")
    assert notes[0].endswith("localhost is served on 127.0.0.1 alone")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("web :80", 'pods "web" not found in namespace "ns" (did you mean svc/web or pod/web-1?'),
        ("svc web 80", 'pods "svc" not found in namespace "ns" (did you mean svc/web 80?'),
        ("svc/wbe :80", 'services "wbe" not found in namespace "ns" (did you mean svc/web?'),
        ("svc/other :80", 'services "other" not found in namespace "ns" (-n chooses another namespace)'),
        ("-n nowhere svc/web :80", 'in namespace "nowhere" (the namespace "nowhere" does not exist'),
        ("--exit-on-loss foo/web :80", "the server doesn't have a resource type"),
    ],
)
def test_what_does_not_exist(words: str, said: str, line: CommandLine, cluster: FakeCluster) -> None:
    """Says where it looked, and what was probably meant."""
    cluster.refusals["namespaces/nowhere"] = (404, 'services "web" not found')
    assert said in line.fails(words.split(), 1 if "--exit-on-loss" in words else 7)


def test_v_4_tells_what_was_decided(line: CommandLine, cluster: FakeCluster) -> None:
    with line.forward("-v=4", "svc/web", ":80") as running:
        port = running.port(cluster.http)
        assert fetch(port) == b"hello"
        running.wait_said(f"port {port}: a connection goes to pod web-1, port {cluster.http}$", LIMIT)
        running.end()
    said = "\n".join(running.err)
    assert "svc/web: kubectl would take pod web-1; used are web-1" in said
    assert "a lane to pod web-1: spdy" in said


def test_what_may_not_be_known_is_not_told(line: CommandLine, cluster: FakeCluster) -> None:
    """Looking around is for the message alone: its own failures are no news."""
    cluster.refusals["namespaces/ns "] = (403, "no namespaces")
    cluster.refusals["/services?"] = (403, "no list")
    cluster.refusals["/deployments/"] = (500, "broken")
    said = line.fails(["svc/wbe", ":80"], 7)
    assert said == 'error: services "wbe" not found in namespace "ns" (-n chooses another namespace)\n'


def test_a_server_that_hangs_delays_the_error_by_a_moment(line: CommandLine, cluster: FakeCluster) -> None:
    cluster.hangs.add("/services?")
    said = line.fails(["svc/wbe", ":80"], 7)  # which has a limit of its own
    assert 'services "wbe" not found' in said


@pytest.mark.parametrize(
    ("asked", "code", "ends"),
    [("services/web", 404, 7), ("portforward", 403, 6), ("GET", 401, 5)],
)
def test_a_refusal_of_the_server(asked: str, code: int, ends: int, line: CommandLine, cluster: FakeCluster) -> None:
    cluster.refusals[asked] = (code, f"the words of a {code}")
    said = line.fails(["svc/web", ":80"], ends)
    if code != 401:
        assert f"the words of a {code}" in said


def test_exit_on_loss_has_one_code_for_every_error(line: CommandLine, cluster: FakeCluster) -> None:
    cluster.refusals["portforward"] = (403, "no")
    line.fails(["--exit-on-loss", "svc/web", ":80"], 1)


def test_a_new_pod_is_used(line: CommandLine, cluster: FakeCluster) -> None:
    with line.forward("svc/web", ":80") as running:
        port = running.port(cluster.http)
        assert fetch(port) == b"hello"
        cluster.delete_pod("web-1")
        running.wait_told("pod-gone", LIMIT, target="svc/web", pod="web-1")
        running.wait_told("waiting", LIMIT, target="svc/web")
        # Asked while nothing runs: it waits, and is served by the new pod.
        with dial(port) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            cluster.add_pod("web-2")
            running.wait_told("pod-new", LIMIT, target="svc/web", pod="web-2")
            assert b"".join(iter(lambda: sock.recv(65536), b"")).endswith(b"hello")
        assert fetch(port) == b"hello"
        running.end()
    assert cluster.pods["web-2"].dialled == [cluster.http] * 2
    counts = [
        len(running.told(name)) for name in ("pod-gone", "pod-new", "waiting", "server-lost", "connection-failed")
    ]
    assert counts == [1, 1, 1, 0, 0]


def test_the_server_goes_and_comes_back(line: CommandLine, cluster: FakeCluster) -> None:
    """Told once each, though two targets and several connections notice."""
    with line.forward("svc/web", ":80", "pod/web-1", f":{cluster.echo}") as running:
        port = running.port(cluster.http)
        with dial(running.port(cluster.echo)) as open_one:
            assert echoes(open_one)
            cluster.stop()
            running.wait_told("server-lost", LIMIT)
            assert is_reset(open_one)
        with dial(port) as waiting:
            waiting.sendall(b"GET / HTTP/1.0\r\n\r\n")
            cluster.start()
            running.wait_told("server-back", LIMIT)
            assert b"".join(iter(lambda: waiting.recv(65536), b"")).endswith(b"hello")
        assert fetch(port) == b"hello"
        running.end()
    assert [len(running.told(name)) for name in ("server-lost", "server-back", "pod-gone")] == [1, 1, 0]


def test_exit_on_loss_ends_with_the_pod(line: CommandLine, cluster: FakeCluster) -> None:
    with line.forward("--exit-on-loss", "svc/web", ":80", json=False) as running:
        cluster.delete_pod("web-1")
        running.wait_end(1, LIMIT)
    assert running.err[-1] == "error: lost connection to pod"
    assert "connections wait" not in "".join(running.err)


def test_a_service_that_is_deleted_and_made_again(line: CommandLine, cluster: FakeCluster) -> None:
    with line.forward("svc/web", ":80") as running:
        port = running.port(cluster.http)
        cluster.do(lambda: cluster.api.delete(SERVICES, "web"))
        assert running.wait_told("waiting", LIMIT)["reason"] == "service web was deleted"
        with dial(port) as waiting:
            waiting.sendall(b"GET / HTTP/1.0\r\n\r\n")
            cluster.do(lambda: cluster.api.put(SERVICES, service("web")))
            assert b"".join(iter(lambda: waiting.recv(65536), b"")).endswith(b"hello")
        running.wait_told("pod-new", LIMIT)
        running.end()
    assert [len(running.told(name)) for name in ("waiting", "pod-gone", "pod-new", "note")] == [1, 0, 1, 0]


def test_a_refused_dial_to_a_pod_that_crashes(line: CommandLine, cluster: FakeCluster) -> None:
    crashed = pod("web-1")
    ended = {"terminated": {"reason": "Error", "exitCode": 3}}
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    crashed["status"]["containerStatuses"] = [{"name": "main", "state": waiting, "lastState": ended}]
    cluster.do(lambda: cluster.api.put(PODS, crashed))
    with line.forward("pod/web-1", f":{cluster.nothing}") as running:
        assert meets_reset(running.port(cluster.nothing))
        failed = running.wait_told("connection-failed", LIMIT)
        running.end()
    assert failed["meaning"] == "container main does not run: CrashLoopBackOff (Error, exit code 3)"
    assert failed["remedy"].endswith("kubectl logs -n ns web-1 -c main --previous")


def test_exit_on_loss_ends_with_a_refused_dial(line: CommandLine, cluster: FakeCluster) -> None:
    """As kubectl does: any error text ends it."""
    with line.forward("--exit-on-loss", "pod/web-1", f":{cluster.nothing}", json=False) as running:
        assert meets_reset(local_port(running, cluster.nothing))
        running.wait_end(1, LIMIT)
    assert running.err[-1] == "error: lost connection to pod"


# -- standard input and output --


def test_standard_input_and_output_are_one_connection(line: CommandLine, cluster: FakeCluster) -> None:
    done = line.run("svc/web", "-:80", data=b"GET / HTTP/1.0\r\n\r\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    assert done.stderr == b""


def test_standard_input_to_a_refused_port(line: CommandLine, cluster: FakeCluster) -> None:
    done = line.run("pod/web-1", f"-:{cluster.nothing}", data=b"x")
    assert done.returncode == 1, done.stderr
    assert done.stdout == b""
    assert done.stderr.startswith(b"the connection (pod web-1")
    assert done.stderr.count(b"\n") == 1, done.stderr


# -- a command --


def test_a_command_has_the_ports_in_its_environment(line: CommandLine, cluster: FakeCluster) -> None:
    script = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('FAIRLEAD_')}))"
    words = ["svc/web", ":80", "--", "python3", "-c", script]
    with line.forward(*words, json=False, ready=False) as running:
        running.wait_end(0, LIMIT)
    port = running.port(cluster.http)
    assert json.loads(next(each for each in running.out if each.startswith("{"))) == {
        "FAIRLEAD_ADDRESS": "127.0.0.1",
        "FAIRLEAD_PORT": str(port),
        "FAIRLEAD_PORTS": str(port),
        "FAIRLEAD_PORT_80": str(port),
        "FAIRLEAD_WEB_PORT_80": str(port),
    }


def test_the_output_of_a_command_is_kept_out_of_the_events(line: CommandLine, cluster: FakeCluster) -> None:
    script = "echo of the command; echo and its errors >&2; exit 3"
    with line.forward("svc/web", ":80", "--", "sh", "-c", script, ready=False) as running:
        running.wait_end(3, LIMIT)
    assert running.events[-1]["event"] == "ended"  # every line was an event, or reading it had failed
    assert running.err == ["of the command", "and its errors"]


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -KILL $$", 137)])
def test_a_run_ends_with_the_code_of_its_command(script: str, code: int, line: CommandLine) -> None:
    with line.forward("svc/web", ":80", "--", "sh", "-c", script, json=False, ready=False) as running:
        running.wait_end(code, LIMIT)
    assert running.err == []
    assert [re.sub(r":\d+ -> \d+$", "", each) for each in running.out] == [
        "Forwarding from 127.0.0.1",
        "Forwarding from [::1]",
    ]
