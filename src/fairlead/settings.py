"""What a run was asked to do, as frozen values; one docstring a field, with unit and reason."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from fairlead.model.masked import masked
from fairlead.model.named import PortRule, Reservation, ServicePattern
from fairlead.model.target import TargetSpec


class ClusterOptions(NamedTuple):
    """kubectl's global options; None means not given, so that the kubeconfig decides."""

    kubeconfig: str | None = None
    """One file that replaces KUBECONFIG and the default."""
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None
    server: str | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None
    certificate_authority: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    token: str | None = None
    username: str | None = None
    password: str | None = None
    as_user: str | None = None
    as_uid: str | None = None
    as_groups: tuple[str, ...] = ()
    as_user_extra: tuple[str, ...] = ()
    request_timeout: float | None = None
    """Seconds for one request to the API server; None or 0 means no limit. Watches and streams are not limited."""
    disable_compression: bool | None = None
    cache_dir: str | None = None
    verbosity: int = 0
    """kubectl's -v: 0 says what a user needs, 4 adds decisions, 6 requests, 8 their headers (without secrets)."""

    def __repr__(self) -> str:
        return masked(self, "token", "password")


class ForwardSettings(NamedTuple):
    """One run of ``fairlead forward``."""

    targets: tuple[TargetSpec, ...]
    addresses: tuple[str, ...] = ("localhost",)
    """IP addresses to listen on, or ``localhost`` for 127.0.0.1 and ::1."""
    pod_running_timeout: float = 60.0
    """Seconds to wait at the start for a pod, as kubectl does."""
    wait: float = 30.0
    """Seconds a connection waits while nothing runs behind the target, before it is reset."""
    lanes: int = 32
    """Connections to one pod that may have a lane (an upgraded connection) of their own."""
    sticky: bool = False
    """Keep to one pod as long as it lives, as kubectl does."""
    follow: bool = False
    """For ``pod/NAME``: when that name can never come back, go on with its owner."""
    exit_on_loss: bool = False
    """End with the pod, as kubectl does, with its exit codes."""
    output: str = "text"
    """``text``, or ``json`` for one event a line on stdout."""
    ready_file: str | None = None
    """Written when every port listens and a pod was reached; removed at the end."""
    command: tuple[str, ...] = ()
    """Run when ready; the run ends with its exit code."""


HOSTS_FILE = "/etc/hosts"
"""The system's (hosts(5))."""


class ServicesSettings(NamedTuple):
    """One run of ``fairlead services``."""

    namespaces: tuple[str, ...] = ()
    """Those that were named; the context's own where none is, and not all are asked for."""
    all_namespaces: bool = False
    """Also those that are made later."""
    selector: str = ""
    """Of labels, as the API server reads it."""
    field_selector: str = ""
    contexts: tuple[str, ...] = ()
    """The first is the main one: only names of the others always carry the context. The current one where none is."""
    cluster_domain: str | None = None
    """None asks the cluster, and means cluster.local where it does not say."""
    bare: str | None = None
    """The namespace whose names stand alone; None lets policy.hostnames choose."""
    mappings: tuple[PortRule, ...] = ()
    """Where to listen, for ports that are not to be the service's own."""
    reserve: tuple[Reservation, ...] = ()
    local: tuple[PortRule, ...] = ()
    """Services that run on this machine: their names lead to these ports of 127.0.0.1."""
    exclude: tuple[ServicePattern, ...] = ()
    only: tuple[ServicePattern, ...] = ()
    """Nothing means every service."""
    hosts_file: str = HOSTS_FILE
    dry_run: bool = False
    """Say what would be served, and change nothing."""
    wait: float = 30.0
    """Seconds a connection waits while nothing runs behind its name, before it is reset."""
    lanes: int = 32
    """Connections to one pod that may have a lane (an upgraded connection) of their own."""
    output: str = "text"
    """``text``, or ``json`` for one event a line on stdout."""
    ready_file: str | None = None
    """Written when every name leads somewhere; removed at the end."""
    command: tuple[str, ...] = ()
    """Run when ready; the run ends with its exit code."""


class RunSettings(NamedTuple):
    """One run of ``fairlead run``."""

    namespaces: tuple[str, ...] = ()
    """Those that were named; the context's own where none is, and not all are asked for."""
    all_namespaces: bool = False
    """Also those that are made later."""
    selector: str = ""
    """Of labels, as the API server reads it."""
    field_selector: str = ""
    contexts: tuple[str, ...] = ()
    """The first is the main one: only names of the others always carry the context. The current one where none is."""
    cluster_domain: str | None = None
    """None asks the cluster, and means cluster.local where it does not say."""
    bare: str | None = None
    """The namespace whose names stand alone; None lets policy.hostnames choose."""
    local: tuple[PortRule, ...] = ()
    """Services that run on this machine: their names lead to these ports of 127.0.0.1."""
    exclude: tuple[ServicePattern, ...] = ()
    only: tuple[ServicePattern, ...] = ()
    """Nothing means every service."""
    wait: float = 30.0
    """Seconds a connection waits while nothing runs behind its name, before it is reset."""
    lanes: int = 32
    """Connections to one pod that may have a lane (an upgraded connection) of their own."""
    command: tuple[str, ...] = ()
    """Run when ready; the run ends with its exit code."""


Chosen: TypeAlias = ServicesSettings | RunSettings
"""Of every command with names: which services of which clusters, and how they are called."""
