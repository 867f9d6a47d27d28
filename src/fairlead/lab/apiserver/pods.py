"""What only the node can do for a pod: its logs, commands in it, and its ports. Requests go on to the node's API.

As the API server does it (KEP-4006): a client that wraps its streams in a WebSocket is unwrapped here, and the node
has them as SPDY; the older WebSocket protocols go through as they are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import quote, urlencode

from fairlead.lab.apiserver.routes import Asked, Target
from fairlead.lab.registry import kinds, status
from fairlead.lab.registry.rules import Registry
from fairlead.lab.registry.store import Object
from fairlead.lab.web.hop import Ask, Connect, upgrade
from fairlead.lab.web.messages import Answer, Headers, Request, Stream
from fairlead.net.buffer import ReadBuffer
from fairlead.protocol.websocket import accept_value

_VERSION = "x-stream-protocol-version"
_NODES = {"log": "containerLogs", "exec": "exec", "attach": "attach", "portforward": "portForward"}
"""The node's names for them."""
_KEPT = frozenset({"connection", "upgrade", "origin", _VERSION})
_TUNNEL, _TUNNEL_END = "SPDY/3.1+", ".k8s.io"


class Pods:
    """``node`` opens connections to the node's API; ``logs`` reads an answer of it that goes on."""

    def __init__(self, registry: Registry, node: Connect, logs: Callable[[str], AsyncIterator[bytes]]) -> None:
        self._registry = registry
        self._node = node
        self._logs = logs
        self._buffer = ReadBuffer()

    async def answer(self, asked: Asked, target: Target, request: Request) -> Answer:
        """Do what is asked. Raises ApiStatusError."""
        pod = self._registry.read(kinds.POD, target.namespace, target.name)
        if not pod["spec"].get("nodeName"):
            raise status.bad_request(f"pod {target.name} does not have a host assigned")
        if target.subresource == "log":
            return self._log(asked, pod)
        if request.method not in ("GET", "POST"):
            raise status.method_not_allowed(f"{request.method} of pods/{target.subresource}")
        if not request.upgrade:
            raise status.bad_request("Upgrade request required")
        url = _url(target.subresource, pod, _container(asked, pod, target.subresource), _query(asked, target))
        try:
            return await self._upgrade(url, request)
        except (TimeoutError, OSError) as error:
            raise status.internal(f"error dialing backend: {error}") from error

    def _log(self, asked: Asked, pod: Object) -> Answer:
        if asked.verb != "get":
            raise status.method_not_allowed(f"{asked.verb} of pods/log")
        container = _container(asked, pod, "log")
        query = [(key, value) for key, value in asked.query if key != "container"]
        return Stream(self._logs(_url("log", pod, container, query)), "text/plain")

    async def _upgrade(self, url: str, request: Request) -> Answer:
        offered = request.values("sec-websocket-protocol")
        tunnel = next((each for each in offered if each.startswith(_TUNNEL) and each.endswith(_TUNNEL_END)), "")
        if request.upgrade == "websocket" and tunnel:
            return await self._tunnel(url, request, tunnel)
        headers = [
            (name, value) for name, value in request.headers if name in _KEPT or name.startswith("sec-websocket")
        ]

        def switching(found: Mapping[str, str]) -> bytes:
            return _head([(name.title(), value) for name, value in found.items()])

        ask = Ask(request.method, url, (("host", "node"), *headers))
        return await upgrade(ask, self._node, self._buffer, switching=switching)

    async def _tunnel(self, url: str, request: Request, offered: str) -> Answer:
        key = request.line("sec-websocket-key")
        headers: Headers = (
            ("host", "node"),
            ("content-length", "0"),
            ("connection", "Upgrade"),
            ("upgrade", "SPDY/3.1"),
            (_VERSION, offered.removeprefix(_TUNNEL)),
        )

        def switching(found: Mapping[str, str]) -> bytes:
            chosen = f"{_TUNNEL}{found.get(_VERSION, '')}"
            return _head(
                [
                    ("Upgrade", "websocket"),
                    ("Connection", "Upgrade"),
                    ("Sec-WebSocket-Accept", accept_value(key)),
                    ("Sec-WebSocket-Protocol", chosen),
                ]
            )

        ask = Ask("POST", url, headers)
        return await upgrade(ask, self._node, self._buffer, switching=switching, websocket=True)


def _head(headers: list[tuple[str, str]]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode("latin-1")


def _url(part: str, pod: Object, container: str, query: list[tuple[str, str]]) -> str:
    meta = pod["metadata"]
    path = [_NODES[part], meta["namespace"], meta["name"]]
    if part in ("exec", "attach"):
        path.append(meta["uid"])
    if container:
        path.append(container)
    text = urlencode(query)
    return "/" + "/".join(quote(each, safe="") for each in path) + (f"?{text}" if text else "")


def _query(asked: Asked, target: Target) -> list[tuple[str, str]]:
    """As the node has it: other names, and 1 for true."""
    if target.subresource == "portforward":
        ports = [value for value in asked.all("ports") if value]
        return [("port", ",".join(ports))] if ports else []
    names = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
    found = [(names[key], "1") for key, value in asked.query if key in names and value not in ("", "false", "0")]
    return [*found, *(("command", value) for value in asked.all("command"))]


def _container(asked: Asked, pod: Object, part: str) -> str:
    """Which one is meant; "" for the pod as a whole. Raises ApiStatusError (400)."""
    if part == "portforward":
        return ""
    spec = pod["spec"]
    known = [
        each["name"] for key in ("containers", "initContainers", "ephemeralContainers") for each in spec.get(key, ())
    ]
    asked_for = asked.one("container")
    name = pod["metadata"]["name"]
    if asked_for:
        if asked_for not in known:
            raise status.bad_request(f"container {asked_for} is not valid for pod {name}")
        return asked_for
    if len(spec["containers"]) > 1:
        listed = f"[{' '.join(each['name'] for each in spec['containers'])}]"
        raise status.bad_request(f"a container name must be specified for pod {name}, choose one of: {listed}")
    return str(spec["containers"][0]["name"])
