"""The API server: requests, streams of lines, upgrades. Refused credentials and asked-for pauses are handled here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from fairlead import __version__
from fairlead.errors import CredentialsError, NoAnswerError, UnreachableError
from fairlead.kit.clock import Clock, SystemClock
from fairlead.kit.log import get, safe_headers
from fairlead.kube.auth import Credentials, Identity, credentials
from fairlead.kube.config import ClusterConfig
from fairlead.kube.connect import CONNECT_TIMEOUT, Connector
from fairlead.kube.http import Head, HttpConnection, NotSentError, Request
from fairlead.kube.lines import MAX_LINE, Lines
from fairlead.kube.pool import Pool
from fairlead.kube.status import Attempt, api_error, parse_object, plain, retry_after
from fairlead.kube.upgrade import UpgradeResponse, hand_over, upgrade_error
from fairlead.policy.url import basic, encode_query

LOG = get(__name__)
MAX_BODY = 1024 * 1024 * 1024
"""Bytes of one answer; the largest lists of the largest clusters are some hundred MB."""
MAX_ERROR = 64 * 1024
"""Bytes of an error's body that are read."""
MAX_PAUSE = 30.0
"""Seconds that a request waits in all because the server said Retry-After; then its error is the caller's."""
_RETRIED = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that may be sent again when a kept connection turns out to be dead; others get a new connection."""
_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}

Query = Sequence[tuple[str, str]]
T = TypeVar("T")


class _Call(NamedTuple):
    """One thing to ask; ``upgrade`` wants a 101 on a new connection, others any 2xx."""

    method: str
    path: str
    query: Query = ()
    headers: Query = ()
    body: bytes = b""
    timeout: float | None = None
    upgrade: bool = False
    probe: bool = False
    """Ask the server itself, not a proxy that would answer for it, on a new connection that may take ``timeout``."""

    @property
    def attempt(self) -> Attempt:
        return Attempt.of(self.method, self.path, tuple(self.query))


class _Refusal(NamedTuple):
    head: Head
    body: bytes


class ApiServer:
    """One API server, for one user. Leaving the block closes every connection but the upgraded ones.

    ``stdin_free`` is asked whether a credential plugin may have standard input, and so the terminal, now.
    """

    def __init__(
        self,
        config: ClusterConfig,
        *,
        clock: Clock | None = None,
        identity: Credentials | None = None,
        connector: Connector | None = None,
        stdin_free: Callable[[], bool] = lambda: True,
    ) -> None:
        self.config = config
        self.connector = connector or Connector.of(config)
        self._clock = clock or SystemClock()
        self._credentials = identity or credentials(config, stdin_free=stdin_free)
        self._pool = Pool(self.connector)
        self._last_identity = Identity()
        self.on_unreachable: Callable[[str, float | None], None] = lambda reason, since: None
        """Told, in words, when the server could not be asked or gave no answer; and since when, where that is known."""
        system = os.uname()
        self._agent = f"fairlead/{__version__} ({system.sysname.lower()}/{_ARCH.get(system.machine, system.machine)})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.close()

    def forget_connections(self) -> None:
        """Ask what comes next on new connections: the network was away, and may not know the kept ones any more."""
        self._pool.drop_idle()

    async def get(self, path: str, query: Query = ()) -> dict[str, Any]:
        """The object or list at ``path``."""
        return await self.request("GET", path, query=query)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """Send one request and return the object in its answer.

        Connecting and answering may take the time of the options; whatever that is, an answer that stops coming for
        30 s is an error. Raises UnreachableError, CredentialsError, ConfigError and ApiError with its kinds.
        """
        headers = [] if body is None else [("Content-Type", content_type), ("Content-Length", str(len(body)))]

        async def read(connection: HttpConnection, _: Head) -> bytes:
            answer = await connection.read(MAX_BODY)
            self._pool.give_back(connection)
            return answer

        call = _Call(method, path, query, headers, body or b"", self.config.request_timeout)
        return parse_object(await self._perform(call, read), self.connector.where)

    async def answers(self, timeout: float) -> None:
        """Ask something cheap on a new connection: any answer will do, be it a refusal.

        Raises UnreachableError if there is none within ``timeout`` seconds. No credentials are fetched for it.
        """

        async def drop(connection: HttpConnection, _: Head) -> None:
            connection.abort()

        call = _Call("GET", "/version", timeout=timeout, probe=True)
        try:
            await self._attempt(call, self._last_identity, drop)
        except CredentialsError as error:
            LOG.decision("an answer, if not a kind one: %s", error)

    @asynccontextmanager
    async def lines(
        self, path: str, query: Query = (), *, limit: int = MAX_LINE
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines of a stream, as a watch sends them; a line of more than ``limit`` bytes is a ProtocolError.

        The head has to come within 30 s; how long the stream may be silent is the caller's to say.
        """

        async def keep(connection: HttpConnection, _: Head) -> HttpConnection:
            return connection

        connection = await self._perform(_Call("GET", path, query), keep)
        connection.silence = None
        try:
            yield Lines(connection.part, limit)
        finally:
            self._pool.give_back(connection)

    async def upgrade(
        self,
        method: str,
        path: str,
        headers: Query,
        make: Callable[[UpgradeResponse], asyncio.BufferedProtocol],
        *,
        query: Query = (),
        timeout: float = 10,
    ) -> asyncio.Transport:
        """Turn a new connection into another protocol's.

        ``headers`` bring Connection, Upgrade and what the protocol needs. On 101 ``make`` is called with the response;
        it may raise to refuse. Its protocol gets connection_made and then any bytes that came with the 101. Another
        status raises its ApiError, with the server's words. ``timeout``: seconds for connecting and answering.
        """

        async def switch(connection: HttpConnection, head: Head) -> asyncio.Transport:
            return hand_over(connection, head, make)

        length = () if method == "GET" else (("Content-Length", "0"),)
        call = _Call(method, path, query, (*length, *headers), timeout=timeout, upgrade=True)
        return await self._perform(call, switch)

    async def _perform(self, call: _Call, use: Callable[[HttpConnection, Head], Awaitable[T]]) -> T:
        """Ask, once more after new credentials or an asked-for pause, and give a good answer to ``use``."""
        refreshed, paused = False, 0.0
        while True:
            identity = self._last_identity = await self._credentials.identity()
            began = asyncio.get_running_loop().time()
            try:
                answer = await self._attempt(call, identity, use)
            except UnreachableError as silence:
                # Of one without a limit some may have come before it fell silent.
                self.on_unreachable(silence.what, began if call.timeout else None)
                raise
            if not isinstance(answer, _Refusal):
                return answer
            if answer.head.status == 401:
                if refreshed or not await self._credentials.refresh(identity):
                    raise self._unauthorized(answer)
                refreshed = True
                continue
            wait = retry_after(answer.head.get("retry-after"))
            make = upgrade_error if call.upgrade else api_error
            attempt = call.attempt._replace(options=self.config.kubectl_options)
            error = make(attempt, answer.head.status, answer.body, retry_after=wait)
            busy = answer.head.status == 429 or answer.head.status >= 500
            # a server that says 0 must not be asked in a busy loop
            pause = max(wait or 0.0, 1.0)
            if wait is None or not busy or paused + pause > MAX_PAUSE:
                raise error
            LOG.decision("%s %s: %d, trying again in %g s", call.method, call.path, answer.head.status, pause)
            await self._clock.sleep(pause)
            paused += pause

    async def _attempt(
        self, call: _Call, identity: Identity, use: Callable[[HttpConnection, Head], Awaitable[T]]
    ) -> T | _Refusal:
        try:
            async with asyncio.timeout(call.timeout):
                connection, head = await self._send(call, identity)
                try:
                    if head.status == 101 if call.upgrade else 200 <= head.status < 300:
                        return await use(connection, head)
                    body = await connection.read(MAX_ERROR)
                except BaseException:
                    connection.abort()
                    raise
        except TimeoutError as error:
            where = self.connector.where
            raise UnreachableError(f"{where} did not answer within {call.timeout:g} s") from error
        self._pool.give_back(connection)
        return _Refusal(head, body)

    async def _send(self, call: _Call, identity: Identity) -> tuple[HttpConnection, Head]:
        request = self._request(call, identity)
        fresh = call.probe or call.method not in _RETRIED
        tunnel = call.probe or call.upgrade
        opening = call.timeout if call.probe and call.timeout else CONNECT_TIMEOUT
        while True:
            connection = await self._pool.take(identity, fresh=fresh, tunnel=tunnel, timeout=opening)
            kept = connection.requests > 0
            try:
                head = await connection.send(request)
            except NotSentError:
                connection.abort()
                if not kept:
                    raise NoAnswerError(f"{self.connector.where} closed the connection without an answer") from None
                fresh = True
                continue
            except BaseException:
                connection.abort()
                raise
            LOG.request("%s %s: %d", call.method, request.target, head.status)
            return connection, head

    def _request(self, call: _Call, identity: Identity) -> Request:
        server = self.config.server
        target = server.path + call.path + (f"?{encode_query(call.query)}" if call.query else "")
        headers = [("Host", server.authority), ("User-Agent", self._agent)]
        if not call.upgrade:
            # The streaming server of a container runtime answers 406 to a type that it does not know.
            headers.append(("Accept", "application/json"))
            if self.connector.forwarded and not call.probe:
                target = f"{server.scheme}://{server.authority}{target}"
                headers += self.connector.proxy_login
        if identity.authorization:
            headers.append(("Authorization", identity.authorization))
        elif server.username:
            headers.append(("Authorization", basic(server.username, server.password)))
        headers += self.config.user.impersonation
        headers += call.headers
        LOG.header("%s %s: %s", call.method, target, safe_headers(headers))
        return Request(call.method, target, headers, call.body)

    def _unauthorized(self, answer: _Refusal) -> CredentialsError:
        said = plain(answer.body) if b'"Status"' not in answer.body else ""
        where = self.connector.where
        what = f"{where} does not accept our credentials" + (f": {said}" if said else "")
        return CredentialsError(what, remedy=self._credentials.remedy)
