"""How a run of ``fairlead forward`` ends, on both event loops: codes, time, files, and not a word too much."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.commandline import LIMIT, CommandLine, dial, echoes, fetch, is_reset, local_port
from tests.support.fakecluster import FakeCluster
from tests.support.running import END, FAIRLEAD, IN_TERMINAL, below, lives
from tests.support.world import within

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_with_an_open_connection(
    number: signal.Signals, code: int, line: CommandLine, cluster: FakeCluster
) -> None:
    """Within a second; what is open is reset, and stdout and stderr have what they would have had anyway."""
    with line.forward("pod/web-1", f":{cluster.echo}", json=False) as running:
        port = local_port(running, cluster.echo)
        with dial(port) as sock:
            assert echoes(sock)
            running.end(number, code)
            assert is_reset(sock)
    assert running.out == [
        f"Forwarding from 127.0.0.1:{port} -> {cluster.echo}",
        f"Forwarding from [::1]:{port} -> {cluster.echo}",
        f"Handling connection for {port}",
    ]
    assert running.err == []


def test_a_signal_while_it_waits_for_a_pod(line: CommandLine, cluster: FakeCluster) -> None:
    cluster.delete_pod("web-1")
    with line.forward("svc/web", ":80", json=False, ready=False) as running:
        within(LIMIT, lambda: cluster.asked("watch=true"), "a watch", pause=0.02)
        running.end(signal.SIGINT, 0)
    assert running.out == []
    # That it waits may be said; how it ended needs no words.
    assert all("waiting" in each for each in running.err), running.err


# -- the ready file --


def test_the_ready_file_says_what_is_served_and_goes(line: CommandLine, cluster: FakeCluster) -> None:
    with line.forward("svc/web", ":80", json=False) as running:
        local, remote, target, pid = running.ready_file.read_text().split()
        assert (remote, target, pid) == (str(cluster.http), "svc/web", str(running.process.pid))
        assert fetch(int(local)) == b"hello"
        running.end()  # which looks that it is gone


def test_a_file_that_it_did_not_write_stays(line: CommandLine, cluster: FakeCluster, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    cluster.refusals["GET"] = (403, "no")
    line.fails(["--ready-file", str(notes), "svc/web", ":80"], 6)
    assert notes.read_text() == "mine"


def text_of(path: Path) -> str:
    """What is in this file; nothing while there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def test_a_second_run_with_the_same_file_is_refused(line: CommandLine, tmp_path: Path) -> None:
    """The first one is not touched; when it was killed its file is free."""
    ready = tmp_path / "ready"
    words = ["--ready-file", str(ready), "svc/web", ":80"]
    with line.forward(*words) as first:
        pid, before = first.process.pid, within(LIMIT, lambda: text_of(ready), "the ready file")
        said = line.fails(words, 12)
        assert f"error: cannot write {ready}: another run (process {pid}) has it as its ready file" in said
        assert ready.read_text() == before
        first.kill()
    with line.forward(*words) as second:
        within(LIMIT, lambda: str(second.process.pid) in text_of(ready), "that of the second run")


def test_what_another_wrote_to_the_ready_file_stays(line: CommandLine, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with line.forward("--ready-file", str(ready), "svc/web", ":80") as running:
        within(LIMIT, ready.exists, "the ready file")
        ready.write_text("another's")
        running.end()
    assert ready.read_text() == "another's"


def test_the_file_of_a_run_that_was_killed_goes_at_the_next_start(
    line: CommandLine, cluster: FakeCluster, tmp_path: Path
) -> None:
    left = tmp_path / "ready"
    with line.forward("svc/web", ":80", json=False) as running:
        kept = running.ready_file.read_text()
        running.end()
    left.write_text(kept)
    cluster.refusals["GET"] = (403, "no")
    line.fails(["--ready-file", str(left), "svc/web", ":80"], 6)
    assert not left.exists()


def test_a_pipe_that_nobody_reads_ends_nothing(line: CommandLine, cluster: FakeCluster, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with line.forward("--ready-file", str(pipe), "svc/web", ":80") as running:
        assert "nobody reads the pipe" in running.wait_told("note", LIMIT)["text"]
        assert fetch(running.port(cluster.http)) == b"hello"


@pytest.mark.parametrize("words", [["--ready-file", "/no/such/folder/ready"], ["--", "no-such-program"]])
def test_what_the_machine_lacks_is_said_before_the_cluster_is_asked(
    words: list[str], line: CommandLine, cluster: FakeCluster
) -> None:
    said = line.fails(["svc/web", ":80", *words], 12)
    assert "No such file or directory" in said
    assert cluster.asked("/") == 0


# -- a command --


def test_the_command_takes_every_interrupt(line: CommandLine, cluster: FakeCluster) -> None:
    """An interrupt is for a psql that goes on after it, however often; its own end is the run's."""
    script = (
        "import signal, time; count = 0\n"
        "def hear(*_):\n"
        "    global count; count += 1; print('heard', count, flush=True)\n"
        "signal.signal(signal.SIGINT, hear); print('up', flush=True)\n"
        "while count < 3: time.sleep(0.01)\n"
        "raise SystemExit(5)\n"
    )
    words = ["svc/web", ":80", "--", "python3", "-c", script]
    with line.forward(*words, json=False, ready=False) as running:
        running.wait_said("^up$", LIMIT)
        for count in (1, 2, 3):
            running.process.send_signal(signal.SIGINT)
            running.wait_said(f"^heard {count}$", LIMIT)
        running.wait_end(5, LIMIT)
    assert running.err == []


@contextmanager
def on_a_terminal(
    line: CommandLine, words: list[str], *, reads: bool = True
) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """A process whose output, and input if it reads, is a terminal; also the end of it that is ours, and the other."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            words,
            stdin=theirs if reads else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, **line.env},
        )
        try:
            yield process, ours, theirs
        finally:
            process.kill()
            process.wait()
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_terminals_interrupt_is_not_told_twice(line: CommandLine, cluster: FakeCluster) -> None:
    """Ctrl-C reaches all of the foreground from the terminal itself; the second one ends nothing either."""
    script = (
        "import signal, time; heard = []\n"
        "signal.signal(signal.SIGINT, lambda *_: heard.append(1)); print('up', flush=True)\n"
        "for count in (1, 2):\n"
        "    while len(heard) < count: time.sleep(0.01)\n"
        "    time.sleep(0.1); print('heard', len(heard), flush=True)\n"
        "raise SystemExit(5)\n"
    )
    command = [*FAIRLEAD, "forward", "svc/web", ":80", "--", sys.executable, "-c", script]
    said = b""
    with on_a_terminal(line, [sys.executable, "-c", IN_TERMINAL, *command]) as (process, ours, _):
        for word, answer in ((b"up", b"\x03"), (b"heard 1", b"\x03"), (b"heard 2", b"")):
            while word not in said:
                assert select.select([ours], [], [], LIMIT)[0], said
                said += os.read(ours, 4096)
            os.write(ours, answer)
        code = process.wait(LIMIT)
    assert code == 5, said


def test_a_terminal_that_nobody_reads_stops_nothing(line: CommandLine, cluster: FakeCluster) -> None:
    """Its emulator may be stopped, or ssh may hang: connections are served, and Ctrl-C ends the run."""
    words = [*FAIRLEAD, "forward", "-v=8", "pod/web-1", f":{cluster.http}"]
    with on_a_terminal(line, words, reads=False) as (process, ours, theirs):
        said = b""
        while not (found := re.findall(rb"Forwarding from \S+:(\d+) -> ", said)):
            assert select.select([ours], [], [], LIMIT)[0], said
            said += os.read(ours, 4096)
        while select.select([], [theirs], [], 0)[1]:
            assert fetch(int(found[0])) == b"hello"
        for _ in range(10):
            assert fetch(int(found[0])) == b"hello"
        process.send_signal(signal.SIGINT)
        assert process.wait(END) == 0


def test_a_run_whose_output_nobody_reads_any_more_ends(line: CommandLine, cluster: FakeCluster) -> None:
    """As SIGPIPE ends other programs; no line is waited for that would find it out."""
    words = [*FAIRLEAD, "forward", "pod/web-1", f":{cluster.http}"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, **line.env}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(END) == 141


def test_a_signal_is_passed_to_the_command(line: CommandLine) -> None:
    script = "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done"
    with line.forward("svc/web", ":80", "--", "sh", "-c", script, json=False, ready=False) as running:
        running.wait_said("^up$", LIMIT)
        running.process.send_signal(signal.SIGTERM)
        running.wait_end(5, LIMIT)
    # The shell's sleep got it too, and the shell may say so.
    assert running.err in ([], ["Terminated"])


def test_a_command_that_does_not_exist(line: CommandLine) -> None:
    with line.forward("svc/web", ":80", "--", "no-such-program", json=False, ready=False) as running:
        running.wait_end(12, LIMIT)
    assert len(running.err) == 1
    assert "no-such-program" in running.err[0]


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2])
def test_signals_that_mean_nothing_to_a_run_are_the_commands(number: signal.Signals, line: CommandLine) -> None:
    """A thread dump, a log file that is opened anew."""
    script = f"trap 'echo heard; exit 5' {number.name[3:]}; echo up; while :; do sleep 0.05; done"
    with line.forward("svc/web", ":80", "--", "bash", "-c", script, json=False, ready=False) as running:
        running.wait_said("^up$", LIMIT)
        running.process.send_signal(number)
        running.wait_end(5, LIMIT)
    assert "heard" in running.out


def test_without_a_command_they_end_it_as_any_program(line: CommandLine) -> None:
    words = [*FAIRLEAD, "forward", "svc/web", ":80"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, **line.env}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGUSR1)
        assert process.wait(LIMIT) == -signal.SIGUSR1


def test_the_terminals_quit_is_the_commands(line: CommandLine) -> None:
    """Ctrl-\\ makes a JVM tell what it does, and ends nothing."""
    script = (
        "import signal, time; heard = []\n"
        "signal.signal(signal.SIGQUIT, lambda *_: heard.append(1)); print('up', flush=True)\n"
        "while not heard: time.sleep(0.01)\n"
        "time.sleep(0.1); print('heard', len(heard), flush=True); raise SystemExit(5)\n"
    )
    command = [*FAIRLEAD, "forward", "svc/web", ":80", "--", sys.executable, "-c", script]
    said = b""
    with on_a_terminal(line, [sys.executable, "-c", IN_TERMINAL, *command]) as (process, ours, _):
        for word, answer in ((b"up", b"\x1c"), (b"heard 1", b"")):
            while word not in said:
                assert select.select([ours], [], [], LIMIT)[0], said
                said += os.read(ours, 4096)
            os.write(ours, answer)
        code = process.wait(LIMIT)
    assert code == 5, said


def test_the_command_has_what_the_shell_gave(line: CommandLine) -> None:
    """And nothing of the run's own, which its tests look at."""
    shell = ["bash", "-c", 'exec 7<<<"here" 9>"$HOME/report"; exec "$@" 63< <(echo substituted)', "bash"]
    listing = "import os; print([n for n in range(3, 200) if os.path.exists(f'/dev/fd/{n}')])"
    script = f'cat <&7; cat /dev/fd/63; echo told >&9; python3 -c "{listing}"'
    with line.forward("svc/web", ":80", "--", "bash", "-c", script, json=False, ready=False, wrap=shell) as running:
        running.wait_end(0, LIMIT)
    assert running.out[-3:-1] == ["here", "substituted"]
    assert running.out[-1] == "[7, 9, 63]"
    assert (Path(line.env["HOME"]) / "report").read_text() == "told\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_the_command_of_a_run_with_closed_streams(closed: str, line: CommandLine) -> None:
    """It finds them open, and nothing in them."""
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh"]
    words = [*FAIRLEAD, "forward", "svc/web", ":80", "--", "sh", "-c", "cat && echo out && echo err >&2"]
    env = {**os.environ, **line.env}
    done = subprocess.run(
        [*shell, *words], stdin=subprocess.DEVNULL, capture_output=True, env=env, timeout=LIMIT, check=False
    )
    assert done.returncode == 0
    assert done.stdout.endswith(b"out\n") == (">&-" not in closed.split())
    assert (done.stderr == b"err\n") == ("2>&-" not in closed)


PIPELINE = "sleep 300 | cat; echo over"
"""Two processes below the shell, which itself waits."""


def test_a_signal_reaches_all_of_the_command(line: CommandLine) -> None:
    """A shell that waits for a pipeline would leave it behind."""
    with line.forward("svc/web", ":80", "--", "sh", "-c", PIPELINE, json=False, ready=False) as running:
        within(LIMIT, lambda: len(below(running.process.pid)) == 3, "three processes", pause=0.02)
        begun = below(running.process.pid)
        running.process.send_signal(signal.SIGTERM)
        running.wait_end(143, LIMIT)
        within(LIMIT, lambda: not any(map(lives, begun)), "all of them gone", pause=0.02)


def test_a_command_does_not_outlive_a_run_that_is_killed(line: CommandLine) -> None:
    running = line.forward("svc/web", ":80", "--", "sleep", "300", json=False, ready=False)
    try:
        within(LIMIT, lambda: below(running.process.pid), "the command", pause=0.02)
        (child,) = below(running.process.pid)
    finally:
        running.kill()
    within(LIMIT, lambda: not lives(child), "the command gone", pause=0.02)


# -- standard input and output --


def test_a_signal_while_standard_input_is_joined(line: CommandLine, cluster: FakeCluster) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            running = line.forward("pod/web-1", f"-:{cluster.echo}", json=False, stdin=theirs.fileno())
        with running:
            ours.sendall(b"one line\n")
            running.wait_said("^one line$", LIMIT)
            running.end(signal.SIGINT, 0)
    assert running.out == ["one line"]
    assert running.err == []
