"""Exec and attach, over SPDY and WebSocket, with real processes and terminals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from fairlead.lab.cri.command import parse_sizes
from fairlead.lab.cri.errors import CallError, Code
from fairlead.lab.cri.exec_spdy import CREATION_TIMEOUT
from tests.support.cri import LIMIT, SpdyClient, exchange, runtime, spdy
from tests.support.engines import StreamLog
from tests.support.localprocess import LocalContainers, gone
from tests.support.loop import LOOPS, now, run, run_on, run_virtual

pytestmark = pytest.mark.lab

V4 = "v4.channel.k8s.io"
SUCCESS = {"metadata": {}, "status": "Success"}


def failed(code: int) -> dict[str, Any]:
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


class Stream(StreamLog):
    """One that joins much data in no time."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.taken = bytearray()

    @property
    def data(self) -> bytes:
        return bytes(self.taken)

    def on_data(self, data: memoryview) -> None:
        assert not self.over
        self.taken += data


class Exec:
    """A client over SPDY, with a stream each."""

    def __init__(self, client: SpdyClient, containers: LocalContainers, streams: Mapping[str, StreamLog]) -> None:
        self.client = client
        self.containers = containers
        self.streams = streams
        self.ids: dict[str, int] = {}

    def write(self, data: bytes, *, fin: bool = False, stream: str = "stdin") -> None:
        self.client.session.send_data(self.ids[stream], data, fin=fin)
        self.client.flush()

    async def end(self) -> bytes:
        await self.client.until(lambda: self.streams["error"].over)
        return self.streams["error"].data

    def output(self, stream: str = "stdout") -> bytes:
        return self.streams[stream].data


@asynccontextmanager
async def command(
    *argv: str, streams: str = "stdin stdout stderr", tty: bool = False, protocol: str = V4, attach: bool = False
) -> AsyncIterator[Exec]:
    """A command and its client. ``streams`` are opened in this order, after the error stream."""
    names = streams.split()
    containers = LocalContainers(argv)
    async with runtime(containers=containers) as made:
        service = made.service
        asked = {name: name in names for name in ("stdin", "stdout", "stderr")}
        url = await (service.attach("c", tty=tty, **asked) if attach else service.exec("c", argv, tty=tty, **asked))
        async with spdy(url, protocol) as client:
            logs = {name: Stream(name) for name in ("error", *names)}
            exec_ = Exec(client, containers, logs)
            for name, log in logs.items():
                exec_.ids[name] = client.session.open({"streamtype": name}, log)
            client.session.fin(exec_.ids["error"])
            client.flush()
            yield exec_


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("code", "status"), [(0, SUCCESS), (3, failed(3)), (143, failed(143))])
@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", V4])
def test_streams_and_the_exit_code(loop: str, protocol: str, code: int, status: dict[str, Any]) -> None:
    async def main() -> None:
        ends = f"exit {code}" if code < 128 else f"kill -{code - 128} $$"
        async with command("sh", "-c", f"cat; echo no >&2; {ends}", protocol=protocol) as exec_:
            exec_.write(b"some ")
            exec_.write(b"input", fin=True)
            assert json.loads(await exec_.end()) == status
            assert (exec_.output(), exec_.output("stderr")) == (b"some input", b"no\n")
            assert exec_.streams["stdout"].ended
            assert exec_.streams["stderr"].ended

    run_on(loop, main())


@pytest.mark.parametrize("protocol", ["v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"])
@pytest.mark.parametrize("code", [0, 3])
def test_before_v4_the_end_is_a_text(protocol: str, code: int) -> None:
    async def main() -> None:
        async with command("sh", "-c", f"exit {code}", streams="stdout stderr", protocol=protocol) as exec_:
            text = f"command terminated with non-zero exit code: exit status {code}" if code else ""
            assert (await exec_.end()).decode() == text

    run(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_megabytes_both_ways(loop: str) -> None:
    data = bytes(range(256)) * 40_000

    async def main() -> None:
        async with command("cat", streams="stdin stdout") as exec_:
            exec_.write(data, fin=True)
            assert json.loads(await exec_.end()) == SUCCESS
            assert exec_.output() == data

    run_on(loop, main())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_terminal(loop: str) -> None:
    """One stream of output, sizes, and the key that ends input."""

    async def main() -> None:
        async with command("sh", "-c", "stty -echo; stty size; read x; stty size; cat; tty >/dev/null && exit 7",
                           streams="stdin stdout resize", tty=True) as exec_:  # fmt: skip
            exec_.write(b'{"Width":101,', stream="resize")
            exec_.write(b'"Height":31}\n{"Width":0,"Height":1}', stream="resize")
            await exec_.client.until(lambda: exec_.output().count(b"\n") == 1)
            while exec_.containers.processes[0].size != (101, 31):
                await asyncio.sleep(0.01)
            exec_.write(b"go\n")
            await exec_.client.until(lambda: exec_.output().endswith(b"31 101\r\n"))
            exec_.write(b"to cat\n", fin=True)
            assert json.loads(await exec_.end()) == failed(7)
            assert exec_.output().endswith(b"to cat\r\n")

    run_on(loop, main())


def test_a_size_that_came_before_the_process() -> None:
    async def main() -> None:
        async with command("stty", "size", streams="resize stdin stdout", tty=True) as exec_:
            exec_.write(b'{"Width":90,"Height":20}', stream="resize")
            await exec_.end()
            assert exec_.output() in (b"20 90\r\n", b"0 0\r\n")

    run(main())


def test_no_such_program() -> None:
    async def main() -> None:
        async with command("/no/such/program") as exec_:
            status = json.loads(await exec_.end())
            words = "error executing command in container: cannot run /no/such/program: No such file or directory"
            assert (status["reason"], status["message"]) == ("InternalError", f"Internal error occurred: {words}")

    run(main())


def test_a_machine_that_has_no_descriptors_left() -> None:
    """Costs that command, not the runtime."""

    async def none(*args: Any, **options: Any) -> Any:
        raise OSError(24, "Too many open files")

    async def main() -> None:
        async with command("true") as exec_:
            exec_.containers.exec = none  # type: ignore[method-assign]
            assert "Too many open files" in json.loads(await exec_.end())["message"]

    run(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_process_that_does_not_read_its_input(loop: str) -> None:
    """What is kept of it is bounded, and the end comes all the same."""

    async def main() -> None:
        async with command("sleep", "1", streams="stdin stdout") as exec_:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    for _ in range(100):
                        exec_.write(bytes(1 << 20))
                        await exec_.client.drain()
            assert json.loads(await exec_.end()) == SUCCESS

    run_on(loop, main())


def test_a_process_that_closes_its_input() -> None:
    async def main() -> None:
        async with command("sh", "-c", "exec <&-; sleep 0.3; echo ok") as exec_:
            for _ in range(10):
                exec_.write(b"x" * 100_000)
                await asyncio.sleep(0.01)
            assert json.loads(await exec_.end()) == SUCCESS
            assert exec_.output() == b"ok\n"

    run(main())


def test_a_client_that_does_not_read_stops_the_process() -> None:
    async def main() -> None:
        async with command("sh", "-c", "head -c 30000000 /dev/zero; echo done >&2") as exec_:
            exec_.client.reading.clear()
            await asyncio.sleep(0.5)
            assert exec_.containers.processes[0].child.process.returncode is None
            exec_.client.reading.set()
            assert json.loads(await exec_.end()) == SUCCESS
            assert len(exec_.output()) == 30_000_000

    run(main())


@pytest.mark.parametrize("tty", [False, True])
def test_a_client_that_goes_leaves_no_process(tty: bool) -> None:
    async def main() -> None:
        streams = "stdin stdout resize" if tty else "stdin stdout stderr"
        async with command("sh", "-c", "echo here; sleep 1000", tty=tty, streams=streams) as exec_:
            await exec_.client.until(lambda: exec_.output().startswith(b"here"))
            process = exec_.containers.processes[0]
        assert await gone(process) == 137
        assert process.left

    run(main())


def test_output_of_what_the_process_leaves_behind_is_waited_for() -> None:
    async def main() -> None:
        async with command("sh", "-c", "(sleep 0.5; echo late) & echo early", streams="stdout") as exec_:
            assert json.loads(await exec_.end()) == SUCCESS
            assert exec_.output() == b"early\nlate\n"

    run(main())


def test_attach_tells_no_exit_code() -> None:
    async def main() -> None:
        async with command("sh", "-c", "cat; exit 3", attach=True) as exec_:
            exec_.write(b"in", fin=True)
            assert json.loads(await exec_.end()) == SUCCESS
            assert exec_.output() == b"in"

    run(main())


def test_streams_that_nobody_asked_for_are_reset() -> None:
    async def main() -> None:
        async with command("echo", "ok", streams="stdout") as exec_:
            stray = StreamLog("stdin")
            exec_.client.session.open({"streamtype": "stdin"}, stray)
            exec_.client.flush()
            await exec_.client.until(lambda: stray.dead)
            assert json.loads(await exec_.end()) == SUCCESS

    run(main())


def test_streams_that_do_not_come() -> None:
    async def main() -> None:
        async with (
            runtime(containers=LocalContainers()) as made,
            spdy(await made.service.exec("c", ["true"]), V4) as client,
        ):
            client.session.open({"streamtype": "error"}, StreamLog("error"))
            client.flush()
            begin = now()
            await client.gone.wait()
            assert now() - begin == pytest.approx(CREATION_TIMEOUT, abs=1)

    run_virtual(main())


# -- WebSocket --

CHANNEL = "v5.channel.k8s.io"


class Channels:
    """What came on each channel until the end."""

    def __init__(self) -> None:
        self.data: dict[int, bytes] = {}
        self.first: bytes | str | None = None


async def channels(
    url: str, protocol: str, send: Callable[[Any], Any] | None = None, **options: Any
) -> tuple[Channels, int]:
    """Talk to a URL with a client that is not ours; everything that came, and the code of the Close."""
    import base64

    told = Channels()
    address = url.replace("http://", "ws://")
    async with asyncio.timeout(LIMIT), connect(address, subprotocols=[protocol], max_size=None, **options) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == protocol
        if send is not None:
            await send(socket)
        try:
            while True:
                message = await socket.recv()
                if told.first is None:
                    told.first = message
                if isinstance(message, str):
                    channel, data = int(message[0]), base64.b64decode(message[1:])
                else:
                    channel, data = message[0], message[1:]
                told.data[channel] = told.data.get(channel, b"") + data
        except ConnectionClosed as closed:
            return told, closed.rcvd.code if closed.rcvd else 0


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", V4, "v4.base64.channel.k8s.io"])
def test_channels_and_the_exit_code(loop: str, protocol: str) -> None:
    async def main() -> None:
        async with runtime(containers=LocalContainers()) as made:
            url = await made.service.exec("c", ["sh", "-c", "echo out; echo err >&2; exit 3"])
            told, code = await channels(url, protocol)
            assert told.first == ("1" if "base64" in protocol else b"\x01")
            assert (told.data[1], told.data[2], json.loads(told.data[3]), code) == (b"out\n", b"err\n", failed(3), 1000)

    run_on(loop, main())


def test_v5_can_end_input() -> None:
    async def send(socket: Any) -> None:
        await socket.send(b"\x00some ")
        await socket.send([b"\x00in", b"put", b""])
        await socket.send(b"\xff\x00")

    async def main() -> None:
        async with runtime(containers=LocalContainers()) as made:
            url = await made.service.exec("c", ["cat"], stdin=True)
            told, code = await channels(url, CHANNEL, send)
            assert (told.data[1], json.loads(told.data[3]), code) == (b"some input", SUCCESS, 1000)

    run(main())


def test_base64_input_and_a_size() -> None:
    async def send(socket: Any) -> None:
        await socket.send("4eyJXaWR0aCI6MTAxLCJIZWlnaHQiOjMxfQ==")
        await socket.send(["0Z28", "K"])

    async def main() -> None:
        async with runtime(containers=LocalContainers()) as made:
            argv = ["sh", "-c", "stty -echo; read x; echo $x; stty size"]
            url = await made.service.exec("c", argv, stdin=True, tty=True, stderr=False)
            told, _ = await channels(url, "v4.base64.channel.k8s.io", send)
            assert told.data[1].endswith(b"go\r\n31 101\r\n")

    run(main())


@pytest.mark.parametrize("message", ["text", b"\x07channel 7", b"", b"\xff\x01"])
def test_messages_without_a_meaning(message: str | bytes) -> None:
    """Text ends the connection; an unknown channel is nobody's."""

    async def send(socket: Any) -> None:
        await socket.send(message)

    async def main() -> None:
        async with runtime(containers=LocalContainers()) as made:
            url = await made.service.exec("c", ["sh", "-c", "sleep 0.2; echo out"])
            if isinstance(message, str):
                told, code = await channels(url, CHANNEL, send)
                assert (told.data, code) == ({1: b""}, 0)
            else:
                told, _ = await channels(url, CHANNEL, send)
                assert told.data[1] == b"out\n"

    run(main())


# -- asking for it --


@pytest.mark.parametrize(
    ("container", "options", "code", "text"),
    [
        ("", {}, Code.INVALID_ARGUMENT, "missing required container_id"),
        ("x", {}, Code.NOT_FOUND, 'failed to find container "x": not found'),
        ("c", {"tty": True}, Code.INVALID_ARGUMENT, "tty and stderr cannot both be true"),
        (
            "c", {"stdout": False, "stderr": False}, Code.INVALID_ARGUMENT,
            "one of stdin, stdout, or stderr must be set",
        ),
    ],
)  # fmt: skip
def test_what_is_not_granted(container: str, options: dict[str, bool], code: Code, text: str) -> None:
    async def main() -> None:
        async with runtime(containers=LocalContainers()) as made:
            for attempt in (
                made.service.exec(container, ["true"], **options),
                made.service.attach(container, **options),
            ):
                with pytest.raises(CallError) as caught:
                    await attempt
                assert (caught.value.code, caught.value.what) == (code, text)

    run(main())


def test_versions_that_nobody_speaks() -> None:
    async def main() -> None:
        async with runtime(containers=LocalContainers()) as made:
            url = await made.service.exec("c", ["true"])
            headers = (("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", "v9"))
            answered = await exchange(url, headers)
            assert answered.status == 403
            assert answered.values("x-accepted-stream-protocol-versions")[:2] == ["v5.channel.k8s.io", V4]
            await answered.close()

    run(main())


SIZES = [
    (b"", [], b""),
    (b'{"Width":1,"Height":2}', [(1, 2)], b""),
    (b'{"Width":1,"Height":2}\n{"Width":3,"Height":4}{"Wi', [(1, 2), (3, 4)], b'{"Wi'),
    (b'{"Width":1}{"Width":"x","Height":1}[}{"Width":65536,"Height":1}{"Width":-1,"Height":1}', [], b""),
    (b"nonsense", [], b"nonsense"),
    (b'{"Width":8,"Height":9} ', [(8, 9)], b" "),
]


@pytest.mark.parametrize(("data", "sizes", "rest"), SIZES)
def test_sizes(data: bytes, sizes: list[tuple[int, int]], rest: bytes) -> None:
    assert parse_sizes(data) == (sizes, rest)
    found, left = [], b""
    for at in range(len(data)):
        more, left = parse_sizes(left + data[at : at + 1])
        found += more
    assert (found, left) == (sizes, rest)
