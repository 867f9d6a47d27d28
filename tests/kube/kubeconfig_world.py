"""What a kubeconfig test runs against: API servers, proxies, certificates, and what they saw.

``World`` is built anew for each case. ``Record`` is what is compared between kubectl and fairlead: everything that says
who asked, as whom, for what, and on which way. Ports and folders differ from run to run and are replaced by names.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairlead.errors import FairleadError
from fairlead.kube.client import ApiServer
from fairlead.kube.config import load
from fairlead.settings import ClusterOptions
from tests.kube.kubeconfig_ca import Authorities, authorities
from tests.support.apiserver import Answer, Exchange, ScriptedServer
from tests.support.oidc import Provider
from tests.support.proxies import RecordingProxy
from tests.support.tlsfiles import certificates

Record = dict[str, Any]


@dataclass
class World:
    """Where everything is in this run."""

    folder: Path
    api: ScriptedServer
    plain: ScriptedServer
    odd: dict[str, ScriptedServer]
    proxies: dict[str, RecordingProxy]
    provider: Provider
    authorities: Authorities

    def names(self) -> dict[str, str]:
        """What to replace in records."""
        ports = {"API": self.api.port, "PLAIN": self.plain.port, "ISSUER": self.provider.port}
        ports |= {f"PROXY-{name}": proxy.port for name, proxy in self.proxies.items()}
        ports |= {f"ODD-{name}": server.port for name, server in self.odd.items()}
        return {f":{port}": f":{name}" for name, port in ports.items()} | {str(self.folder): "FOLDER"}


@dataclass
class Setup:
    """One case made concrete: files by name, environment, and kubectl's options as ClusterOptions has them."""

    files: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Start the servers a case may need. All proxies lead to the one API server."""
    made = certificates()
    odd_ones = authorities()
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(ScriptedServer(answer))
        odd = {
            name: await stack.enter_async_context(ScriptedServer(answer, context=pair.server_context()))
            for name, pair in odd_ones.items()
        }
        plain = await stack.enter_async_context(ScriptedServer(answer, tls=False))
        proxies = {
            "http": RecordingProxy("http", api.port, plain=plain.port),
            "https": RecordingProxy("https", api.port, context=made.server_context(ask_client=False)),
            "socks5": RecordingProxy("socks5", api.port),
            "socks5-login": RecordingProxy("socks5", api.port, login="ada:s3cret/word"),
        }
        for proxy in proxies.values():
            await stack.enter_async_context(proxy)
        yield World(
            folder=folder,
            api=api,
            plain=plain,
            odd=odd,
            proxies=proxies,
            provider=await stack.enter_async_context(Provider()),
            authorities=odd_ones,
        )


async def answer(exchange: Exchange) -> Answer:
    """Enough of an API server for ``kubectl get pod x``: discovery of pods, and one pod."""
    path = exchange.seen.target.partition("?")[0]
    if path.endswith("/api"):
        return Answer(body={"kind": "APIVersions", "versions": ["v1"]})
    if path.endswith("/apis"):
        return Answer(body={"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
    if path.endswith("/api/v1"):
        pods = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get"]}
        return Answer(
            body={"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": [pods]},
        )
    return Answer(body={"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x", "namespace": "n"}})


def write(setup: Setup, folder: Path) -> None:
    """Put the files of a case into ``folder``; what is no bytes is written as JSON, which is YAML too."""
    for name, content in setup.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else json.dumps(content, indent=1).encode()
        path.write_bytes(data)
        if data.startswith(b"#!"):
            path.chmod(0o755)


def environment(setup: Setup, folder: Path) -> dict[str, str]:
    """The whole environment of a run."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    if "config" in setup.files:
        env["KUBECONFIG"] = str(folder / "config")
    return env | setup.env


async def run_fairlead(setup: Setup, world: World) -> Record:
    """What fairlead sends for one GET of a pod."""
    options = ClusterOptions(**setup.options)
    error = ""
    try:
        config = load(options, environment(setup, world.folder))
        async with ApiServer(config) as api:
            await api.get(f"/api/v1/namespaces/{config.namespace}/pods/x")
    except FairleadError as failure:
        error = str(failure)
    return record(world, error)


async def run_kubectl(kubectl: str, setup: Setup, world: World) -> Record:
    """What kubectl sends for one GET of a pod."""
    command = [kubectl, "get", "pod", "x", "--output=name", f"--cache-dir={world.folder}/cache", *flags(setup.options)]
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment(setup, world.folder),
        cwd=world.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return record(world, output.decode() if process.returncode else "")


def flags(options: Mapping[str, Any]) -> list[str]:
    """ClusterOptions as kubectl's command line."""
    names = {"as_user": "as", "as_groups": "as-group", "as_user_extra": "as-user-extra"}
    found = []
    for name, value in options.items():
        flag = names.get(name, name.replace("_", "-"))
        if isinstance(value, float):
            value = f"{value:g}s"
        values = value if isinstance(value, tuple) else (str(value).lower() if isinstance(value, bool) else value,)
        found += [f"--{flag}={word}" for word in values]
    return found


def record(world: World, error: str) -> Record:
    """The last request of a run in comparable form. A run that failed without a request is only ``refused``."""
    servers = {"api": world.api, "plain": world.plain, **{f"odd-{name}": odd for name, odd in world.odd.items()}}
    pods = [(name, seen) for name, server in servers.items() for seen in server.seen if "/pods/" in seen.target]
    if not pods:
        assert error, "neither a request nor an error"
        return {"refused": True}
    assert not error, error
    server, seen = pods[-1]
    identity = sorted(
        (name.lower(), value)
        for name, value in seen.headers
        if name.lower() == "authorization" or name.lower().startswith("impersonate-")
    )
    hops = sorted(
        {(hop.kind, hop.target, hop.login) for proxy in world.proxies.values() for hop in proxy.hops}, key=str
    )
    found = {
        "server": server,
        "path": seen.target.partition("?")[0],
        "host": seen.get("host"),
        "sni": seen.sni,
        "client": seen.client,
        "identity": [[name, _readable(value)] for name, value in identity],
        "proxies": [list(hop) for hop in hops],
        "forms": world.provider.forms[-1:],
    }
    text = json.dumps(found, sort_keys=True)
    for value, name in sorted(world.names().items(), key=lambda pair: -len(pair[0])):
        text = text.replace(value, name)
    loaded: Record = json.loads(text)
    return loaded


def _readable(value: str) -> Any:
    """Credential plugins of the cases hand back what they were told, as a token; shown as the object it is."""
    mark = "Bearer told."
    if not value.startswith(mark):
        return value
    told = json.loads(base64.b64decode(value.removeprefix(mark)))
    authority = told["spec"].get("cluster", {}).pop("certificate-authority-data", None)
    if authority is not None:
        told["spec"]["cluster"]["authority"] = base64.b64decode(authority) == certificates().ca
    return told
