"""Credentials from a program (client.authentication.k8s.io/v1 and v1beta1), as client-go runs it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from signal import SIGKILL
from time import time
from typing import IO, Any

from fairlead.errors import CredentialsError, MachineError
from fairlead.kit import process
from fairlead.kit.lines import Lines
from fairlead.kit.log import get
from fairlead.kube.auth import Identity
from fairlead.kube.config import ClusterConfig
from fairlead.kube.fetching import Fetching
from fairlead.kube.tls import ClientCertificate, read_file
from fairlead.policy.exec_credential import Fetched, exec_info, parse_credential
from fairlead.policy.kubeconfig import ExecPlugin

LOG = get(__name__)
MAX_OUTPUT = 1024 * 1024
"""Bytes of a plugin's output; a token and a certificate chain are some kilobytes."""
LAST_WORDS = 0.1
"""Seconds after a plugin's end in which what it said last is still read."""


class PluginCredentials(Fetching):
    """Runs the plugin; one run at a time, whoever asks, as it may be waiting for the user.

    ``stdin_free`` is asked at each run.
    """

    def __init__(
        self,
        config: ClusterConfig,
        plugin: ExecPlugin,
        *,
        now: Callable[[], float] = time,
        stdin_free: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(now)
        self._config = config
        self._plugin = plugin
        self._stdin_free = stdin_free

    @property
    def remedy(self) -> str:
        """Which program to look at."""
        return f"its credentials come from {self._plugin.command}: log in with it again"

    async def _fetch(self, *, refused: bool) -> tuple[Identity, float | None]:
        plugin = self._plugin
        interactive = self._interactive()
        program = self._find()
        env = {**self._config.env, **dict(plugin.env)}
        env["KUBERNETES_EXEC_INFO"] = json.dumps(self._info(interactive), separators=(",", ":"))
        LOG.decision("running the credential plugin %s", program)
        code, output = await run_plugin([program, *plugin.args], env, interactive=interactive)
        if code != 0:
            # Its own words were shown as it said them.
            how = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
            raise CredentialsError(
                f"the credential plugin {plugin.command} {how}", remedy="run it by hand, or log in with it again"
            )
        found = parse_credential(output, plugin)
        return _identity(found), found.expires

    def _interactive(self) -> bool:
        mode = self._plugin.interactive_mode
        terminal = _terminal()
        free = self._stdin_free()
        if mode == "Always" and not (terminal and free):
            why = "standard input is in use" if terminal else "standard input is not a terminal"
            raise CredentialsError(
                f"the credential plugin {self._plugin.command} wants to ask questions, and {why}",
                remedy="log in with it first, in a terminal",
            )
        return mode != "Never" and terminal and free

    def _find(self) -> str:
        from shutil import which

        command = self._plugin.command
        # Our own PATH counts, not one from the plugin's env, as with Go's LookPath.
        found = which(command, path=self._config.env.get("PATH", os.defpath))
        if found is None:
            hint = " ".join(self._plugin.install_hint.split())
            raise CredentialsError(
                f"the credential plugin {command} is not installed", remedy=hint or "install it, or put it on PATH"
            )
        return found

    def _info(self, interactive: bool) -> dict[str, Any]:
        plugin, config = self._plugin, self._config
        if not plugin.provide_cluster_info:
            return exec_info(plugin, interactive=interactive)
        cluster = config.cluster
        authority = cluster.ca_data
        if not authority and cluster.ca_file:
            authority = read_file(cluster.ca_file, "certificate authority")
        return exec_info(plugin, interactive=interactive, cluster=cluster, authority=authority)


async def run_plugin(command: list[str], env: dict[str, str], *, interactive: bool) -> tuple[int, bytes]:
    """Exit code and output. An interactive one has the terminal to itself.

    Cancelled, it kills the program and waits for it.
    """
    output, words = _Output(), _Words()
    async with output.open() as stdout, words.open() as stderr:
        try:
            child = await process.start(
                command,
                env=env,
                stdin=None if interactive else DEVNULL,
                stdout=stdout,
                stderr=None if interactive else stderr,
            )
        except MachineError as error:
            raise CredentialsError(f"the credential plugin cannot be used: {error.what}") from error
        stdout.close()
        stderr.close()
        output.when_full = partial(child.pass_on, SIGKILL)
        try:
            code = await child.process.wait()
        except BaseException:
            child.pass_on(SIGKILL)
            await child.wait()
            raise
        await output.finish()
        await words.finish()
    if len(output.data) > MAX_OUTPUT:
        raise CredentialsError(f"the credential plugin printed more than {MAX_OUTPUT} bytes")
    return code, bytes(output.data)


class _Pipe(asyncio.Protocol):
    """A pipe that the plugin writes to. It is not asyncio's, which tells a program's end only with that of its pipes.

    A login helper that a plugin leaves behind may hold them for days; with uvloop it does so whatever the plugin
    redirects, as children get copies.
    """

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        """Every holder of the other end has closed it."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[IO[bytes]]:
        """The end for the plugin; the caller closes it once the plugin has it."""
        read, write = os.pipe()
        with os.fdopen(write, "wb", buffering=0) as given:
            source = os.fdopen(read, "rb", buffering=0)
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: self, source)
            try:
                yield given
            finally:
                transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is no more."""
        self.ended.set()

    async def finish(self) -> None:
        """The plugin has ended: read what it said last, and do not wait for what still holds the pipe."""
        try:
            async with asyncio.timeout(LAST_WORDS):
                await self.ended.wait()
        except TimeoutError:
            LOG.decision("something that the credential plugin started still holds its output")
            # A loop that was late may look at its timers before it looks at its pipes.
            for _ in range(2):
                await asyncio.sleep(0)


class _Output(_Pipe):
    """Keeps what a plugin prints, up to one read more than it may."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()
        self.when_full: Callable[[], object] = lambda: None

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        if len(self.data) <= MAX_OUTPUT:
            self.data += data
        else:
            self.when_full()


class _Words(_Pipe):
    """Shows what a plugin says as it says it: "open this page to log in"."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = Lines(sys.stderr.fileno()) if sys.stderr is not None and not sys.stderr.closed else None
        self._last = b""

    def data_received(self, data: bytes) -> None:
        """Show it."""
        if self._shown is not None:
            self._shown.put(data)
        self._last = data[-1:]

    def connection_lost(self, exc: Exception | None) -> None:
        """There is no more to show; what we say next has a line of its own."""
        super().connection_lost(exc)
        if self._shown is not None:
            if self._last not in (b"", b"\n"):
                self._shown.put(b"\n")
            self._shown.close()


def _terminal() -> bool:
    """Whether there is somebody to ask; a standard input that is closed has no ``isatty``."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def _identity(fetched: Fetched) -> Identity:
    certificate = ClientCertificate(fetched.certificate.encode(), fetched.key.encode()) if fetched.key else None
    return Identity(f"Bearer {fetched.token}" if fetched.token else "", certificate)
