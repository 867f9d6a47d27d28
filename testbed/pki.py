"""Keys and certificates of one cluster: one authority of ours, made by openssl, on elliptic curves for speed."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import TestbedError
from testbed.network import Network

_DAYS = "30"  # longer than any cluster lives

# Without a file of ours openssl would take the system's, and its extensions.
_CONFIG = "[req]\ndistinguished_name=name\n[name]\n"

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256", "-days", _DAYS)


@dataclass(frozen=True, slots=True)
class _Certificate:
    """One certificate to be signed by the authority."""

    name: str
    subject: str
    """Common name is the user, organisation the group, as Kubernetes reads them."""
    usage: str
    names: str = ""


def make(folder: Path, network: Network, node: str, *, ca_key_usage: bool) -> None:
    """Make the authority, with or without a key-usage extension (users have both), and all that it signs."""
    folder.mkdir(mode=0o700)
    (folder / "openssl.cnf").write_text(_CONFIG)
    extensions = ["basicConstraints=critical,CA:TRUE", "subjectKeyIdentifier=hash"]
    if ca_key_usage:
        extensions.append("keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign")
    _request(folder, "ca", "/CN=fairlead-testbed", extensions)
    # The service-account key needs no certificate; openssl makes one all the same.
    wanted = [*_certificates(network, node), _Certificate("service-accounts", "/CN=service-accounts", "clientAuth")]
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda certificate: _sign(folder, certificate), wanted))


def _certificates(network: Network, node: str) -> list[_Certificate]:
    service = ["kubernetes", "default", "svc", "cluster", "local"]
    names = [*(".".join(service[:length]) for length in (1, 2, 3, 5)), "localhost"]
    addresses = [network.node, network.api_service, "127.0.0.1"]
    server = ",".join([f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses])
    both = f"DNS:{node},IP:{network.node}"
    return [
        _Certificate("apiserver", "/CN=kube-apiserver", "serverAuth", server),
        _Certificate("apiserver-kubelet", "/O=system:masters/CN=kube-apiserver-kubelet", "clientAuth"),
        _Certificate("kubelet-server", f"/O=system:nodes/CN=system:node:{node}", "serverAuth", both),
        _Certificate("kubelet", f"/O=system:nodes/CN=system:node:{node}", "clientAuth"),
        _Certificate("controller-manager", "/CN=system:kube-controller-manager", "clientAuth"),
        _Certificate("scheduler", "/CN=system:kube-scheduler", "clientAuth"),
        _Certificate("proxy", "/CN=system:kube-proxy", "clientAuth"),
        _Certificate("admin", "/O=system:masters/CN=admin", "clientAuth"),
    ]


def _sign(folder: Path, certificate: _Certificate) -> None:
    extensions = [
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature",
        "subjectKeyIdentifier=hash",
        "authorityKeyIdentifier=keyid",
        f"extendedKeyUsage={certificate.usage}",
    ]
    if certificate.names:
        extensions.append(f"subjectAltName={certificate.names}")
    authority = ["-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key")]
    _request(folder, certificate.name, certificate.subject, extensions, authority)


def _request(folder: Path, name: str, subject: str, extensions: list[str], authority: list[str] | None = None) -> None:
    command = ["openssl", "req", "-x509", "-config", str(folder / "openssl.cnf"), *_KEY, "-subj", subject]
    command += ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt"), *(authority or [])]
    for extension in extensions:
        command += ["-addext", extension]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TestbedError(f"openssl made no certificate for {name}: {done.stderr.strip()}")
