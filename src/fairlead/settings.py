"""What a run was asked to do, as frozen values; one docstring a field, with unit and reason."""

from __future__ import annotations

from typing import NamedTuple

from fairlead.model.masked import masked
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
