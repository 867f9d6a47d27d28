"""Certificates for tests, made once a process: an authority, a server's and two clients'."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache

import trustme


@dataclass(frozen=True)
class Pair:
    chain: bytes
    key: bytes


@dataclass(frozen=True)
class Certificates:
    ca: bytes
    server: trustme.LeafCert
    client: Pair
    other_client: Pair
    authority: trustme.CA

    def server_context(self, *, ask_client: bool = True, cert: trustme.LeafCert | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (cert or self.server).configure_cert(context)
        context.set_alpn_protocols(["http/1.1"])
        if ask_client:
            self.authority.configure_trust(context)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


@cache
def certificates() -> Certificates:
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "::1", "localhost", "api.example.test")
    return Certificates(
        ca=authority.cert_pem.bytes(),
        server=server,
        client=_client(authority, "ada"),
        other_client=_client(authority, "grace"),
        authority=authority,
    )


def _client(authority: trustme.CA, name: str) -> Pair:
    leaf = authority.issue_cert(f"{name}@example.test", common_name=name)
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    return Pair(chain, leaf.private_key_pem.bytes())
