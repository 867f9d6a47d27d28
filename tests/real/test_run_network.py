"""The private network by itself, as an ordinary user and as root: what of it stays, and who is ended with it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fairlead.host.private.network import PrivateNetwork
from fairlead.host.private.setup import Names
from fairlead.policy.capture import CaptureRules

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]

HOSTS = b"127.0.0.1 localhost\n10.96.0.5 web\n"


def play(
    body: Callable[[PrivateNetwork], Awaitable[None]],
    *,
    rules: CaptureRules | None = None,
    names: Names | None = None,
) -> None:
    network = PrivateNetwork.start(rules or CaptureRules(), names or Names())

    async def main() -> None:
        try:
            await network.made()
            await body(network)
        finally:
            await network.close()

    asyncio.run(main())


def inside(network: PrivateNetwork, program: str) -> str:
    """What a program in the network says."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        preexec_fn=network.enter(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_program_s_own_listener_answers_also_where_a_connection_was_before() -> None:
    """A connection from a port whose last one is in TIME_WAIT, on a port that something on the laptop listens on."""

    async def body(network: PrivateNetwork) -> None:
        said = inside(
            network,
            """
            import socket
            server = socket.create_server(("127.0.0.1", 8112))
            server.settimeout(5)
            for _ in range(4):
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                client.bind(("127.0.0.1", 50111))
                client.connect(("127.0.0.1", 8112))
                taken, _ = server.accept()
                taken.sendall(b"inside ")
                taken.close()  # first, as HTTP/1.0 does
                print(client.recv(20).decode(), end="")
                client.recv(1)
                client.close()
            """,
        )
        assert said == "inside " * 4

    play(body, rules=CaptureRules(listeners=frozenset({("127.0.0.1", 8112)})))


def test_files_stay_when_the_laptop_replaces_its_own(tmp_path: Path) -> None:
    """The kernel removes a mount on a file that is renamed away; in an /etc that is nobody else's."""
    script = f"""
        import asyncio, os, subprocess, sys
        sys.path[:0] = {sys.path!r}
        from fairlead.host.private.network import PrivateNetwork
        from fairlead.host.private.setup import Names
        from fairlead.policy.capture import CaptureRules

        def seen(network):
            return subprocess.run(["cat", "/etc/hosts"], preexec_fn=network.enter(), capture_output=True).stdout

        async def main(network):
            await network.made()
            assert seen(network) == {HOSTS!r}
            os.rename("/etc/hosts.new", "/etc/hosts")
            assert seen(network) == b"the laptop's\\n"
            for text in ({HOSTS!r}, b"", b"another\\n" * 10000):
                await network.show("hosts", text)
                assert seen(network) == text
            with open("/proc/self/mountinfo") as file:
                assert "fairlead-" not in file.read(), "nothing of it is outside"
            mounts = subprocess.run(["cat", "/proc/self/mountinfo"], preexec_fn=network.enter(), capture_output=True)
            assert mounts.stdout.count(b" /etc/hosts ") == 1, "one takes the place of the other"
            await network.close()
            print("done")

        asyncio.run(main(PrivateNetwork.start(CaptureRules(), Names(hosts={HOSTS!r}))))
    """
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "hosts").write_text("127.0.0.1 localhost\n")
    (etc / "hosts.new").write_text("the laptop's\n")
    for name in ("passwd", "group"):
        (etc / name).write_text("")
    command = 'mount --bind "$1" /etc && exec "$2" -c "$3"'
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", command, "sh", str(etc), sys.executable,
         textwrap.dedent(script)], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "agent killed"])
def test_who_makes_namespaces_of_its_own_is_ended_too(killed: bool) -> None:
    left: list[int] = []

    async def body(network: PrivateNetwork) -> None:
        said = inside(
            network,
            """
            import os, subprocess
            sleeping = subprocess.Popen(
                ["unshare", "--user", "--map-root-user", "--net", "sleep", "600"], start_new_session=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            print(sleeping.pid, flush=True)
            """,
        )
        left.append(int(said))
        async with asyncio.timeout(10):
            while os.readlink(f"/proc/{left[0]}/exe").endswith("unshare"):
                await asyncio.sleep(0)
        assert await network.left() == [f"sleep (pid {left[0]})"]
        if killed:
            os.kill(network._process, 9)
            await network.gone()
            await network.end_rest()

    play(body)
    assert not os.path.exists(f"/proc/{left[0]}") or "Z" in Path(f"/proc/{left[0]}/stat").read_text()


def test_root_is_root_inside(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.write_text("somebody's")
    os.chown(private, 4711, 4711)
    private.chmod(0o600)

    async def body(network: PrivateNetwork) -> None:
        said = inside(network, f"import os; print(open({str(private)!r}).read(), os.stat({str(private)!r}).st_uid)")
        assert said == "somebody's 4711\n"

    play(body)
