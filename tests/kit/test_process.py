from __future__ import annotations

import asyncio
import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fairlead.errors import MachineError
from fairlead.kit import process
from tests.support.loop import LOOPS, run, run_on


@pytest.fixture(autouse=True)
def nothing_is_kept() -> Iterator[None]:
    yield
    process._inherited = None
    process._given = frozenset()


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise SystemExit(0)", 0),
        ("raise SystemExit(7)", 7),
        ("import os; os.kill(os.getpid(), 15)", 143),
        ("import os; os.kill(os.getpid(), 9)", 137),
    ],
)
def test_the_exit_code_is_the_one_a_shell_tells(code: str, expected: int) -> None:
    async def main() -> int:
        child = await process.start(python(code))
        return await child.wait()

    assert run(main()) == expected


def test_arguments_reach_the_child_as_they_are() -> None:
    async def main() -> bytes:
        words = ["a b", "$HOME", "*", ";", ""]
        child = await process.start(
            [*python("import sys; print(sys.argv[1:], end='')"), *words], stdout=asyncio.subprocess.PIPE
        )
        out, _ = await child.process.communicate()
        return out

    assert run(main()) == b"['a b', '$HOME', '*', ';', '']"


def test_the_environment_is_the_one_given() -> None:
    async def main() -> bytes:
        code = "import os; print(os.environ.get('A'), os.environ.get('HOME'), end='')"
        child = await process.start(python(code), env={"A": "1"}, stdout=asyncio.subprocess.PIPE)
        out, _ = await child.process.communicate()
        return out

    assert run(main()) == b"1 None"


OPEN = "import os; print([n for n in range(200) if os.path.exists(f'/dev/fd/{n}')])"


async def open_in_child(**more: Any) -> bytes:
    child = await process.start(python(OPEN), stdout=asyncio.subprocess.PIPE, **more)
    out, _ = await child.process.communicate()
    return out


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("more", [{}, {"own_group": True, "in_child": lambda: None}], ids=["plain", "prepared"])
def test_a_child_has_its_streams_and_nothing_of_ours(loop: str, more: dict[str, Any]) -> None:
    """Who reads its output sees the end of it when the child closes it."""
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        assert run_on(loop, open_in_child(**more)) == b"[0, 1, 2]\n"
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_child_has_what_we_were_given(loop: str) -> None:
    """As of a shell: 3>report, <(list), a lock, make's jobserver."""
    given, ours, later, other = *os.pipe(), *os.pipe()
    try:
        os.dup2(given, 77)
        process.children_keep_given()
        os.set_inheritable(later, True)
        found = json.loads(run_on(loop, open_in_child()))
        assert 77 in found
        assert not {ours, later, other} & set(found)
        assert os.get_inheritable(77)
    finally:
        for each in (given, ours, later, other, 77):
            os.close(each)


def test_a_machine_that_does_not_tell_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a chroot without /proc."""

    def missing(path: str) -> list[str]:
        raise FileNotFoundError(path)

    with monkeypatch.context() as patched:
        patched.setattr("os.listdir", missing)
        process.children_keep_given()
        assert run(open_in_child()).startswith(b"[0, 1, 2")


def fails(error: Exception) -> Callable[[], None]:
    def in_child() -> None:
        raise error

    return in_child


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.EPERM, "Operation not permitted"), "cannot run true: Operation not permitted"),
        (MachineError("no way in", remedy="not by \u00e4 \udcff"), "no way in (not by \u00e4 \ufffd)"),
    ],
)
def test_what_goes_wrong_before_it_runs_is_one_sentence(loop: str, error: Exception, text: str) -> None:
    with pytest.raises(MachineError) as caught:
        run_on(loop, process.start(["true"], in_child=fails(error)))
    assert str(caught.value) == text


@pytest.mark.parametrize("loop", LOOPS)
def test_a_mistake_of_ours_before_it_runs_is_not_taken_for_the_machines(loop: str) -> None:
    with pytest.raises(subprocess.SubprocessError):
        run_on(loop, process.start(["true"], in_child=fails(ValueError("ours"))))


def test_a_child_gets_the_limit_it_was_promised() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    process.children_get((soft - 3, hard))

    async def main() -> bytes:
        code = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], end='')"
        child = await process.start(python(code), stdout=asyncio.subprocess.PIPE)
        out, _ = await child.process.communicate()
        return out

    assert run(main()) == str(soft - 3).encode()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)


@pytest.mark.parametrize(("program", "reason"), [("no-such-program", "No such file"), ("/etc/passwd", "Permission")])
def test_a_program_that_cannot_run_is_one_sentence(program: str, reason: str) -> None:
    with pytest.raises(MachineError, match=f"cannot run {program}: {reason}"):
        run(process.start([program]))


WAITS = "import signal, time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(number: int) -> None:
    async def main() -> int:
        child = await process.start(python(WAITS), stdout=asyncio.subprocess.PIPE)
        assert child.process.stdout is not None
        await child.process.stdout.readline()
        child.pass_on(number)
        code = await child.wait()
        child.pass_on(number)
        return code

    assert run(main()) == 128 + number


@pytest.mark.parametrize(("code", "expected", "least"), [(WAITS, 143, 0.0), (STUBBORN, 137, 0.2)])
def test_end_is_gentle_first(code: str, expected: int, least: float) -> None:
    async def main() -> tuple[int, float]:
        child = await process.start(python(code), stdout=asyncio.subprocess.PIPE)
        assert child.process.stdout is not None
        await child.process.stdout.readline()
        started = time.monotonic()
        return await child.end(grace=0.2), time.monotonic() - started

    ended, took = run(main())
    assert ended == expected
    assert took >= least


def test_an_interrupt_is_passed_on_only_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(terminal: bool) -> int:
        monkeypatch.setattr(process, "in_foreground", lambda: terminal)
        child = await process.start(python(f"import signal; signal.signal(2, signal.SIG_DFL); {WAITS}"), stdout=-1)
        assert child.process.stdout is not None
        await child.process.stdout.readline()
        child.pass_on(signal.SIGINT)
        return await child.end(grace=5)

    assert run(main(terminal=False)) == 130
    assert run(main(terminal=True)) == 143


async def up(code: str = WAITS, *, own_group: bool = True) -> process.Child:
    child = await process.start(python(code), stdout=asyncio.subprocess.PIPE, own_group=own_group)
    assert child.process.stdout is not None
    await child.process.stdout.readline()
    return child


async def stopped(child: process.Child) -> None:
    async with asyncio.timeout(10):
        while not child.has_stopped():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_one_that_stops_is_seen_once_and_continued(loop: str, number: int) -> None:
    async def main() -> int:
        child = await up("import time; print('up', flush=True); time.sleep(0.2); raise SystemExit(7)")
        assert not child.has_stopped()
        child.send(number)
        await stopped(child)
        assert not child.has_stopped(), "that was told"
        child.go_on()
        code = await child.wait()
        assert not child.has_stopped()
        child.go_on()
        return code

    assert run_on(loop, main()) == 7


@pytest.mark.parametrize("loop", LOOPS)
def test_one_that_was_continued_by_others_has_not_stopped(loop: str) -> None:
    async def main() -> int:
        child = await up()
        child.send(signal.SIGTSTP)
        child.send(signal.SIGCONT)
        assert not child.has_stopped()
        child.send(signal.SIGTSTP)
        await stopped(child)
        return await child.end(grace=0.1)

    # What is stopped does not see SIGTERM, and is ended all the same.
    assert run_on(loop, main()) == 137


async def halted(child: process.Child) -> None:
    """By SIGSTOP; it is seen here as has_stopped would see it, and left for it."""
    child.send(signal.SIGSTOP)
    await asyncio.to_thread(os.waitid, os.P_PID, child.process.pid, os.WSTOPPED | os.WNOWAIT)


def test_one_that_somebody_halts_for_a_while_has_not_stopped() -> None:
    """A debugger does, or criu: who did will continue it, and no shell is to be told."""

    async def main() -> int:
        child = await up()
        await halted(child)
        assert not child.has_stopped()
        child.send(signal.SIGCONT)
        assert not child.has_stopped()
        return await child.end(grace=5)

    assert run(main()) == 143


def test_a_shell_that_suspends_itself_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its terminal would be nobody's."""

    async def main() -> int:
        child = await up()
        monkeypatch.setattr(process, "_foreground", lambda: child.process.pid)
        await halted(child)
        assert child.has_stopped()
        return await child.end(grace=0.1)

    assert run(main()) == 137


@pytest.mark.parametrize("loop", LOOPS)
def test_the_end_of_one_that_is_watched_for_stops_is_still_the_loops_to_tell(loop: str) -> None:
    async def main() -> int:
        child = await up("print('up', flush=True); raise SystemExit(5)")
        waiting = asyncio.get_running_loop().create_task(child.wait())
        while not waiting.done():
            assert not child.has_stopped()
            await asyncio.sleep(0)
        return await waiting

    assert run_on(loop, main()) == 5


def test_all_of_its_group_is_continued() -> None:
    code = (
        "import os, signal, time\n"
        "if not os.fork():\n"
        "    signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'heard\\n'), os._exit(0)))\n"
        "    os.write(1, b'up\\n'); time.sleep(60)\n"
        "time.sleep(60)\n"
    )

    async def main() -> bytes:
        child = await up(code)
        child.send(signal.SIGTSTP)
        await stopped(child)
        child.send(signal.SIGTERM)  # waits until they are continued
        child.go_on()
        assert child.process.stdout is not None
        async with asyncio.timeout(10):
            told = await child.process.stdout.read()
        await child.wait()
        return told

    assert run(main()) == b"heard\n"


@pytest.mark.parametrize(
    ("program", "remedy"),
    [
        ("FOO=bar", "variables are set by a program: -- env FOO=bar COMMAND"),
        ("curl http://web", "one line of a shell is given to a shell: -- sh -c 'LINE'"),
        ("curl|head", "one line of a shell is given to a shell: -- sh -c 'LINE'"),
        ("no-such-program", ""),
        ("/bin/no=such", ""),
    ],
)
def test_what_was_meant_for_a_shell(program: str, remedy: str) -> None:
    with pytest.raises(MachineError, match="No such file") as raised:
        process.require(program)
    assert raised.value.remedy == remedy
