"""A client of a runtime's socket: containerd's, another's, or our own. What a node asks when it is pointed at one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from fairlead.errors import ProtocolError, UnreachableError
from fairlead.lab.cri import messages
from fairlead.lab.cri.errors import CallError, Code
from fairlead.lab.cri.grpc import GrpcClient
from fairlead.lab.cri.messages import Method, SandboxState
from fairlead.lab.cri.protobuf import Value, decode, encode

TIMEOUT = 120.0
"""Seconds for one call, as the kubelet waits."""


class CriClient:
    """Connects when it is first asked, and again after the connection was lost.

    Calls raise CallError for what the runtime refuses, UnreachableError if there is none. ``port_forward``, ``exec``
    and ``attach`` are those of CriService.
    """

    def __init__(self, path: Path, *, timeout: float = TIMEOUT) -> None:
        self._path = path
        self._timeout = timeout
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.abort()
            await self._connection.gone

    async def call(self, method: Method, request: Mapping[str, Any]) -> Value:
        """One call."""
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._answer(method.path, encode(method.request, request))
        except TimeoutError as error:
            raise CallError(Code.DEADLINE_EXCEEDED, f"no answer to {method.name} in {self._timeout:g} s") from error
        return decode(method.response, answer)

    async def version(self) -> Value:
        """``runtime_name``, ``runtime_version``, ``runtime_api_version``."""
        return await self.call(messages.VERSION, {})

    async def status(self) -> dict[str, bool]:
        """The runtime's conditions."""
        answer = await self.call(messages.STATUS, {})
        conditions = answer["status"]["conditions"] if answer["status"] else []
        return {each["type"]: each["status"] for each in conditions}

    async def list_sandboxes(
        self, *, sandbox_id: str = "", ready: bool | None = None, labels: Mapping[str, str] | None = None
    ) -> list[Value]:
        """PodSandbox messages."""
        state = None if ready is None else {"state": int(SandboxState.READY if ready else SandboxState.NOTREADY)}
        asked = {"id": sandbox_id, "state": state, "label_selector": dict(labels or {})}
        answer = await self.call(messages.LIST_POD_SANDBOX, {"filter": asked})
        return cast("list[Value]", answer["items"])

    async def sandbox_status(self, sandbox_id: str) -> Value:
        """A PodSandboxStatus message."""
        answer = await self.call(messages.POD_SANDBOX_STATUS, {"pod_sandbox_id": sandbox_id})
        return cast("Value", answer["status"])

    async def port_forward(self, sandbox_id: str, ports: Sequence[int] = ()) -> str:
        """See CriService."""
        answer = await self.call(messages.PORT_FORWARD, {"pod_sandbox_id": sandbox_id, "port": list(ports)})
        return str(answer["url"])

    async def exec(
        self,
        container_id: str,
        command: Sequence[str],
        *,
        tty: bool = False,
        stdin: bool = False,
        stdout: bool = True,
        stderr: bool = True,
    ) -> str:
        """See CriService."""
        asked = {"tty": tty, "stdin": stdin, "stdout": stdout, "stderr": stderr}
        answer = await self.call(messages.EXEC, {"container_id": container_id, "cmd": list(command), **asked})
        return str(answer["url"])

    async def attach(
        self, container_id: str, *, tty: bool = False, stdin: bool = False, stdout: bool = True, stderr: bool = True
    ) -> str:
        """See CriService."""
        asked = {"tty": tty, "stdin": stdin, "stdout": stdout, "stderr": stderr}
        answer = await self.call(messages.ATTACH, {"container_id": container_id, **asked})
        return str(answer["url"])

    async def _answer(self, path: str, message: bytes) -> bytes:
        """A connection that was there before may be over by now: then on a new one. No call does harm twice."""
        before = self._connection
        connection = await self._connected()
        try:
            return await connection.call(path, message, self._timeout)
        except CallError:
            if connection is not before or not connection.lost:
                raise
        return await (await self._connected()).call(path, message, self._timeout)

    async def _connected(self) -> _Connection:
        async with self._connecting:
            if self._connection is None or self._connection.lost:
                try:
                    _, self._connection = await asyncio.get_running_loop().create_unix_connection(
                        _Connection, str(self._path)
                    )
                except OSError as error:
                    raise UnreachableError(f"no runtime answers at {self._path}: {error.strerror or error}") from error
            return self._connection


class _Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.lost = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._calls: dict[int, asyncio.Future[bytes]] = {}
        self._engine = GrpcClient(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The preface goes first."""
        self._transport = cast("asyncio.Transport", transport)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Feed."""
        try:
            self._engine.receive(data)
        except ProtocolError as error:
            self._lose(error.what)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody answers any more."""
        self._lose("the runtime closed the connection")
        self.gone.set_result(None)

    def abort(self) -> None:
        """Break off."""
        self._transport.abort()

    async def call(self, path: str, message: bytes, timeout: float) -> bytes:
        """One call."""
        try:
            stream = self._engine.call(path, message, timeout=timeout)
        except ProtocolError as error:
            self._lose(error.what)
            raise CallError(Code.UNAVAILABLE, error.what) from error
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._calls[stream] = answer
        self._flush()
        try:
            return await answer
        finally:
            self._calls.pop(stream, None)
            self._engine.cancel(stream)
            self._flush()

    def on_answer(self, stream: int, message: bytes) -> None:
        """The call was answered."""
        answer = self._calls.get(stream)
        if answer is not None and not answer.done():
            answer.set_result(message)

    def on_failure(self, stream: int, code: int, text: str) -> None:
        """It was refused."""
        answer = self._calls.get(stream)
        if answer is not None and not answer.done():
            answer.set_exception(CallError(code, text))

    def _lose(self, reason: str) -> None:
        if not self.lost:
            self.lost = True
            self._transport.abort()
            for stream in tuple(self._calls):
                self.on_failure(stream, Code.UNAVAILABLE, reason)

    def _flush(self) -> None:
        data = self._engine.take_outgoing()
        if data and not self._transport.is_closing():
            self._transport.write(data)
