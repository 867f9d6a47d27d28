"""The runtime's service: what a node asks of it, in process or by gRPC. Streams are answered with a URL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from fairlead.lab.cri.command import Wanted
from fairlead.lab.cri.drivers.driver import Driver
from fairlead.lab.cri.endpoints import DEFAULT, CommandEndpoint, Options, PortForwardEndpoint
from fairlead.lab.cri.errors import CallError, Code
from fairlead.lab.cri.process import Containers
from fairlead.lab.cri.sandboxes import Sandbox, Sandboxes
from fairlead.lab.cri.streaming import StreamingServer


class CriService:
    """One runtime's service. The streaming server runs as long as it does; its owner is whoever made it."""

    def __init__(
        self,
        sandboxes: Sandboxes,
        containers: Containers,
        driver: Driver,
        streaming: StreamingServer,
        options: Options = DEFAULT,
    ) -> None:
        self._sandboxes = sandboxes
        self._containers = containers
        self._driver = driver
        self._streaming = streaming
        self._options = options

    # -- streams; each raises CallError --

    async def port_forward(self, sandbox_id: str, ports: Sequence[int] = ()) -> str:
        """Where ports of a sandbox can be reached; ``ports`` is for WebSocket clients that name none."""
        if not sandbox_id:
            raise CallError(Code.INVALID_ARGUMENT, "missing required pod_sandbox_id")
        if not self.sandbox(sandbox_id).ready:
            raise CallError(Code.UNKNOWN, "sandbox container is not running")
        endpoint = PortForwardEndpoint(
            sandbox_id, tuple(ports), self._sandboxes, self._driver, self._streaming, self._options
        )
        return self._streaming.url("portforward", endpoint)

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
        """Where a command in a container can be talked to; it is started when somebody does."""
        wanted = Wanted(stdin=stdin, stdout=stdout, stderr=stderr, tty=tty)
        self._check(container_id, wanted)
        argv = tuple(command)
        endpoint = CommandEndpoint(
            lambda: self._containers.exec(container_id, argv, tty=tty, stdin=stdin),
            wanted,
            self._streaming,
            self._options,
            tells_code=True,
        )
        return self._streaming.url("exec", endpoint)

    async def attach(
        self, container_id: str, *, tty: bool = False, stdin: bool = False, stdout: bool = True, stderr: bool = True
    ) -> str:
        """Where the container's own process can be talked to."""
        wanted = Wanted(stdin=stdin, stdout=stdout, stderr=stderr, tty=tty)
        self._check(container_id, wanted)
        endpoint = CommandEndpoint(
            lambda: self._containers.attach(container_id, tty=tty, stdin=stdin),
            wanted,
            self._streaming,
            self._options,
            tells_code=False,
        )
        return self._streaming.url("attach", endpoint)

    # -- questions --

    def sandbox(self, sandbox_id: str) -> Sandbox:
        """The sandbox of that id. CallError if there is none."""
        found = self._sandboxes.get(sandbox_id)
        if found is None:
            raise CallError(Code.NOT_FOUND, f'failed to find sandbox "{sandbox_id}": not found')
        return found

    def list_sandboxes(
        self, *, sandbox_id: str = "", ready: bool | None = None, labels: Mapping[str, str] | None = None
    ) -> list[Sandbox]:
        """Those that fit all that is asked for, the newest first."""
        wanted: Iterable[Callable[[Sandbox], bool]] = (
            lambda each: not sandbox_id or each.id == sandbox_id,
            lambda each: ready is None or each.ready == ready,
            lambda each: all(each.labels.get(key) == value for key, value in (labels or {}).items()),
        )
        found = [each for each in self._sandboxes.all() if all(fits(each) for fits in wanted)]
        return sorted(found, key=lambda each: (-each.created, each.id))

    # -- inside --

    def _check(self, container_id: str, wanted: Wanted) -> None:
        if not container_id:
            raise CallError(Code.INVALID_ARGUMENT, "missing required container_id")
        if wanted.tty and wanted.stderr:
            raise CallError(Code.INVALID_ARGUMENT, "tty and stderr cannot both be true")
        if not (wanted.stdin or wanted.stdout or wanted.stderr):
            raise CallError(Code.INVALID_ARGUMENT, "one of stdin, stdout, or stderr must be set")
        if not self._containers.known(container_id):
            raise CallError(Code.NOT_FOUND, f'failed to find container "{container_id}": not found')
