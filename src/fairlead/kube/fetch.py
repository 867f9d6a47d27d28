"""One request to a server that is not the API server: an OpenID Connect provider, say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from fairlead import __version__
from fairlead.errors import UnreachableError
from fairlead.kube.connect import Connector
from fairlead.kube.http import HttpConnection, NotSentError, Request
from fairlead.kube.tls import TlsSettings
from fairlead.policy.no_proxy import proxy_from_environment
from fairlead.policy.url import parse_url

MAX_ANSWER = 1024 * 1024
"""Bytes of an answer; tokens and metadata are some kilobytes."""
TIMEOUT = 20.0
"""Seconds for one request; a login service may be slower than an API server."""


async def fetch(
    url: str,
    *,
    what: str,
    tls: TlsSettings,
    env: Mapping[str, str],
    headers: Sequence[tuple[str, str]] = (),
    form: bytes | None = None,
) -> tuple[int, bytes]:
    """GET ``url``, or POST ``form`` to it: status and body. Raises UnreachableError that calls the server ``what``."""
    target = parse_url(url, what=what, schemes=("https", "http"))
    connector = Connector(target, tls, proxy_from_environment(target, env), name=what)
    connection = HttpConnection(connector.where)
    common = [("Host", target.authority), ("User-Agent", f"fairlead/{__version__}"), *headers]
    path = (target.path or "/") + ("?" + url.partition("?")[2] if "?" in url else "")
    if form is None:
        request = Request("GET", path, common)
    else:
        request = Request("POST", path, [*common, ("Content-Length", str(len(form)))], form)
    try:
        async with asyncio.timeout(TIMEOUT):
            await connector.open(lambda: connection)
            try:
                head = await connection.send(request)
                return head.status, await connection.read(MAX_ANSWER)
            finally:
                connection.abort()
                await asyncio.shield(connection.lost)
    except TimeoutError as error:
        raise UnreachableError(f"{connector.where} did not answer within {TIMEOUT:g} s") from error
    except NotSentError as error:
        raise UnreachableError(f"{connector.where} closed the connection without an answer") from error
