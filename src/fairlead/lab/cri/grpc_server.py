"""The runtime's service on a Unix socket, in the Container Runtime Interface's own words."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from fairlead.errors import FairleadError, ProtocolError
from fairlead.kit import log
from fairlead.kit.tasks import Background
from fairlead.lab.cri import messages
from fairlead.lab.cri.errors import CallError, Code
from fairlead.lab.cri.grpc import GrpcServer
from fairlead.lab.cri.messages import Method, NamespaceMode, SandboxState
from fairlead.lab.cri.protobuf import Value, decode, encode
from fairlead.lab.cri.sandboxes import Sandbox
from fairlead.lab.cri.service import CriService

_log = log.get(__name__)

Handler = Callable[[Value], Awaitable[Value]]


class CriServer:
    """Listens on ``path`` while its block runs. Only the user may connect: who can, can do all that the runtime can."""

    def __init__(self, service: CriService, path: Path, *, version: str) -> None:
        self._methods = Methods(service, version).table()
        self._path = path
        self._tasks = Background()
        self._connections: set[_Connection] = set()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        before = os.umask(0o177)
        try:
            self._server = await asyncio.get_running_loop().create_unix_server(self._accept, str(self._path))
        finally:
            os.umask(before)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for connection in tuple(self._connections):
            connection.abort()
        await self._tasks.__aexit__(kind, error, trace)
        self._path.unlink(missing_ok=True)

    def _accept(self) -> _Connection:
        return _Connection(self._methods, self._tasks, self._connections)


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(
        self, methods: dict[str, tuple[Method, Handler]], tasks: Background, connections: set[_Connection]
    ) -> None:
        self._methods = methods
        self._tasks = tasks
        self._connections = connections
        self._running: dict[int, asyncio.Task[None]] = {}
        self._engine = GrpcServer(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server's settings go first."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Feed."""
        try:
            self._engine.receive(data)
        except ProtocolError as error:
            _log.decision("a client of the runtime broke the protocol: %s", error)
            self._flush()
            self._transport.close()
            return
        self._flush()

    def pause_writing(self) -> None:
        """A client that does not read is not read either: its questions are what the answers come of."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever asked is gone."""
        self._connections.discard(self)
        for task in self._running.values():
            task.cancel()

    def abort(self) -> None:
        """Break off."""
        self._transport.abort()

    def on_call(self, stream: int, path: str, message: bytes, timeout: float | None) -> None:
        """Serve it beside the others."""
        self._running[stream] = self._tasks.start(self._serve(stream, path, message, timeout), name=f"call {path}")

    def on_cancel(self, stream: int) -> None:
        """Nobody waits for it."""
        task = self._running.pop(stream, None)
        if task is not None:
            task.cancel()

    async def _serve(self, stream: int, path: str, message: bytes, timeout: float | None) -> None:
        try:
            method, handler = self._method(path)
            async with asyncio.timeout(timeout):
                answer = await handler(decode(method.request, message))
            self._engine.answer(stream, encode(method.response, answer))
        except CallError as error:
            self._engine.fail(stream, error.code, error.what)
        except TimeoutError:
            self._engine.fail(stream, Code.DEADLINE_EXCEEDED, "context deadline exceeded")
        except ProtocolError as error:
            self._engine.fail(stream, Code.INTERNAL, error.what)
        except FairleadError as error:
            self._engine.fail(stream, Code.UNKNOWN, error.what)
        finally:
            self._running.pop(stream, None)
            self._flush()

    def _method(self, path: str) -> tuple[Method, Handler]:
        found = self._methods.get(path)
        if found is None:
            name = path.rpartition("/")[2]
            raise CallError(
                Code.UNIMPLEMENTED, f"unknown method {name} for service {path.strip('/').partition('/')[0]}"
            )
        return found

    def _flush(self) -> None:
        data = self._engine.take_outgoing()
        if data and not self._transport.is_closing():
            self._transport.write(data)


class Methods:
    """The service in messages."""

    def __init__(self, service: CriService, version: str) -> None:
        self._service = service
        self._version = version

    def table(self) -> dict[str, tuple[Method, Handler]]:
        """What is known; gRPC's UNIMPLEMENTED is the answer to the rest."""
        pairs = (
            (messages.VERSION, self.version),
            (messages.STATUS, self.status),
            (messages.LIST_POD_SANDBOX, self.list_pod_sandbox),
            (messages.POD_SANDBOX_STATUS, self.pod_sandbox_status),
            (messages.EXEC, self.exec),
            (messages.ATTACH, self.attach),
            (messages.PORT_FORWARD, self.port_forward),
        )
        return {method.path: (method, handler) for method, handler in pairs}

    async def version(self, request: Value) -> Value:
        """Who is asked."""
        return {
            "version": "0.1.0",
            "runtime_name": "fairlead-lab",
            "runtime_version": self._version,
            "runtime_api_version": "v1",
        }

    async def status(self, request: Value) -> Value:
        """Always ready: the service ends with the runtime."""
        conditions = [{"type": kind, "status": True} for kind in ("RuntimeReady", "NetworkReady")]
        return {"status": {"conditions": conditions}}

    async def list_pod_sandbox(self, request: Value) -> Value:
        """Those that fit the filter."""
        asked = request["filter"] or {"id": "", "state": None, "label_selector": {}}
        state = asked["state"]
        found = self._service.list_sandboxes(
            sandbox_id=asked["id"],
            ready=None if state is None else state["state"] == SandboxState.READY,
            labels=asked["label_selector"],
        )
        return {"items": [_common(box) for box in found]}

    async def pod_sandbox_status(self, request: Value) -> Value:
        """One of them."""
        box = self._service.sandbox(request["pod_sandbox_id"])
        first, *others = box.ips or ("",)
        mode = NamespaceMode.NODE if box.host_network else NamespaceMode.POD
        network: dict[str, Any] = {"ip": first, "additional_ips": [{"ip": each} for each in others]}
        namespaces = {"options": {"network": int(mode), "pid": int(NamespaceMode.CONTAINER)}}
        return {"status": {**_common(box), "network": network, "linux": {"namespaces": namespaces}}}

    async def exec(self, request: Value) -> Value:
        """A URL."""
        streams = {name: request[name] for name in ("tty", "stdin", "stdout", "stderr")}
        return {"url": await self._service.exec(request["container_id"], request["cmd"], **streams)}

    async def attach(self, request: Value) -> Value:
        """A URL."""
        streams = {name: request[name] for name in ("tty", "stdin", "stdout", "stderr")}
        return {"url": await self._service.attach(request["container_id"], **streams)}

    async def port_forward(self, request: Value) -> Value:
        """A URL."""
        return {"url": await self._service.port_forward(request["pod_sandbox_id"], request["port"])}


def _common(box: Sandbox) -> Value:
    return {
        "id": box.id,
        "metadata": {"name": box.name, "uid": box.uid, "namespace": box.namespace, "attempt": box.attempt},
        "state": int(SandboxState.READY if box.ready else SandboxState.NOTREADY),
        "created_at": box.created,
        "labels": box.labels,
        "annotations": box.annotations,
    }
