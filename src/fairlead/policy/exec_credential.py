"""What is said to a credential plugin and what it answers (client.authentication.k8s.io ExecCredential)."""

from __future__ import annotations

import json
from binascii import b2a_base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairlead.errors import CredentialsError
from fairlead.policy.kubeconfig import Cluster, ExecPlugin


@dataclass(frozen=True, slots=True)
class Fetched:
    """A plugin's answer; ``expires`` in seconds since 1970, None for never."""

    token: str = field(default="", repr=False)
    certificate: str = ""
    key: str = field(default="", repr=False)
    expires: float | None = None


def exec_info(
    plugin: ExecPlugin, *, interactive: bool, cluster: Cluster | None = None, authority: bytes = b""
) -> dict[str, Any]:
    """The object for KUBERNETES_EXEC_INFO; with ``cluster`` only where the plugin asked for it."""
    spec: dict[str, Any] = {}
    if cluster is not None:
        fields = {
            "server": cluster.server,
            "tls-server-name": cluster.tls_server_name,
            "insecure-skip-tls-verify": cluster.insecure,
            "certificate-authority-data": b2a_base64(authority, newline=False).decode(),
            "proxy-url": cluster.proxy_url,
            "disable-compression": cluster.disable_compression,
            "config": cluster.exec_config,
        }
        spec["cluster"] = {name: value for name, value in fields.items() if value or name == "server"}
        # Go writes an absent extension as null
        spec["cluster"].setdefault("config", None)
    spec["interactive"] = interactive
    return {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}


def parse_credential(output: bytes, plugin: ExecPlugin) -> Fetched:
    """The credentials in ``output``; raises CredentialsError, which never shows them."""

    def bad(why: str) -> CredentialsError:
        return CredentialsError(f"the credential plugin {plugin.command} {why}", remedy="it may need an update")

    try:
        answer = json.loads(output)
    except (ValueError, RecursionError):
        raise bad("printed something that is not JSON") from None
    if not isinstance(answer, dict) or answer.get("kind") != "ExecCredential":
        raise bad("printed something that is no ExecCredential")
    if answer.get("apiVersion") != plugin.api_version:
        raise bad(f"speaks {answer.get('apiVersion')}, the kubeconfig says {plugin.api_version}")
    status = answer.get("status")
    if not isinstance(status, dict):
        raise bad("gave no credentials: its answer has no status")
    names = ("token", "clientCertificateData", "clientKeyData")
    token, certificate, key = (status.get(name) or "" for name in names)
    if not all(isinstance(value, str) for value in (token, certificate, key)):
        raise bad("gave credentials that are not strings")
    if not (token or certificate or key):
        raise bad("gave neither a token nor a certificate")
    if bool(certificate) != bool(key):
        raise bad("gave a certificate without its key, or a key without its certificate")
    if not token.isascii() or not (token.isprintable() or not token):
        raise bad("gave a token with a line break or another character that no token has")
    return Fetched(token, certificate, key, _timestamp(status.get("expirationTimestamp"), bad))


def _timestamp(value: Any, bad: Any) -> float | None:
    """RFC 3339 as seconds since 1970."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise ValueError("no zone")
    except (TypeError, ValueError):
        raise bad("gave an expirationTimestamp that is no RFC 3339 time") from None
    return found.timestamp()
