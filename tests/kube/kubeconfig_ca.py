"""Authorities that Go accepts and a strict OpenSSL does not, and some that neither does."""

from __future__ import annotations

import datetime
import ssl
import tempfile
from collections.abc import ItemsView
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Odd:
    """What a client is to trust, and what the server shows."""

    trust: bytes
    chain: bytes
    key: bytes

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.chain + self.key)
            file.flush()
            context.load_cert_chain(file.name)
        return context


class Authorities:
    """The odd authorities by name."""

    def __init__(self, pairs: dict[str, Odd]) -> None:
        self._pairs = pairs

    def __getitem__(self, name: str) -> Odd:
        return self._pairs[name]

    def items(self) -> ItemsView[str, Odd]:
        return self._pairs.items()


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: str, issuer: str, key: Key, *, days: int = 30) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 60 * DAY)
        .not_valid_after(now + days * DAY)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _server(issuer: str, signer: Key, key: Key, *, names: bool = True, days: int = 30) -> x509.Certificate:
    builder = _builder("127.0.0.1", issuer, key, days=days)
    if names:
        found = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("odd.example.test")])
        builder = builder.add_extension(found, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _root(common: str, key: Key) -> x509.Certificate:
    """Nothing but CA:TRUE, as hand-made authorities have it: no key usage, no key identifiers."""
    constraint = x509.BasicConstraints(ca=True, path_length=None)
    return _builder(common, common, key).add_extension(constraint, critical=False).sign(key, hashes.SHA256())


@cache
def authorities() -> Authorities:
    first, second, third = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    small = rsa.generate_private_key(65537, 1024)
    root = _root("bare root", first)
    middle = (
        _builder("middle", "bare root", second)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(first, hashes.SHA256())
    )
    bare = _server("bare root", first, third)
    chained = _server("middle", second, third)
    small_root = _root("small root", small)
    comment = "# certificado de la autoridad del clúster\n".encode()
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    nameless = _server("bare root", first, third, names=False)
    expired = _server("bare root", first, third, days=-1)
    alone = _server("127.0.0.1", third, third)
    return Authorities(
        {
            "bare": Odd(_pem(root), _pem(bare), _key(third)),
            "commented": Odd(comment + broken + _key(small) + _pem(root), _pem(bare), _key(third)),
            "middle": Odd(_pem(middle), _pem(chained), _key(third)),
            "small": Odd(_pem(small_root), _pem(_server("small root", small, small)), _key(small)),
            "itself": Odd(_pem(alone), _pem(alone), _key(third)),
            "nameless": Odd(_pem(root), _pem(nameless), _key(third)),
            "expired": Odd(_pem(root), _pem(expired), _key(third)),
        }
    )
