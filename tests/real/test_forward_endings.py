"""Every end: signals, the end of a command, a killed process; and standard input and output as the local end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from testbed import network
from tests.real.conftest import Start, options
from tests.support import podapp, podclient
from tests.support.running import FAIRLEAD, session_of
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
P = podapp.BASE


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal(number: signal.Signals, code: int, app: World, forward: Start) -> None:
    """Within a second, with connections open in every state: idle, in transfer both ways, paused."""
    with forward("pod/app", f":{P}", f":{P + podapp.SOURCE}", f":{P + podapp.SINK}") as running:
        socks = [podclient.dial(running.port(P)) for _ in range(20)]
        for sock in socks:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
        paused = podclient.dial(running.port(P + podapp.SOURCE))
        paused.sendall(b"100000000 1\n")
        paused.recv(1)
        sending = podclient.dial(running.port(P + podapp.SINK))
        sending.sendall(b"100000000\n" + bytes(1 << 20))
        try:
            running.end(number, code)
            for sock in socks:
                # What is cut off is not complete, and is told so: a reset, not an end.
                with pytest.raises(ConnectionResetError):
                    sock.recv(1)
        finally:
            for sock in (*socks, paused, sending):
                sock.close()


def test_a_signal_at_the_moment_of_an_accept(app: World, forward: Start) -> None:
    """With connections accepted and lanes being opened: nothing of that is left, and nobody calls it a bug."""
    for pause in (0.0, 0.01, 0.03, 0.1):
        with forward("pod/app", f":{P}") as running:
            socks = [podclient.dial(running.port(P)) for _ in range(20)]
            time.sleep(pause)
            try:
                running.end(signal.SIGTERM, 143)
            finally:
                for sock in socks:
                    sock.close()


def test_a_signal_while_it_starts(world: World, forward: Start) -> None:
    world.apply(world.workload("Deployment", "nothing", replicas=0))
    with forward("deploy/nothing", f":{P}", ready=False, json=False) as running:
        # It has asked for the pods when the server's watch is open: visible as an established connection.
        within(20, lambda: running.descriptors > 8, "it waits for pods")
        time.sleep(0.5)
        running.end(signal.SIGINT, 0)
        assert running.out == []


def test_killed_it_leaves_nothing(app: World, forward: Start, tmp_path: Path) -> None:
    """No file but caches, no process but the command it ran, whose ports are dead."""
    home = tmp_path / "home"
    home.mkdir()
    before = _machine()
    env = {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "XDG_RUNTIME_DIR": str(home), "TMPDIR": str(home)}
    running = forward("pod/app", f":{P}", env=env)
    with running:
        podclient.run(podclient.echo(running.port(P)))
        port = running.port(P)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
        assert session_of(running.process.pid) == []
        with pytest.raises(ConnectionRefusedError):
            podclient.dial(port)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert all(".cache" in path.parts for path in files), files
    assert _machine() == before


def _machine() -> dict[str, object]:
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=False).stdout
    # Clusters of other tests come and go beside this one.
    links = sorted(link for link in os.listdir("/sys/class/net") if not link.startswith(network.LINK))
    return {"hosts": Path("/etc/hosts").read_text(), "rules": rules, "links": links}


def test_ready_file(app: World, forward: Start) -> None:
    with forward("pod/app", f":{P}", json=False) as running:
        path = running.ready_file
        local = int(path.read_text().split()[0])
        podclient.run(podclient.echo(local))
    assert not path.exists()


# -- a command --


def test_a_command_with_the_ports_in_its_environment(app: World, forward: Start) -> None:
    script = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('FAIRLEAD')}))"
    words = ["svc/app", ":http", ":echo", "--", "python3", "-c", script]
    with forward(*words, json=False, ready=False) as running:
        running.wait_end(0, 30)
        ours = [line for line in running.out if line.startswith("{")]
        assert len(ours) == 1
        found = json.loads(ours[0])
        ports = {str(number) for _, number in running.listening()}
        assert len(ports) == 2
        assert ports <= set(" ".join(found.values()).replace(":", " ").split()), found


@pytest.mark.parametrize("code", [0, 7, 255])
def test_the_code_of_the_command(code: int, app: World, forward: Start) -> None:
    with forward("pod/app", f":{P}", "--", "sh", "-c", f"exit {code}", json=False, ready=False) as running:
        running.wait_end(code, 30)


def test_a_command_that_uses_the_port(app: World, forward: Start) -> None:
    script = (
        "import os, socket; s = socket.create_connection(('127.0.0.1', {port})); s.sendall(b'hi');"
        "answer = s.recv(2); s.close(); raise SystemExit(answer != b'hi')"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["pod/app", f"{port}:{P}", "--", "python3", "-c", script.format(port=port)]
    with forward(*words, json=False, ready=False) as running:
        running.wait_end(0, 30)


def test_a_command_that_is_killed(app: World, forward: Start) -> None:
    with forward("pod/app", f":{P}", "--", "sh", "-c", "kill -KILL $$", json=False, ready=False) as running:
        running.wait_end(137, 30)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 5), (signal.SIGHUP, 6), (signal.SIGINT, 4)])
def test_signals_are_passed_to_the_command(number: signal.Signals, code: int, app: World, forward: Start) -> None:
    script = "trap 'exit 5' TERM; trap 'exit 6' HUP; trap 'exit 4' INT; echo trapped; while :; do sleep 0.1; done"
    with forward("pod/app", f":{P}", "--", "sh", "-c", script, json=False) as running:
        running.wait_said("^trapped$", 10)
        running.process.send_signal(number)
        running.wait_end(code, 5)


def test_a_command_that_does_not_exist(app: World, forward: Start) -> None:
    with forward("pod/app", f":{P}", "--", "no-such-program", json=False, ready=False) as running:
        running.wait_end(12, 30)
        assert len(running.err) == 1
        assert "no-such-program" in running.err[0]


# -- standard input and output --


def joined(world: World, *words: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([*FAIRLEAD, "forward", *options(world), *words], stdin=pipe, stdout=pipe, stderr=pipe)


def test_stdin_and_stdout_are_one_connection(app: World) -> None:
    with joined(app, "pod/app", f"-:{P + podapp.SOURCE}") as process:
        out, err = process.communicate(b"3000000 9\n", timeout=30)
    assert out == b"".join(podapp.blocks(3_000_000, 9))
    assert process.returncode == 0, err
    assert b"Traceback" not in err


def test_stdin_and_stdout_one_line_at_a_time(app: World) -> None:
    with joined(app, "pod/app", f"-:{P + podapp.BANNER}") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"220 hello\r\n"
        for number in range(20):
            process.stdin.write(b"line %d\n" % number)
            process.stdin.flush()
            assert process.stdout.readline() == b"line %d\n" % number
        process.stdin.close()
        assert process.wait(5) == 0


def test_stdin_and_stdout_through_a_refused_port(app: World) -> None:
    with joined(app, "pod/app", f"-:{P + 99}") as process:
        out, err = process.communicate(b"x", timeout=30)
    assert out == b""
    assert process.returncode == 1
    assert b"nothing listens on port" in err


def test_a_large_upload_through_stdin(app: World) -> None:
    size = 20 << 20
    with joined(app, "pod/app", f"-:{P + podapp.SINK}") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"%d\n" % size)
        for block in podapp.blocks(size, 11):
            process.stdin.write(block)
        process.stdin.flush()
        assert process.stdout.readline().decode().split() == [str(size), podapp.digest(size, 11)]
        process.stdin.close()
        assert process.wait(5) == 0
