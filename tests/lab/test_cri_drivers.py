"""Both drivers to a pod with a network namespace of its own."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fairlead.kit import log
from fairlead.lab.cri.drivers.netns import NetnsDriver, socket_inside
from fairlead.lab.cri.drivers.socat import SocatDriver
from fairlead.lab.cri.endpoints import DEFAULT, Options
from fairlead.lab.cri.errors import NoWayError
from fairlead.lab.cri.sandboxes import Sandbox
from fairlead.protocol.portforward import Outcome
from tests.support import nspod
from tests.support.cri import HOST, Boxes, SpdyClient, echo, runtime, serving, spdy
from tests.support.loop import LOOPS, now, run, run_on
from tests.support.nspod import needs_namespaces, pod

pytestmark = [pytest.mark.lab, needs_namespaces]
DRIVERS = [
    "netns",
    pytest.param("socat", marks=pytest.mark.skipif(not shutil.which("socat"), reason="needs socat")),
]
CLEAN, RESET = Outcome.CLEAN, Outcome.RESET
FAITHFUL = Options(faithful_errors=True)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with pod() as made:
        yield made


@asynccontextmanager
async def session(
    driver: str, box: Sandbox, *, options: Options = DEFAULT, path: str | None = None
) -> AsyncIterator[SpdyClient]:
    """A client of that pod."""
    async with (
        runtime(
            lambda streaming: (
                NetnsDriver(streaming.buffer)
                if driver == "netns"
                else SocatDriver(streaming.buffer, streaming.tasks, path=path)
            ),
            boxes=Boxes([box]),
            options=options,
        ) as made,
        spdy(await made.service.port_forward(box.id)) as client,
    ):
        yield client


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_on_localhost_alone(driver: str, loop: str, box: Sandbox) -> None:
    async def main() -> None:
        async with session(driver, box) as client:
            big = os.urandom(3_000_000)
            assert await client.forward(nspod.ECHO, big, eof=True).end() == (CLEAN, big, "")
            log = client.forward(nspod.FIRST)
            await client.until(lambda: bytes(log.data) == b"220 ready\r\n")
            log.forward.finish()
            client.flush()
            assert (await log.end())[0] is CLEAN

    run_on(loop, main())


@pytest.mark.parametrize(("driver", "outcome"), [("netns", CLEAN), ("socat", RESET)])
def test_a_server_on_ipv6_alone(driver: str, outcome: Outcome, box: Sandbox) -> None:
    """socat was told TCP4."""

    async def main() -> None:
        async with session(driver, box) as client:
            assert (await client.forward(nspod.ONLY6, b"six", eof=True).end())[0] is outcome

    run(main())


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_pod_on_the_hosts_network(driver: str) -> None:
    async def main() -> None:
        async with serving(echo) as port, session(driver, HOST) as client:
            assert await client.forward(port, b"here", eof=True).end() == (CLEAN, b"here", "")

    run(main())


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_the_pod_refuses_or_resets_ends_alone(driver: str, box: Sandbox) -> None:
    async def main() -> None:
        async with session(driver, box) as client:
            assert await client.forward(nspod.NOTHING, b"x").end() == (RESET, b"", "")
            # socat takes a reset for an end like any other.
            reset = RESET if driver == "netns" else CLEAN
            assert await client.forward(nspod.RESET, b"x").end() == (reset, b"", "")
            assert (await client.forward(nspod.ECHO, b"on", eof=True).end())[:2] == (CLEAN, b"on")

    run(main())


@pytest.mark.parametrize(
    ("driver", "cause"),
    [
        (
            "netns",
            'failed to execute portforward in network namespace "{netns}": failed to connect to localhost:{port} '
            'inside namespace "{id}", IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused '
            "IPv6 dial tcp6 [::1]:{port}: connect: connection refused",
        ),
        ("socat", "exit status 1: "),
    ],
)
def test_faithful_errors(driver: str, cause: str, box: Sandbox) -> None:
    async def main() -> None:
        async with session(driver, box, options=FAITHFUL) as client:
            outcome, _, text = await client.forward(nspod.NOTHING, b"x").end()
            assert outcome is Outcome.ERROR
            begins = f"error forwarding port {nspod.NOTHING} to pod {box.id}, uid : "
            expected = begins + cause.format(netns=box.netns, port=nspod.NOTHING, id=box.id)
            assert text == expected if driver == "netns" else text.startswith(expected)
            assert driver == "netns" or "Connection refused" in text

    run(main())


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("netns", ["/proc/1/ns/nothing", "a file"])
def test_a_closed_namespace(driver: str, netns: str, box: Sandbox, tmp_path: Path) -> None:
    """No connection can survive that, so the client is told, in the seeds' words."""
    if netns == "a file":
        if driver == "socat":
            pytest.skip("nsenter goes by the process")
        (tmp_path / "ns").touch()
        netns = str(tmp_path / "ns")
    gone = replace(box, netns=netns)

    async def main() -> None:
        async with session(driver, gone) as client:
            outcome, _, text = await client.forward(nspod.ECHO, b"x").end()
            assert outcome is Outcome.ERROR
            words = f'network namespace for sandbox "{box.id}" is closed'
            assert text == f"error forwarding port {nspod.ECHO} to pod {box.id}, uid : {words}"

    run(main())


@pytest.mark.parametrize("fails", [False, True])
def test_our_own_namespace_is_restored(box: Sandbox, fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.readlink("/proc/thread-self/ns/net")
    if fails:
        monkeypatch.setattr(socket, "socket", lambda *args: os.open("/nothing", os.O_RDONLY))
        with pytest.raises(FileNotFoundError):
            socket_inside(box, socket.AF_INET)
    else:
        socket_inside(box, socket.AF_INET).close()
    assert os.readlink("/proc/thread-self/ns/net") == own


def test_netns_passes_a_half_close_on(box: Sandbox) -> None:
    """Item 29: the answer comes three seconds later."""

    async def main() -> None:
        async with session("netns", box) as client:
            begin = now()
            assert await client.forward(nspod.LATE, b"x" * 1000, eof=True).end() == (CLEAN, b"1000", "")
            assert now() - begin >= nspod.LATENESS

    run(main())


# -- socat --


@pytest.mark.skipif(not shutil.which("socat"), reason="needs socat")
class TestSocat:
    def test_its_own_rule_for_a_half_close(self, box: Sandbox) -> None:
        """The answer may take half a second (socat -t)."""

        async def main() -> None:
            async with session("socat", box) as client:
                begin = now()
                assert await client.forward(nspod.LATE, b"x" * 1000, eof=True).end() == (CLEAN, b"", "")
                assert 0.4 < now() - begin < 2

        run(main())

    def test_its_own_rule_for_the_end_of_the_pod(self, box: Sandbox) -> None:
        """The client's end is waited for half a second."""

        async def main() -> None:
            async with session("socat", box) as client:
                begin = now()
                log = client.forward(nspod.ONCE, b"GET / HTTP/1.0\r\n\r\n")
                assert (await log.end())[:2] == (CLEAN, b"HTTP/1.0 200 OK\r\n\r\nhello\n")
                assert 0.4 < now() - begin < 2

        run(main())

    def test_the_command_stands_in_the_log_and_in_the_process_table(
        self, box: Sandbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def main() -> None:
            async with session("socat", box) as client:
                log_ = client.forward(nspod.FIRST)
                await client.until(lambda: bool(log_.data))
                (line,) = [line for line in children() if "TCP4" in line]
                assert line == f"{shutil.which('socat')} - TCP4:localhost:{nspod.FIRST}"
                log_.forward.cancel()
                client.flush()
                async with asyncio.timeout(2):  # a cancelled call ends it
                    while any("TCP4" in line for line in children()):
                        await asyncio.sleep(0.01)

        caplog.set_level(log.DECISION, "fairlead.lab.cri")
        run(main())
        command = f"{shutil.which('nsenter')} -t {box.pid} -n {shutil.which('socat')} - TCP4:localhost:{nspod.FIRST}"
        assert f"executing port forwarding command: {command}" in [each.message for each in caplog.records]

    def test_when_the_client_goes_it_goes(self, box: Sandbox) -> None:
        async def main() -> None:
            async with session("socat", box) as client:
                logs = [client.forward(port) for port in (nspod.FIRST, nspod.DEAF, nspod.ECHO)]
                await client.until(lambda: bool(logs[0].data))
                while sum("TCP4" in line for line in children()) < 3:
                    await asyncio.sleep(0.01)
            assert not any("TCP4" in line for line in children())

        run(main())

    @pytest.mark.parametrize(
        ("there", "missing"),
        [([], "socat"), (["nsenter"], "socat"), (["socat"], "nsenter")],
        ids=lambda each: str(each),
    )
    def test_missing_programs_are_told(self, box: Sandbox, there: list[str], missing: str, tmp_path: Path) -> None:
        """socat is looked for first, and the client's session ends: no connection could be made."""
        for program in there:
            (tmp_path / program).symlink_to(shutil.which(program) or "")

        async def main() -> None:
            async with session("socat", box, path=str(tmp_path)) as client:
                outcome, _, text = await client.forward(nspod.ECHO, b"x").end()
                assert outcome is Outcome.ERROR
                words = f"unable to do port forwarding: {missing} not found."
                assert text == f"error forwarding port {nspod.ECHO} to pod {box.id}, uid : {words}"

        run(main())


def test_the_words_of_a_missing_program_are_an_error_of_its_own(box: Sandbox, tmp_path: Path) -> None:
    async def main() -> None:
        async with runtime() as made:
            with pytest.raises(NoWayError, match="socat not found"):
                SocatDriver(made.streaming.buffer, made.streaming.tasks, path=str(tmp_path)).command(box, 80)

    run(main())


def children() -> list[str]:
    """The command lines of this process' children."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == os.getpid():
                    found.append((folder / "cmdline").read_text().replace("\0", " ").strip())
            except OSError:
                continue  # it ended meanwhile
    return found


def test_nothing_is_logged_as_an_error(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with session("netns", box) as client:
            for port in (nspod.NOTHING, nspod.RESET, nspod.ECHO):
                await client.forward(port, b"x", eof=True).end()

    run(main())
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
