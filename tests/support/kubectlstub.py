"""As little of an API server as kubectl needs for port-forward, exec and attach: one pod, whose streams lead to URLs.

It has no tunnel, so newer clients of port-forward fall back to plain SPDY.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from testbed import build
from tests.support.loopback import LoopbackServer

Granted = Callable[[str, dict[str, list[str]]], Awaitable[str]]
"""(subresource, query) to the URL of its stream."""

POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "app", "namespace": "default", "uid": "u"},
    "spec": {"containers": [{"name": "c"}]},
    "status": {"phase": "Running"},
}
_RESOURCES = [{"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get"]}]
_ANSWERS: dict[str, dict[str, Any]] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": _RESOURCES},
    "/api/v1/namespaces/default/pods/app": POD,
}


def kubectls() -> dict[str, str]:
    """Those of this machine: the ones that the testbed has built, and the one on PATH."""
    found = {name: build.binary(name) for name in ("kubectl", "kubectl-1.30") if build.binary(name).exists()}
    names = {("testbed" if name == "kubectl" else name[8:]): str(path) for name, path in found.items()}
    if on_path := shutil.which("kubectl"):
        names["path"] = on_path
    return names


class ApiStub(LoopbackServer):
    """Passes the upgrades of one pod on."""

    def __init__(self, granted: Granted) -> None:
        super().__init__()
        self.granted = granted
        self.asked: list[str] = []

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.decode().partition("\r\n")
        method, target, _ = line.split()
        self.asked.append(f"{method} {target}")
        parts = urlsplit(target)
        subresource = parts.path.partition("/pods/app/")[2]
        if subresource and not (subresource == "portforward" and "websocket" in rest.lower()):
            url = urlsplit(await self.granted(subresource, parse_qs(parts.query)))
            await _join(reader, writer, url.port or 0, f"{method} {url.path} HTTP/1.1\r\n{rest}".encode())
            return
        answer = None if subresource else _ANSWERS.get(parts.path)
        status = "200 OK" if answer else "400 Bad Request" if subresource else "404 Not Found"
        body = json.dumps(answer or {}).encode()
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, first: bytes) -> None:
    """As an API server does: when one direction ends, so does the other."""
    other_reader, other_writer = await asyncio.open_connection("127.0.0.1", port)
    other_writer.write(first)

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(1 << 16):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        sink.close()

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(copy(reader, other_writer))
            group.create_task(copy(other_reader, writer))
    finally:
        other_writer.close()


class Kubectl:
    """A running one, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.out: list[str] = []
        self.err: list[str] = []
        self.changed = asyncio.Event()

    async def said(self, words: str) -> str:
        """The first line that has these words."""
        while True:
            for line in self.out + self.err:
                if words in line:
                    return line
            self.changed.clear()
            await self.changed.wait()

    async def port(self, remote: int) -> int:
        """The local port of one that is forwarded."""
        line = await self.said(f"-> {remote}")
        return int(line.split(" -> ")[0].rpartition(":")[2])


@asynccontextmanager
async def kubectl(program: str, server: ApiStub, folder: Path, *args: str) -> AsyncIterator[Kubectl]:
    """Run one until the end of the block."""
    config = folder / "kubeconfig"
    cluster = {"name": "a", "cluster": {"server": f"http://127.0.0.1:{server.port}"}}
    context = {"name": "a", "context": {"cluster": "a", "user": "a"}}
    whole = {"clusters": [cluster], "contexts": [context], "users": [{"name": "a", "user": {}}], "current-context": "a"}
    config.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **whole}))
    environment = {**os.environ, "KUBECONFIG": str(config), "KUBECACHEDIR": str(folder / "cache")}
    process = await asyncio.create_subprocess_exec(
        program, *args, env=environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    made = Kubectl(process)

    async def read(stream: asyncio.StreamReader | None, lines: list[str]) -> None:
        assert stream is not None
        async for line in stream:
            lines.append(line.decode().rstrip("\n"))
            made.changed.set()

    async with asyncio.TaskGroup() as group:
        for stream, lines in ((process.stdout, made.out), (process.stderr, made.err)):
            group.create_task(read(stream, lines))
        try:
            yield made
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
            await process.wait()


async def output(
    program: str, server: ApiStub, folder: Path, *args: str, data: bytes = b""
) -> tuple[int, bytes, bytes]:
    """Run one to its end: exit code, output, errors."""
    async with kubectl_raw(program, server, folder, args) as process:
        out, err = await process.communicate(data)
    return process.returncode or 0, out, err


@asynccontextmanager
async def kubectl_raw(
    program: str, server: ApiStub, folder: Path, args: Sequence[str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process, with all its streams."""
    environment = {**os.environ, "KUBECONFIG": "/dev/null", "KUBECACHEDIR": str(folder / "cache")}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        program, "--server", f"http://127.0.0.1:{server.port}", *args, env=environment,
        stdin=pipe, stdout=pipe, stderr=pipe,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
