"""``fairlead services`` as a user has it: its lines, its status line, what it leaves alone, and ``clean``."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from fairlead.host.hosts import left_behind
from fairlead.host.stdio import LOOK
from fairlead.policy.hostsblock import Entry, blocks, replace
from tests.support import objects
from tests.support.fakecluster import FakeCluster
from tests.support.running import FAIRLEAD
from tests.support.services_user import DEAD, HIGH, LIMIT, PORT, User
from tests.support.serving import USUAL, Services
from tests.support.terminal import Terminal
from tests.support.world import within


def get(running: Services) -> bytes:
    """What the service answers."""
    with socket.create_connection((running.names()["web"], PORT), timeout=LIMIT) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return b"".join(iter(lambda: sock.recv(65536), b"")).rpartition(b"\r\n\r\n")[2]


def said(lines: Sequence[str]) -> list[str]:
    """Lines without their time and the beginning of a user's paths."""
    found = [re.fullmatch(r"(?:(INFO|WARN)\[\d\d:\d\d:\d\d\] )?(.*)", line) for line in lines]
    return [f"{match[1] or ''} {re.sub('/[^ ]*/', '', match[2])}" for match in found if match]


def test_a_run_from_its_first_line_to_its_last(cluster: FakeCluster, user: User) -> None:
    cluster.do(
        lambda: cluster.api.put(objects.SERVICES, objects.service("ext", type="ExternalName", externalName="a.b"))
    )
    with user.start(json=False) as running:
        address = running.serves("web", PORT)
        assert running.ready_file.read_text() == (
            f"{address} {PORT} web,web.ns.svc.cluster.local,web.ns,web.ns.svc {running.process.pid}\n"
        )
        assert get(running) == b"hello"
        cluster.do(lambda: cluster.api.delete(objects.SERVICES, "web"))
        running.wait_gone("web", LIMIT)
        running.wait_said("Stopped", LIMIT)
    assert said(running.out) == [
        "WARN service ext in ns needs the relay (not in this version): it stands for a.b, outside the cluster",
        f"INFO Forwarding: web:{PORT} to pod web-1:{cluster.http}",
        "INFO 4 names on 1 address are in hosts; Ctrl-C ends this.",
        "WARN Stopped forwarding web in ns.",
        "INFO Done...",
    ]
    assert running.err == []


def test_v_alone_has_a_line_for_each_connection_and_each_state(user: User) -> None:
    with user.start("-v", json=False) as running:
        assert get(running) == b"hello"
        running.wait_said("web is proved", LIMIT)
    assert [line for line in said(running.out) if " is " in line or "Handling" in line] == [
        "INFO web is ready",
        f"INFO Handling connection for web:{PORT}",
        "INFO web is proved",
    ]


def test_a_command_has_standard_output_for_itself(user: User) -> None:
    done = user.run("svc", HIGH, f"--hosts-file={user.hosts}", "--", "sh", "-c", "echo mine; exit 3")
    assert (done.returncode, done.stdout) == (3, "mine\n")
    assert said(done.stderr.splitlines())[-1] == "INFO Done..."


def test_a_wish_that_no_service_has_is_told(user: User) -> None:
    done = user.run("svc", "--dry-run", f"--hosts-file={user.hosts}", "--local", "wbe=3000")
    assert "WARN --local wbe: there is no such service yet; did you mean web?" in said(done.stdout.splitlines())


def test_a_port_may_be_given_by_its_name_and_one_that_is_not_there_is_told(user: User) -> None:
    words = ["-m", "web:http:8080", "--local", "web:htp=3000"]
    done = user.run("svc", "--dry-run", f"--hosts-file={user.hosts}", *words)
    lines = said(done.stdout.splitlines())
    assert "WARN --local web:htp: there is no such port yet; it has http=80" in lines
    assert [line for line in lines if line.startswith("INFO Would forward: web:8080 to pod web-1:")]


def test_a_run_that_forwards_nothing_says_where_it_looked(cluster: FakeCluster, user: User) -> None:
    looked = "namespace ns (-n looks in others, -A in all)"
    cluster.do(
        lambda: cluster.api.put(objects.SERVICES, objects.service("web", type="ExternalName", externalName="a.b"))
    )
    done = user.run("svc", "--dry-run", f"--hosts-file={user.hosts}")
    assert said(done.stdout.splitlines())[1:] == [
        f"WARN Of 1 service in {looked[:12]} none is forwarded, as told of each{looked[12:]}",
        "INFO Nothing was changed: this was a dry run.",
    ]
    cluster.do(lambda: cluster.api.delete(objects.SERVICES, "web"))
    with user.start() as running:
        [ready] = running.told("ready")
        assert (ready["names"], ready["services"], ready["namespaces"]) == (0, 0, ["ns"])
    done = user.run("svc", "--dry-run", f"--hosts-file={user.hosts}")
    assert said(done.stdout.splitlines())[0] == f"WARN No service was found in {looked}"


@pytest.mark.parametrize("waits", [["--ready-file=ready"], ["--", "touch", "touched"]])
def test_without_any_service_there_is_nothing_to_run_a_command_for(user: User, waits: list[str]) -> None:
    done = user.run("svc", HIGH, f"--hosts-file={user.hosts}", "--only=wbe", *waits)
    looked = "in namespace ns"
    remedy = "(-n looks in others, -A in all)"
    told = f"error: no service was found {looked} with --only {remedy}"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (10, told)
    address = f"127.66.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"
    with socket.create_server((address, PORT)):
        done = user.run("svc", HIGH, f"--hosts-file={user.hosts}", f"--reserve=web={address}", *waits)
    told = f"error: of 1 service {looked} none is forwarded, as told of each {remedy}"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (10, told)
    assert f"port {PORT} of service web in ns is not forwarded: {address}:{PORT} is in use by" in str(done)
    assert user.hosts.read_bytes() == USUAL
    assert not {"ready", "touched"} & set(os.listdir(user.folder))


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_dry_run_changes_nothing(cluster: FakeCluster, user: User, output: str) -> None:
    before = user.everything()
    words = ["--ready-file", str(user.folder / "ready"), "-o", output, "--", "/bin/touch", str(user.folder / "touched")]
    done = user.run("svc", HIGH, "--dry-run", f"--hosts-file={user.hosts}", *words, PATH="/nowhere")
    assert (done.returncode, user.everything()) == (0, before), done
    assert os.listdir(user.home) == []
    out = (done.stdout or done.stderr).splitlines()
    names = "web web.ns.svc.cluster.local web.ns web.ns.svc"
    if output == "text":
        address = out[2].partition(" ")[0]
        assert said(out) == [
            f"INFO Would forward: web:{PORT} to pod web-1:{cluster.http}",
            "INFO Lines for the hosts file:",
            f" {address} {names}",
            "INFO Nothing was changed: this was a dry run.",
        ]
    else:
        events = [json.loads(line) for line in out]
        assert [event["event"] for event in events] == ["forwarding", "hosts-line", "ended"]
        assert (events[1]["names"], events[1]["ports"]) == (names.split(), [PORT])
        address = events[1]["address"]
    with user.start() as running:
        assert running.names()["web"] == address, "what it said is what comes"


def test_json_is_all_there_is_on_stdout_and_a_name_is_told_by_the_same_words(user: User) -> None:
    with user.start("-v=4") as running:
        assert get(running) == b"hello"
        running.wait_told("service-state", LIMIT, state="proved")
    whose = {"target": "web", "service": "web", "pod": "", "namespace": "ns", "context": "fake"}
    for name in ("forwarding", "handling", "service-state", "stopped-forwarding"):
        assert running.told(name, **whose), name
    assert running.told("ended", reason="", exit_code=0)


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_run_whose_output_nobody_reads_any_more_ends_and_undoes_all(user: User, output: str) -> None:
    words = [*FAIRLEAD, "svc", HIGH, "--hosts-file=hosts", "-o", output]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=user.env, cwd=user.folder
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while not re.search(rb"ends this|\"event\":\"ready\"", line := process.stdout.readline()):
            assert line
        assert blocks(user.hosts.read_bytes())
        process.stdout.close()
        assert process.wait(LIMIT) == 141
        assert process.stderr.read() == b""
    assert user.hosts.read_bytes() == USUAL


def test_a_command_goes_on_when_nobody_reads_what_it_says(user: User) -> None:
    script = "exec >&-; while [ ! -e go ]; do sleep 0.02; done; exit 3"
    words = [*FAIRLEAD, "svc", HIGH, "--hosts-file=hosts", "--", "sh", "-c", f"touch runs; {script}"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=user.env, cwd=user.folder
    ) as it:
        within(LIMIT, (user.folder / "runs").exists, "the command", pause=0.02)
        assert it.stdout is not None
        it.stdout.close()
        with pytest.raises(subprocess.TimeoutExpired):
            it.wait(3 * LOOK)
        (user.folder / "go").touch()
        assert it.wait(LIMIT) == 3


# -- a terminal --


class Typed:
    """A run whose terminal we are."""

    def __init__(self, user: User, *words: str, term: str = "xterm") -> None:
        self.terminal, self.raw = Terminal(2000), b""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execve(FAIRLEAD[0], [*FAIRLEAD, "svc", HIGH, *words], {**user.env, "TERM": term})

    def until(self, last: Callable[[str], object]) -> list[str]:
        """Read until the last row is so; all rows."""
        until = time.monotonic() + LIMIT
        while not (self.terminal.rows and last(self.terminal.rows[-1])):
            left = until - time.monotonic()
            assert left > 0, self.terminal.rows
            if select.select([self.fd], [], [], left)[0]:
                data = os.read(self.fd, 65536)
                self.raw += data
                self.terminal.feed(data)
        return self.terminal.rows

    def end(self) -> None:
        """Wait for its end, which is a good one."""
        assert os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) == 0
        self.pid = 0

    def close(self) -> None:
        """End it if it still runs."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def typed(user: User) -> Iterator[Callable[..., Typed]]:
    """What starts runs on terminals."""
    made: list[Typed] = []

    def start(*words: str, term: str = "xterm") -> Typed:
        made.append(Typed(user, f"--hosts-file={user.hosts}", *words, term=term))
        return made[-1]

    yield start
    for each in made:
        each.close()


def test_the_status_line_of_a_run(user: User, typed: Callable[..., Typed]) -> None:
    run = typed()
    run.until(lambda row: row == "1 ready")
    [block] = blocks(user.hosts.read_bytes())
    with socket.create_connection((block.entries[0].address, PORT)) as sock:
        run.until(lambda row: row == "1 ready, 1 connection")
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        run.until(lambda row: row.startswith("1 proved"))
    run.until(lambda row: row == "1 proved")
    os.write(run.fd, b"\x03")
    rows = run.until(lambda row: row.endswith("Done..."))
    run.end()
    assert [row.partition("] ")[2] for row in rows[-2:]] == ["Stopped forwarding web in ns.", "Done..."]
    assert all(re.match(r"(INFO|WARN)\[", row) for row in rows), rows


@pytest.mark.parametrize(("words", "term"), [(["-o", "json"], "xterm"), ([], "dumb")])
def test_no_status_line_for_programs_and_simple_terminals(
    typed: Callable[..., Typed], words: list[str], term: str
) -> None:
    run = typed(*words, term=term)
    run.until(lambda row: '"ready","names"' in row or row.endswith("ends this."))
    os.kill(run.pid, signal.SIGINT)
    run.until(lambda row: row.endswith("Done...") or '"ended"' in row)
    run.end()
    assert b"\x1b" not in run.raw


def test_names_that_another_program_removes_are_there_again(user: User) -> None:
    with user.start(json=False) as running:
        assert running.serves("web", PORT)
        there = user.hosts.read_bytes()
        user.hosts.write_bytes(USUAL)
        within(2 * LIMIT, lambda: user.hosts.read_bytes() == there, "the names")
        running.wait_said("Another program removed this run's names", LIMIT)


# -- clean --


def test_clean_removes_what_killed_runs_left_and_nothing_of_a_run_that_lives(user: User) -> None:
    clean = ["clean", f"--hosts-file={user.hosts}"]
    done = user.run(*clean)
    assert (done.returncode, said([done.stdout.strip()])) == (0, [" no killed run has left anything in hosts"])
    with user.start() as running:
        held = user.hosts.read_bytes()
        user.hosts.write_bytes(replace(held, DEAD, [Entry("127.4.4.4", ("db",))]))
        done = user.run(*clean)
        assert done.returncode == 0, done
        assert said([done.stdout.strip()]) == [" removed from hosts what a killed run (pid 4711) had left there"]
        assert user.hosts.read_bytes() == held
        assert running.serves("web", PORT)
    assert left_behind(str(user.hosts)) == ()


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["now"], 2, 'error: "now" is one word too many (fairlead clean --help)'),
        (["--hosts-file="], 2, "error: --hosts-file needs a file"),
        (["--hosts-file=/etc/"], 12, "error: /etc/ is not a file"),
        (["--only=web"], 2, "error: unknown option --only (--help lists the options)"),
    ],
)
def test_clean_says_what_is_wrong(user: User, words: list[str], code: int, text: str) -> None:
    done = user.run("clean", *words)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (code, "", text)


def test_clean_finds_nothing_where_there_is_no_file(user: User) -> None:
    done = user.run("clean", "--hosts-file=/no/such")
    assert (done.returncode, done.stdout, done.stderr) == (0, "there is no /no/such: nothing to remove\n", "")


def test_a_start_heals_and_says_so(user: User) -> None:
    user.hosts.write_bytes(replace(USUAL, DEAD, [Entry("127.4.4.4", ("db",))]))
    with user.start(json=False) as running:
        pass
    assert "INFO Removed from hosts what a killed run (pid 4711) had left there" in said(running.out)
    assert user.hosts.read_bytes() == USUAL
