"""Ways to an API server, and one clear sentence for each that is blocked."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from contextlib import AsyncExitStack
from typing import Any

import pytest

from fairlead.errors import CredentialsError, MachineError, UnreachableError
from fairlead.kube import connect as connect_module
from fairlead.kube.client import ApiServer
from fairlead.kube.connect import Connector
from fairlead.kube.tls import ClientCertificate, TlsSettings
from fairlead.policy.kubeconfig import User
from fairlead.policy.url import Url, parse_url
from tests.support.apiserver import Answer, Exchange, ScriptedServer
from tests.support.clusters import Collector, config_for
from tests.support.loop import run
from tests.support.proxies import Hop, RecordingProxy
from tests.support.tlsfiles import certificates

SCHEMES = ("http", "https", "socks5")
SWITCH = b"HTTP/1.1 101 Switch\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"


def url(text: str) -> Url:
    return parse_url(text, what="the address", schemes=SCHEMES)


async def yes(exchange: Exchange) -> Answer:
    return Answer(body={"kind": "Pod"})


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def proxy_for(kind: str, port: int, login: str = "", plain: int = 0) -> RecordingProxy:
    context = certificates().server_context(ask_client=False) if kind == "https" else None
    return RecordingProxy(kind, port, context=context, login=login, plain=plain)


@pytest.mark.parametrize("kind", SCHEMES)
@pytest.mark.parametrize("login", ["", "ada:pw@"])
def test_requests_and_upgrades_through_proxies(kind: str, login: str) -> None:
    async def handler(exchange: Exchange) -> Answer | None:
        if exchange.seen.get("upgrade"):
            exchange.writer.write(SWITCH + b"hello")
            exchange.writer.write(await exchange.reader.readexactly(4))
            exchange.writer.close()
            return None
        return Answer(body={"kind": "Pod"})

    async def main() -> None:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(ScriptedServer(handler))
            proxy = proxy_for(kind, server.port, login="ada:pw" if kind == "socks5" and login else "")
            await stack.enter_async_context(proxy)
            address = f"https://api.example.test:{server.port}"
            config = config_for(server, url=address, proxy=url(f"{kind}://{login}127.0.0.1:{proxy.port}"))
            api = await stack.enter_async_context(ApiServer(config))
            assert await api.get("/api") == {"kind": "Pod"}
            made = Collector()
            headers = [("Connection", "Upgrade"), ("Upgrade", "x")]
            transport = await api.upgrade("POST", "/x", headers, lambda _: made)
            transport.write(b"ping")
            assert await made.lost is None
            assert made.got == b"helloping"
            assert server.seen[0].sni == "api.example.test"
            told = {"socks5": "ada:pw"}.get(kind, "Basic YWRhOnB3") if login else None
            assert proxy.hops == [Hop(kind, f"api.example.test:{server.port}", told)] * 2
            assert server.connections == 2

    run(main())


@pytest.mark.parametrize("kind", ["http", "https"])
def test_plain_server_behind_a_proxy(kind: str) -> None:
    """Requests go to the proxy with the whole address, upgrades through a tunnel, as kubectl does it."""

    async def handler(exchange: Exchange) -> Answer | None:
        if exchange.seen.get("upgrade"):
            exchange.writer.write(SWITCH)
            await exchange.reader.readexactly(1)
            exchange.writer.close()
            return None
        return Answer()

    async def main() -> None:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(ScriptedServer(handler, tls=False))
            proxy = await stack.enter_async_context(proxy_for(kind, server.port, plain=server.port))
            config = config_for(
                server, url="http://api.test:8080", proxy=url(f"{kind}://ada:pw@127.0.0.1:{proxy.port}")
            )
            api = await stack.enter_async_context(ApiServer(config))
            await api.get("/api/v1")
            await api.get("/api/v1")
            made = Collector()
            transport = await api.upgrade("POST", "/x", [("Connection", "Upgrade"), ("Upgrade", "x")], lambda _: made)
            transport.write(b"x")
            await made.lost
            assert proxy.hops == [
                Hop(f"{kind} without CONNECT", "http://api.test:8080", "Basic YWRhOnB3"),
                Hop(kind, "api.test:8080", "Basic YWRhOnB3"),
            ]
            assert [seen.target for seen in server.seen] == ["http://api.test:8080/api/v1"] * 2 + ["/x"]

    run(main())


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "USER:PASSWORD@"),
        (b"HTTP/1.1 403 Forbidden by policy\r\n\r\n", "it refused: 403 Forbidden by policy"),
        (b"", "it closed the connection"),
    ],
)
@pytest.mark.parametrize("kind", ["http", "https"])
def test_a_proxy_that_refuses_is_named_with_its_reason(kind: str, answer: bytes, what: str) -> None:
    async def main() -> None:
        async with proxy_for(kind, 1) as proxy:
            proxy.answer = answer
            tls = TlsSettings(ca_data=certificates().ca)
            connector = Connector(url("https://api.test"), tls, url(f"{kind}://127.0.0.1:{proxy.port}"))
            with pytest.raises(UnreachableError, match=what) as caught:
                await connector.open(asyncio.Protocol)
            assert f"the proxy {kind}://127.0.0.1:{proxy.port}" in str(caught.value)

    run(main())


def test_a_server_that_refuses_or_has_no_address_cannot_be_reached() -> None:
    async def main() -> None:
        port = free_port()
        connector = Connector(url(f"https://127.0.0.1:{port}"), TlsSettings())
        for attempt in (connector.open(asyncio.Protocol), connector.probe()):
            with pytest.raises(
                UnreachableError, match=f"https://127.0.0.1:{port} cannot be reached: connection refused"
            ):
                await attempt
        with pytest.raises(UnreachableError, match="its name cannot be resolved"):
            await Connector(url("https://no-such-host.invalid"), TlsSettings()).open(asyncio.Protocol)

    run(main())


def test_the_remedy_asks_about_what_was_configured() -> None:
    async def main() -> None:
        port = free_port()
        config = config_for(ScriptedServer(yes), url=f"https://127.0.0.1:{port}")
        for given, hint in (
            (config, 'is "test" the right context?'),
            (config._replace(context=""), "is this the right address?"),
            (config._replace(no_server="set KUBECONFIG"), "set KUBECONFIG"),
            (config._replace(proxy=url(f"http://127.0.0.1:{port}")), "check the proxy"),
        ):
            with pytest.raises(UnreachableError) as caught:
                await Connector.of(given).probe()
            assert hint in caught.value.remedy

    run(main())


def test_a_server_that_says_nothing_is_probed_but_not_joined() -> None:
    """It accepts and says nothing: a probe is content, a TLS handshake is not."""

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            connector = Connector(url(f"https://127.0.0.1:{server.getsockname()[1]}"), TlsSettings())
            await connector.probe()
            with pytest.raises(UnreachableError, match=r"no answer within 0\.05 s"):
                await connector.open(asyncio.Protocol, timeout=0.05)

    run(main())


@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
def test_a_probe_goes_through_the_proxy(kind: str) -> None:
    async def main() -> None:
        async with ScriptedServer(yes) as server, proxy_for(kind, server.port) as proxy:
            config = config_for(server, proxy=url(f"{kind}://127.0.0.1:{proxy.port}"))
            await Connector.of(config).probe(5)
            assert [hop.kind for hop in proxy.hops] == [kind]

    run(main())


def test_a_probe_through_a_proxy_that_finds_no_server() -> None:
    async def main() -> None:
        async with RecordingProxy("http", 1) as proxy:
            proxy.answer = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
            connector = Connector(url("http://a.test:6443"), TlsSettings(), url(f"http://127.0.0.1:{proxy.port}"))
            with pytest.raises(UnreachableError, match=r"a\.test:6443 through the proxy .*503"):
                await connector.probe(5)
            assert [hop.target for hop in proxy.hops] == ["a.test:6443"], "a plain server, too, is asked for itself"

    run(main())


def test_a_probe_ends_in_time() -> None:
    """Nothing answers at all: the listener's queue is full."""

    async def main() -> None:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(0)
            address = server.getsockname()
            with socket.create_connection(address), socket.socket() as second:
                second.setblocking(False)
                second.connect_ex(address)
                connector = Connector(url(f"https://127.0.0.1:{address[1]}"), TlsSettings())
                with pytest.raises(UnreachableError, match=r"no answer within 0\.05 s"):
                    await connector.probe(0.05)

    run(main())


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (TlsSettings(), "not signed by an authority that we trust .*the kubeconfig has"),
        (TlsSettings("other.test", ca_data=certificates().ca), "is for another name: .*other.test.* tls-server-name"),
    ],
)
def test_why_a_server_is_not_trusted(settings: TlsSettings, what: str) -> None:
    async def main() -> None:
        async with ScriptedServer(yes) as server:
            with pytest.raises(UnreachableError, match=what) as caught:
                await Connector(url(server.url), settings).open(asyncio.Protocol)
            assert server.url in str(caught.value)

    run(main())


def test_tls_to_a_server_without() -> None:
    async def main() -> None:
        writers: list[asyncio.StreamWriter] = []

        def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent something else to an HTTP server.")

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            address = url(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            with pytest.raises(UnreachableError, match=r"does not speak TLS|speaks before it is asked"):
                await Connector(address, TlsSettings()).open(asyncio.Protocol)
            writers[0].close()
            await writers[0].wait_closed()

    run(main())


def test_client_certificate_that_the_server_refuses() -> None:
    """With TLS 1.3 the refusal comes after our side of the handshake is done. (asyncio's servers send no alert.)"""
    context = certificates().server_context()
    context.verify_mode = ssl.CERT_REQUIRED

    def serve(listener: socket.socket) -> None:
        raw, _ = listener.accept()
        with context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False) as link:
            with pytest.raises(ssl.SSLError):
                link.do_handshake()
            while os.read(link.fileno(), 4096):
                pass  # closing with unread bytes would be a reset, which may overtake the alert

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            config = config_for(ScriptedServer(yes), url=f"https://127.0.0.1:{listener.getsockname()[1]}")
            async with ApiServer(config) as api, asyncio.TaskGroup() as group:
                group.create_task(asyncio.to_thread(serve, listener), name="server")
                with pytest.raises(CredentialsError, match="our client certificate: alert certificate required"):
                    await api.get("/api")

    run(main())


def test_a_client_certificate_is_shown_to_the_server() -> None:
    pair = certificates().client

    async def main() -> None:
        user = User(client_certificate_data=pair.chain, client_key_data=pair.key)
        async with ScriptedServer(yes) as server, ApiServer(config_for(server, user)) as api:
            await api.get("/api")
            assert server.seen[0].client == "ada"

    run(main())


def test_the_context_of_a_certificate_is_made_once() -> None:
    pair = certificates().client
    one = ClientCertificate(pair.chain, pair.key)
    connector = Connector(url("https://a"), TlsSettings(ca_data=certificates().ca))
    assert connector._context(one) is connector._context(ClientCertificate(pair.chain, pair.key))
    assert connector._context(None) is not connector._context(one)


@pytest.mark.parametrize(("number", "words"), [(errno.EMFILE, "files open"), (errno.ENFILE, "no file descriptors")])
def test_no_descriptor_is_a_matter_of_this_machine(number: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And never a server that cannot be reached."""

    async def fail(*_: Any) -> socket.socket:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(connect_module, "connect_tcp", fail)

    async def main() -> None:
        connector = Connector(url("http://a"), TlsSettings())
        with pytest.raises(MachineError, match=words):
            await connector.open(asyncio.Protocol)
        with pytest.raises(MachineError, match=words):
            await connector.probe()

    run(main())


def test_cancelled_while_connecting_leaves_nothing() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            connector = Connector(url(f"https://127.0.0.1:{server.getsockname()[1]}"), TlsSettings())
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await connector.open(asyncio.Protocol)

    run(main())


@pytest.mark.parametrize("turns", range(12))
def test_cancelled_at_any_turn_leaves_nothing(turns: int) -> None:
    """Each turn of the loop is another place: TCP, the proxy's answer, the handshakes, the last step."""

    async def main() -> None:
        async with ScriptedServer(yes) as server, proxy_for("https", server.port) as proxy:
            tls = TlsSettings(ca_data=certificates().ca)
            connector = Connector(url(server.url), tls, url(f"https://127.0.0.1:{proxy.port}") if turns % 2 else None)
            transports: list[asyncio.Transport] = []

            async def connect() -> None:
                transports.append(await connector.open(asyncio.Protocol))

            async with asyncio.TaskGroup() as group:
                task = group.create_task(connect(), name="connect")
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
            for transport in transports:
                transport.abort()

    run(main())
