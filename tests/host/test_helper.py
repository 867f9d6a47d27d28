from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import MachineError
from fairlead.helper.wire import MOST_SOCKETS, encode
from fairlead.host.helper import Helper
from fairlead.host.helper_start import Rights
from fairlead.policy.hostsblock import Entry, blocks
from tests.support.loop import LOOPS, run, run_on

USUAL = b"127.0.0.1 localhost\n"
ENTRY = Entry("127.44.5.6", ("db", "db.shop"))
Use = Callable[[Helper], Awaitable[None]]


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_bytes(USUAL)
    return path


def with_helper(hosts: Path, use: Use, gone: list[bool] | None = None, **env: str) -> Coroutine[Any, Any, None]:
    async def main() -> None:
        heard = [] if gone is None else gone
        settings = {"HOME": str(hosts.parent), **env}
        helper = await Helper.start(str(hosts), Rights(), settings, on_gone=heard.append)
        try:
            await use(helper)
        finally:
            await helper.close()
        assert gone is not None or heard == []

    return main()


def held(hosts: Path) -> bytes:
    return hosts.read_bytes()


def write(hosts: Path, data: bytes) -> None:
    hosts.write_bytes(data)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def free(count: int) -> list[tuple[str, int]]:
    with socket.create_server(("127.44.5.6", 0)) as sock:
        start = min(int(sock.getsockname()[1]), 64_000)
    return [(f"127.44.{each >> 8}.{each & 255}", start) for each in range(256, 256 + count)]


@contextmanager
def descriptors(room: int) -> Iterator[None]:
    """No more than so many can be opened."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = set(map(int, os.listdir("/proc/self/fd")))
    first_refused = [number for number in range(1000) if number not in taken][room]
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_refused, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("loop", LOOPS)
def test_names_and_ports_come_and_go(loop: str, hosts: Path) -> None:
    async def use(helper: Helper) -> None:
        assert (await helper.hosts([ENTRY])).clashes == ()
        assert blocks(held(hosts))[0].entries == (ENTRY,)
        (bound,) = await helper.bind(free(1))
        assert bound.sock is not None
        with bound.sock, socket.create_connection(bound.sock.getsockname()) as connection:
            accepted, _ = await asyncio.get_running_loop().sock_accept(bound.sock)
            with accepted:
                assert accepted.getpeername() == connection.getsockname()
            assert not os.get_inheritable(bound.sock.fileno())

    run_on(loop, with_helper(hosts, use))
    assert hosts.read_bytes() == USUAL
    assert not (hosts.parent / ".hosts.fairlead").exists()


def test_more_ports_than_one_message_carries(hosts: Path) -> None:
    async def use(helper: Helper) -> None:
        wanted = free(MOST_SOCKETS + 20)
        found = await helper.bind(wanted)
        try:
            assert [bound.sock.getsockname() if bound.sock else bound for bound in found] == wanted
        finally:
            for bound in found:
                if bound.sock:
                    bound.sock.close()

    run(with_helper(hosts, use))


def test_ports_beyond_the_last_descriptor_are_told(hosts: Path) -> None:
    async def use(helper: Helper) -> None:
        with descriptors(5):
            found = await helper.bind(free(20))
        for bound in found:
            if bound.sock:
                bound.sock.close()
        kinds = [bound.errno for bound in found]
        assert kinds == sorted(kinds)
        assert set(kinds) == {0, errno.EMFILE}
        assert await helper.heal() == ()

    run(with_helper(hosts, use))


def test_more_names_than_one_message_carries(hosts: Path) -> None:
    def entry(number: int) -> Entry:
        names = tuple(f"{number:05}-{each}{'n' * 56}.{'s' * 63}.{'d' * 63}" for each in range(4))
        return Entry(f"127.50.{number >> 7}.{number & 127}", names)

    async def use(helper: Helper) -> None:
        reply = await helper.hosts([entry(number) for number in range(10_500)])
        assert reply.rest
        (block,) = blocks(held(hosts))
        assert sum(len(each.names) for each in block.entries) + len(reply.rest) == 42_000
        assert (await helper.hosts([ENTRY])).rest == ()

    run(with_helper(hosts, use))
    assert hosts.read_bytes() == USUAL


def test_lines_that_another_program_removed_are_told_and_written_again(hosts: Path) -> None:
    async def use(helper: Helper) -> None:
        assert not (await helper.hosts([ENTRY])).lost
        write(hosts, USUAL)
        assert (await helper.hosts([ENTRY])).lost
        assert blocks(held(hosts))[0].entries == (ENTRY,)
        assert not (await helper.hosts([])).lost
        assert not (await helper.hosts([ENTRY])).lost

    run(with_helper(hosts, use))


@pytest.mark.parametrize("held", ["127.44.5.6", "0.0.0.0"])
def test_a_port_that_is_taken_has_a_holder_and_the_others_are_bound(hosts: Path, held: str) -> None:
    async def use(helper: Helper) -> None:
        with socket.create_server((held, 0)) as taken:
            port = taken.getsockname()[1]
            first, second = await helper.bind([("127.44.5.6", port), free(1)[0]])
            assert (first.sock, first.errno) == (None, errno.EADDRINUSE)
            assert first.holder.endswith(f"(pid {os.getpid()})")
            assert second.sock is not None
            second.sock.close()

    run(with_helper(hosts, use))


def test_what_it_refuses_is_an_error_and_it_goes_on(hosts: Path) -> None:
    async def use(helper: Helper) -> None:
        with pytest.raises(MachineError, match="not a name"):
            await helper.hosts([Entry("127.44.5.6", ("localhost",))])
        with pytest.raises(MachineError, match="not an address"):
            await helper.bind([("0.0.0.0", 80)])
        assert await helper.heal() == ()

    run(with_helper(hosts, use))
    assert hosts.read_bytes() == USUAL


def test_several_may_ask_and_be_cancelled(hosts: Path) -> None:
    async def use(helper: Helper) -> None:
        many = [Entry(f"127.50.{each >> 8}.{each & 255}", (f"n{each}",)) for each in range(5000)]
        given_up = asyncio.ensure_future(helper.bind(free(50)))  # noqa: TID251
        await asyncio.sleep(0)
        given_up.cancel()
        _, _, dead = await asyncio.gather(helper.hosts(many), helper.hosts([ENTRY]), helper.heal())
        assert dead == ()
        assert given_up.cancelled()
        assert blocks(held(hosts))[0].entries == (ENTRY,)

    run(with_helper(hosts, use))


def test_who_is_cancelled_when_the_answer_has_just_come_keeps_no_socket() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        helper = Helper(ours, lambda undone: None)
        with theirs, socket.create_server(("127.0.0.1", 0)) as sent:
            before = len(os.listdir("/proc/self/fd"))
            asking = asyncio.ensure_future(helper.bind([("127.44.5.6", 80)]))  # noqa: TID251
            await asyncio.sleep(0)
            socket.send_fds(theirs, [encode({"id": 1, "bound": [0]})], [sent.fileno()])
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled()
            assert len(os.listdir("/proc/self/fd")) == before
        await helper.close()

    run(main())


@pytest.mark.parametrize(("number", "undone"), [(signal.SIGTERM, True), (signal.SIGKILL, False)])
def test_its_end_is_told_and_another_one_takes_over(hosts: Path, number: signal.Signals, undone: bool) -> None:
    gone: list[bool] = []

    async def use(helper: Helper) -> None:
        await helper.hosts([ENTRY])
        os.kill(helper.pid, number)
        while not gone:
            await asyncio.sleep(0.005)
        assert gone == [undone]
        with pytest.raises(MachineError, match="the helper is gone"):
            await helper.heal()
        assert (held(hosts) == USUAL) is undone
        other = await Helper.start(str(hosts), Rights(), {"HOME": str(hosts.parent)}, on_gone=gone.append)
        await other.hosts([ENTRY])
        assert len(blocks(held(hosts))) == 1
        await other.close()
        assert held(hosts) == USUAL

    run(with_helper(hosts, use, gone))
    assert len(gone) == 1


def test_who_asks_when_it_ends_is_told(hosts: Path) -> None:
    gone: list[bool] = []

    async def use(helper: Helper) -> None:
        os.kill(helper.pid, signal.SIGSTOP)
        asking = asyncio.ensure_future(helper.heal())  # noqa: TID251
        await asyncio.sleep(0)
        os.kill(helper.pid, signal.SIGKILL)
        with pytest.raises(MachineError, match="the helper is gone"):
            await asking

    run(with_helper(hosts, use, gone))
    assert gone == [False]


def test_what_it_cannot_undo_is_told_at_the_end(hosts: Path) -> None:
    async def use(helper: Helper) -> None:
        await helper.hosts([ENTRY])
        replace_by_folder(hosts)

    with pytest.raises(MachineError, match="is not a file"):
        run(with_helper(hosts, use))


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
def test_one_that_was_killed_is_no_success_at_the_end(hosts: Path, moment: str) -> None:
    async def main() -> bool:
        helper = await Helper.start(str(hosts), Rights(), {"HOME": str(hosts.parent)}, on_gone=lambda undone: None)
        await helper.hosts([ENTRY])
        os.kill(helper.pid, signal.SIGSTOP)
        if moment == "before":
            os.kill(helper.pid, signal.SIGKILL)
        else:
            asyncio.get_running_loop().call_later(0.05, os.kill, helper.pid, signal.SIGKILL)
        return await helper.close()

    assert run(main()) is False
    assert blocks(held(hosts))


@pytest.mark.parametrize("room", [1, 2, 3])
def test_no_descriptors_for_it_are_told(hosts: Path, room: int) -> None:
    async def use(helper: Helper) -> None:
        raise AssertionError

    async def main() -> None:
        with descriptors(room), pytest.raises(MachineError, match=r"cannot run .*: Too many open files"):
            await with_helper(hosts, use)

    run(main())


def failing(tmp_path: Path, program: str) -> str:
    path = tmp_path / "failing-sudo"
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("echo 'Sorry, try again.' >&2; echo 'sudo: 3 incorrect password attempts' >&2; exit 1", "3 incorrect"),
        ("exit 7", "it ended with 7"),
    ],
)
def test_a_start_that_fails_is_told_in_its_own_words(hosts: Path, tmp_path: Path, program: str, words: str) -> None:
    async def main() -> None:
        rights = Rights((failing(tmp_path, program),))
        await Helper.start(str(hosts), rights, {"HOME": str(tmp_path)}, on_gone=lambda _: None)

    with pytest.raises(MachineError, match=words):
        run(main())


def test_why_it_needs_rights_is_told_with_what_sudo_said(hosts: Path, tmp_path: Path) -> None:
    sudo = failing(tmp_path, f"echo '{tmp_path}/failing-sudo: a password is required' >&2; exit 1")

    async def main() -> None:
        rights = Rights((sudo,), "web:80 needs root", "-m 80:8080 listens on another port")
        await Helper.start(str(hosts), rights, {"HOME": str(tmp_path)}, on_gone=lambda _: None)

    with pytest.raises(MachineError) as caught:
        run(main())
    assert caught.value.what == f"web:80 needs root, and {sudo} did not start the helper: a password is required"
    assert caught.value.remedy == "-m 80:8080 listens on another port"


@pytest.mark.parametrize("runtime", ["", "runtime", "file"])
def test_without_a_state_folder_a_file_of_ones_own_is_still_written(
    hosts: Path, tmp_path: Path, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "runtime").mkdir()

    async def use(helper: Helper) -> None:
        assert await helper.hosts([ENTRY])
        assert blocks(held(hosts))

    place = str(tmp_path / runtime) if runtime else ""
    run(with_helper(hosts, use, XDG_STATE_HOME=str(tmp_path / "file"), XDG_RUNTIME_DIR=place))
    assert hosts.read_bytes() == USUAL
    monkeypatch.setattr("fairlead.host.hosts.SYSTEM", str(hosts))
    with pytest.raises(MachineError, match=r"cannot use the folder .*set XDG_STATE_HOME to"):
        run(with_helper(hosts, use, XDG_STATE_HOME=str(tmp_path / "file"), XDG_RUNTIME_DIR=place))


def test_a_start_that_starts_nothing_is_told(hosts: Path, tmp_path: Path) -> None:
    async def main() -> None:
        rights = Rights((failing(tmp_path, ""),))
        await Helper.start(str(hosts), rights, {"HOME": str(tmp_path)}, on_gone=lambda _: None)

    with pytest.raises(MachineError, match="the helper is gone"):
        run(main())


def test_a_start_that_is_given_up_leaves_no_process(hosts: Path, tmp_path: Path) -> None:
    async def main() -> None:
        rights = Rights((failing(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60"),))
        async with asyncio.timeout(0.5):
            await Helper.start(str(hosts), rights, {"HOME": str(tmp_path)}, on_gone=lambda _: None)

    with pytest.raises(TimeoutError):
        run(main())
    pid = (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else ""
    assert not pid or not Path(f"/proc/{pid.strip()}").exists()
