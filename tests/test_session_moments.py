"""Ends at the worst moments: an unread standard output, a silent resolver, a command that is just being started."""

from __future__ import annotations

import array
import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.support.commandline import LIMIT, CommandLine
from tests.support.fakecluster import FakeCluster
from tests.support.running import END, FAIRLEAD, below, lives
from tests.support.world import within

pytestmark = pytest.mark.timeout(60)

SIGNALS = [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def ends(process: subprocess.Popen[bytes], number: signal.Signals, code: int) -> None:
    """It ends within the promised second, without a word that is not one line."""
    began = time.monotonic()
    process.send_signal(number)
    assert process.stderr is not None
    try:
        assert process.wait(END) == code
    finally:
        process.kill()
        said = process.stderr.read().decode()
    assert time.monotonic() - began < END
    assert said.count("\n") <= 1, said
    assert "Traceback" not in said


@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize("closed", [True, False], ids=["the pod has closed", "the pod goes on"])
def test_a_standard_output_that_nobody_reads(
    closed: bool, number: signal.Signals, code: int, line: CommandLine, cluster: FakeCluster
) -> None:
    """With ``-`` it is full of the pod's bytes; whoever holds its other end may never read."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*FAIRLEAD, "forward", "pod/web-1", f"-:{cluster.echo}"],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env={**os.environ, **line.env},
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(bytes(300_000))
            process.stdin.flush()
            if closed:
                process.stdin.close()  # the echo has it all, and closes
                pod = cluster.pods["web-1"]
                within(LIMIT, lambda: pod.dialled and cluster.do(lambda: not pod.lanes[0].session.streams), "closed")
            output = process.stdout.fileno()
            within(LIMIT, lambda: _unread(output) >= 65536, "a full pipe", pause=0.01)
            ends(process, number, code)
        finally:
            process.kill()


def _unread(pipe: int) -> int:
    """Bytes in a pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


SILENT = "nameserver 127.0.0.1\noptions attempts:1 timeout:25\n"
DEAF = """
import os, socket, sys
deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
deaf.bind(("127.0.0.1", 53))
deaf.set_inheritable(True)
os.execvp(sys.argv[1], sys.argv[1:])
"""
ALONE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


@pytest.fixture
def silent_resolver(tmp_path: Path) -> list[str]:
    """What starts a command in a place where names are asked for and never answered: port 53 is there, and deaf."""
    if subprocess.run([*ALONE, "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody have namespaces of their own")
    (tmp_path / "resolv.conf").write_text(SILENT)
    setup = f'ip link set lo up && mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && exec "$@"'
    return [*ALONE, "--net", "sh", "-c", setup, "sh", sys.executable, "-c", DEAF]


@pytest.mark.parametrize(("number", "code"), SIGNALS[:2])
def test_a_resolver_that_never_answers(
    number: signal.Signals, code: int, silent_resolver: list[str], line: CommandLine
) -> None:
    config = Path(line.env["KUBECONFIG"])
    config.write_text(re.sub("http://127.0.0.1:", "http://cluster.test:", config.read_text()))
    with subprocess.Popen(
        [*silent_resolver, *FAIRLEAD, "forward", "pod/web-1", ":80"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **line.env},
    ) as process:
        try:
            within(LIMIT, lambda: _asked(process.pid), "it asks for the name", pause=0.01)
            ends(process, number, code)
        finally:
            process.kill()


def _asked(pid: int) -> bool:
    """Whether somebody has written to port 53 where this process is."""
    table = [line.split() for line in Path(f"/proc/{pid}/net/udp").read_text().splitlines()[1:]]
    return any(fields[1].endswith(":0035") and not fields[4].endswith(":00000000") for fields in table)


AT_THE_MOMENT = """
import asyncio, os, sys
from fairlead.cli.main import script
from fairlead.kit import process

moment, number, deaf = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "deaf"
really_start = process.start

async def start(*words, **how):
    if moment == "before":
        os.kill(os.getpid(), number)
    child = await really_start(*words, **how)
    if moment != "before":
        os.kill(os.getpid(), number)
    if moment == "during":
        for _ in range(5):  # the loop takes the signal while nobody has the command yet
            await asyncio.sleep(0)
    return child

process.start = start
if deaf:
    process.Child.send = lambda child, number: None
sys.argv[:4] = []
script()
"""
"""``fairlead`` that signals itself: before the command is started, before it is known, and as soon as it is.

A deaf command hears nothing, as one that ignores the signal from its first moment.
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_a_signal_while_the_command_is_started(
    moment: str, number: signal.Signals, code: int, line: CommandLine
) -> None:
    """It reaches the command, or the command is not started: never is it lost in between."""
    with line.forward("svc/web", ":80", "--", "sleep", "60", ready=False, wrap=at(moment, number)) as running:
        running.wait_end(code, LIMIT / 2)


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_a_command_that_goes_on_after_such_a_signal_is_served(moment: str, line: CommandLine) -> None:
    script = (
        "import os, urllib.request as web\n"
        "print(web.urlopen('http://127.0.0.1:' + os.environ['FAIRLEAD_PORT']).read().decode())\n"
    )
    words = ["svc/web", ":80", "--", sys.executable, "-c", script]
    with line.forward(*words, json=False, ready=False, wrap=at(moment, signal.SIGTERM, "deaf")) as running:
        running.wait_end(0, LIMIT)
    assert "hello" in running.out


def at(moment: str, number: signal.Signals, command: str = "") -> list[str]:
    """What ``fairlead`` is started with."""
    return [sys.executable, "-c", AT_THE_MOMENT, moment, str(int(number)), command]


HANGS = """
import subprocess
from fairlead.cli.main import script
from fairlead.host.private import setup

def hang(*_):
    subprocess.run(["sleep", "1010"], check=False)

setup.set_up = hang
script()
"""
"""``fairlead`` whose private network is never ready: a program that makes it hangs."""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_private_network_that_takes_for_ever(number: signal.Signals, code: int, line: CommandLine) -> None:
    words = [sys.executable, "-c", HANGS, "run", "--", "true"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, env={**os.environ, **line.env}) as process:
        try:
            within(LIMIT, lambda: len(below(process.pid)) == 2, "the program that hangs", pause=0.01)
            begun = below(process.pid)
            within(LIMIT, lambda: _hears(process.pid), "the loop hears signals", pause=0.01)
            ends(process, number, code)
            within(LIMIT, lambda: not any(map(lives, begun)), "all of it gone", pause=0.01)
        finally:
            process.kill()


def _hears(pid: int) -> bool:
    """Whether the event loop takes signals: SIGTERM has a handler."""
    found = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return bool(int(found[1], 16) >> (signal.SIGTERM - 1) & 1)
