"""Messages of the Container Runtime Interface, version v1, as tables: the ones spoken here, with the fields in use."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from fairlead.lab.cri.protobuf import Field, Kind, Table

SERVICE = "/runtime.v1.RuntimeService/"

_S, _B, _I, _M = Kind.STRING, Kind.BOOL, Kind.INT, Kind.MAP


class SandboxState(IntEnum):
    """PodSandboxState."""

    READY = 0
    NOTREADY = 1


class NamespaceMode(IntEnum):
    """NamespaceMode."""

    POD = 0
    CONTAINER = 1
    NODE = 2


_METADATA: Table = {1: Field("name", _S), 2: Field("uid", _S), 3: Field("namespace", _S), 4: Field("attempt", _I)}
_CONDITION: Table = {1: Field("type", _S), 2: Field("status", _B), 3: Field("reason", _S), 4: Field("message", _S)}
_STATE: Table = {1: Field("state", _I)}
_FILTER: Table = {1: Field("id", _S), 2: Field("state", _STATE), 3: Field("label_selector", _M)}
_SANDBOX: Table = {
    1: Field("id", _S),
    2: Field("metadata", _METADATA),
    3: Field("state", _I),
    4: Field("created_at", _I),
    5: Field("labels", _M),
    6: Field("annotations", _M),
    7: Field("runtime_handler", _S),
}
_POD_IP: Table = {1: Field("ip", _S)}
_NETWORK: Table = {1: Field("ip", _S), 2: Field("additional_ips", _POD_IP, repeated=True)}
_NAMESPACES: Table = {1: Field("network", _I), 2: Field("pid", _I), 3: Field("ipc", _I)}
_LINUX: Table = {1: Field("namespaces", {2: Field("options", _NAMESPACES)})}
_STATUS: Table = {
    1: Field("id", _S),
    2: Field("metadata", _METADATA),
    3: Field("state", _I),
    4: Field("created_at", _I),
    5: Field("network", _NETWORK),
    6: Field("linux", _LINUX),
    7: Field("labels", _M),
    8: Field("annotations", _M),
    9: Field("runtime_handler", _S),
}
_URL: Table = {1: Field("url", _S)}


class Method(NamedTuple):
    """A call: what is asked, and what is answered."""

    name: str
    request: Table
    response: Table

    @property
    def path(self) -> str:
        """As gRPC names it."""
        return SERVICE + self.name


VERSION = Method(
    "Version",
    {1: Field("version", _S)},
    {
        1: Field("version", _S),
        2: Field("runtime_name", _S),
        3: Field("runtime_version", _S),
        4: Field("runtime_api_version", _S),
    },
)
STATUS = Method(
    "Status",
    {1: Field("verbose", _B)},
    {1: Field("status", {1: Field("conditions", _CONDITION, repeated=True)}), 2: Field("info", _M)},
)
LIST_POD_SANDBOX = Method("ListPodSandbox", {1: Field("filter", _FILTER)}, {1: Field("items", _SANDBOX, repeated=True)})
POD_SANDBOX_STATUS = Method(
    "PodSandboxStatus",
    {1: Field("pod_sandbox_id", _S), 2: Field("verbose", _B)},
    {1: Field("status", _STATUS), 2: Field("info", _M)},
)
EXEC = Method(
    "Exec",
    {
        1: Field("container_id", _S),
        2: Field("cmd", _S, repeated=True),
        3: Field("tty", _B),
        4: Field("stdin", _B),
        5: Field("stdout", _B),
        6: Field("stderr", _B),
    },
    _URL,
)
ATTACH = Method(
    "Attach",
    {
        1: Field("container_id", _S),
        2: Field("stdin", _B),
        3: Field("tty", _B),
        4: Field("stdout", _B),
        5: Field("stderr", _B),
    },
    _URL,
)
PORT_FORWARD = Method("PortForward", {1: Field("pod_sandbox_id", _S), 2: Field("port", _I, repeated=True)}, _URL)
METHODS = (VERSION, STATUS, LIST_POD_SANDBOX, POD_SANDBOX_STATUS, EXEC, ATTACH, PORT_FORWARD)
