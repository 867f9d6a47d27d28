"""Real kubectl, through as little of an API server as it needs, to a pod in a network namespace of its own."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fairlead.lab.cri.drivers.netns import NetnsDriver
from fairlead.lab.cri.drivers.socat import SocatDriver
from fairlead.lab.cri.endpoints import DEFAULT, Options
from fairlead.lab.cri.sandboxes import Sandbox
from tests.support import nspod, podclient
from tests.support.cri import Boxes, runtime
from tests.support.kubectlstub import ApiStub, Kubectl, kubectl, kubectls, output
from tests.support.localprocess import LocalContainers
from tests.support.loop import now, run
from tests.support.nspod import needs_namespaces, pod

KUBECTLS = kubectls()
pytestmark = [
    pytest.mark.lab,
    needs_namespaces,
    pytest.mark.skipif(not KUBECTLS, reason="needs a kubectl: python -m testbed build --only kubectl"),
    pytest.mark.parametrize("version", KUBECTLS),
]
LIMIT = 60.0
SOCAT = pytest.param("socat", marks=pytest.mark.skipif(not shutil.which("socat"), reason="needs socat"))
PORTS = (nspod.ECHO, nspod.ONLY6, nspod.LATE, nspod.ONCE, nspod.RESET, nspod.DEAF, nspod.NOTHING)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with pod() as made:
        yield made


@asynccontextmanager
async def api(
    box: Sandbox, *, driver: str = "netns", options: Options = DEFAULT, path: str | None = None
) -> AsyncIterator[ApiStub]:
    """The server."""
    async with runtime(
        lambda streaming: (
            NetnsDriver(streaming.buffer)
            if driver == "netns"
            else SocatDriver(streaming.buffer, streaming.tasks, path=path)
        ),
        boxes=Boxes([box]),
        containers=LocalContainers(["cat"]),
        options=options,
    ) as made:

        async def granted(subresource: str, query: dict[str, list[str]]) -> str:
            if subresource == "portforward":
                return await made.service.port_forward(box.id)
            asked = {name: query.get(name) in (["true"], ["1"]) for name in ("stdin", "stdout", "stderr", "tty")}
            if subresource == "attach":
                return await made.service.attach("c", **asked)
            return await made.service.exec("c", query["command"], **asked)

        async with ApiStub(granted) as server:
            yield server


@asynccontextmanager
async def forwarding(version: str, folder: Path, server: ApiStub, *ports: int) -> AsyncIterator[Kubectl]:
    args = [f":{port}" for port in ports]
    async with kubectl(KUBECTLS[version], server, folder, "port-forward", "pod/app", *args) as made:
        yield made


async def ask(port: int, data: bytes, *, eof: bool = True) -> bytes:
    """All that comes until the end."""
    async with podclient.connection(port) as (reader, writer):
        writer.write(data)
        if eof:
            writer.write_eof()
        return await reader.read(-1)


async def lost(port: int, *, eof: bool = False) -> None:
    """No byte comes before the end, which is a reset where kubectl had not read ours."""
    try:
        assert await ask(port, b"x", eof=eof) == b""
    except ConnectionError:
        pass


@pytest.mark.parametrize("driver", ["netns", SOCAT])
def test_a_session(version: str, driver: str, box: Sandbox, tmp_path: Path) -> None:
    """Items 19 to 22, 24 and 25: what the pod refuses or resets ends alone, and kubectl goes on."""

    async def main() -> None:
        async with api(box, driver=driver) as server, forwarding(version, tmp_path, server, *PORTS) as client:
            for _ in range(3):
                assert await ask(await client.port(nspod.ECHO), b"x" * 100_000) == b"x" * 100_000
                await lost(await client.port(nspod.NOTHING), eof=True)
                await lost(await client.port(nspod.RESET), eof=True)
                answer = await ask(await client.port(nspod.ONCE), b"GET / HTTP/1.0\r\n\r\n", eof=False)
                assert answer == b"HTTP/1.0 200 OK\r\n\r\nhello\n"
                if driver == "netns":
                    assert await ask(await client.port(nspod.ONLY6), b"six") == b"six"
            assert client.err == []
            assert client.process.returncode is None

    run(main(), limit=LIMIT)


def test_a_half_close_and_a_late_answer(version: str, box: Sandbox, tmp_path: Path) -> None:
    """Item 29: the originals cut the answer off after a second."""

    async def main() -> None:
        async with api(box) as server, forwarding(version, tmp_path, server, nspod.LATE) as client:
            begin = now()
            assert await ask(await client.port(nspod.LATE), b"x" * 12345) == b"12345"
            assert now() - begin >= nspod.LATENESS

    run(main(), limit=LIMIT)


def test_megabytes_and_many_connections(version: str, box: Sandbox, tmp_path: Path) -> None:
    data = os.urandom(1 << 20) * 16

    async def main() -> None:
        async with api(box) as server, forwarding(version, tmp_path, server, nspod.ECHO) as client:
            port = await client.port(nspod.ECHO)
            big = await ask(port, data)
            assert hashlib.sha256(big).digest() == hashlib.sha256(data).digest()
            answers = await podclient.together(*(ask(port, b"%d" % number * 500) for number in range(100)))
            assert answers == [b"%d" % number * 500 for number in range(100)]
            assert client.err == []

    run(main(), limit=LIMIT)


def test_a_pod_that_does_not_read_stalls_nobody(version: str, box: Sandbox, tmp_path: Path) -> None:
    """Items 27 and 30. kubectl itself knows no limits: what its sockets hold goes through first."""

    async def main() -> None:
        async with api(box) as server, forwarding(version, tmp_path, server, nspod.ECHO, nspod.DEAF) as client:
            echo, deaf = await client.port(nspod.ECHO), await client.port(nspod.DEAF)
            async with podclient.connection(deaf) as (_, writer):
                writer.write(bytes(6 << 20))
                await asyncio.sleep(0.5)
                for _ in range(5):
                    assert await ask(echo, b"on") == b"on"
                writer.transport.abort()

    run(main(), limit=LIMIT)


def test_faithful_errors_end_the_session(version: str, box: Sandbox, tmp_path: Path) -> None:
    """Item 22, as containerd does it."""

    async def main() -> None:
        options = Options(faithful_errors=True)
        async with api(box, options=options) as server, forwarding(version, tmp_path, server, *PORTS) as client:
            assert await ask(await client.port(nspod.ECHO), b"x") == b"x"
            await lost(await client.port(nspod.NOTHING))
            line = await client.said("an error occurred forwarding")
            assert f"{nspod.NOTHING} to pod {box.id}, uid : failed to execute portforward in network namespace" in line
            assert await client.process.wait() == 1
            await client.said("error: lost connection to pod")

    run(main(), limit=LIMIT)


@pytest.mark.parametrize("program", ["socat", "nsenter"])
def test_a_missing_program_ends_the_session(version: str, program: str, box: Sandbox, tmp_path: Path) -> None:
    """In the seed's words."""
    if program == "nsenter":
        (tmp_path / "socat").symlink_to("/bin/true")

    async def main() -> None:
        path = str(tmp_path)
        async with (
            api(box, driver="socat", path=path) as server,
            forwarding(version, tmp_path, server, nspod.ECHO) as client,
        ):
            await lost(await client.port(nspod.ECHO))
            line = await client.said("an error occurred forwarding")
            assert f"uid : unable to do port forwarding: {program} not found." in line
            assert await client.process.wait() == 1

    run(main(), limit=LIMIT)


def test_a_closed_namespace_ends_the_session(version: str, box: Sandbox, tmp_path: Path) -> None:
    async def main() -> None:
        with pod() as gone:
            async with api(gone) as server, forwarding(version, tmp_path, server, nspod.ECHO) as client:
                assert await ask(await client.port(nspod.ECHO), b"x") == b"x"
                os.kill(gone.pid, 9)
                while Path(gone.netns).exists():  # noqa: ASYNC240 - a file of /proc
                    await asyncio.sleep(0.01)
                await lost(await client.port(nspod.ECHO))
                line = await client.said("an error occurred forwarding")
                assert f'network namespace for sandbox "{gone.id}" is closed' in line.replace("\\", "")
                assert await client.process.wait() == 1

    run(main(), limit=LIMIT)


# -- exec and attach --


@pytest.mark.parametrize("websockets", ["true", "false"])
@pytest.mark.parametrize("code", [0, 3])
def test_exec(
    version: str, websockets: str, code: int, box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", websockets)
    data = os.urandom(1 << 20)

    async def main() -> None:
        async with api(box) as server:
            args = ("exec", "-i", "app", "-c", "c", "--", "sh", "-c", f"cat; echo err >&2; exit {code}")
            exit_code, out, err = await output(KUBECTLS[version], server, tmp_path, *args, data=data)
            said = b"err\n" + (f"command terminated with exit code {code}\n".encode() if code else b"")
            assert (exit_code, out, err) == (code, data, said)
            method = next(line.split()[0] for line in server.asked if "/exec?" in line)
            assert method == ("GET" if websockets == "true" else "POST")

    run(main(), limit=LIMIT)


@pytest.mark.parametrize("websockets", ["true", "false"])
def test_attach(version: str, websockets: str, box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", websockets)

    async def main() -> None:
        async with api(box) as server:
            args = ("attach", "-i", "app", "-c", "c")
            exit_code, out, _ = await output(KUBECTLS[version], server, tmp_path, *args, data=b"to the container\n")
            assert (exit_code, out) == (0, b"to the container\n")

    run(main(), limit=LIMIT)
