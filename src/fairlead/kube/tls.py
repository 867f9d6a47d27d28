"""TLS as Go does it, so that a cluster that kubectl trusts is trusted here, and no other.

OpenSSL is stricter than Go in places, and laxer in others:
- Python 3.13 sets VERIFY_X509_STRICT, which refuses CAs without key usage or key identifiers; Go takes them.
- Any certificate in the CA file is a trust anchor in Go, self-signed or not: VERIFY_X509_PARTIAL_CHAIN.
- Debian's security level 2 refuses RSA keys under 2048 bits; Go takes them from 1024. Level 1 still refuses SHA-1.
- Python stops at the first odd block of a CA file and wants ASCII; Go skips what it cannot parse.
- A common name is no host name in Go.
- Go renegotiates with nobody; neither do we, and so a write is always encrypted at once (``dial.lane`` relies on that).
"""

from __future__ import annotations

import os
import re
import ssl
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from fairlead.errors import ConfigError, CredentialsError, FairleadError, UnreachableError
from fairlead.model.masked import masked

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[ \t\r]*\n([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")


class ClientCertificate(NamedTuple):
    """A certificate chain and its key, both PEM."""

    chain: bytes
    key: bytes

    def __repr__(self) -> str:
        return masked(self, "chain", "key")


class TlsSettings(NamedTuple):
    """How to know a server. With neither file nor data the system's authorities count."""

    server_name: str = ""
    """The name to ask for and to check instead of the address's host."""
    insecure: bool = False
    ca_file: str = ""
    ca_data: bytes = b""
    also_system: bool = False
    """Trust the system's authorities beside the given ones."""

    def __repr__(self) -> str:
        return masked(self, "ca_data")


def make_context(settings: TlsSettings, certificate: ClientCertificate | None = None) -> ssl.SSLContext:
    """A client context; raises ConfigError for authorities or a certificate that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT:@SECLEVEL=1")
    context.set_alpn_protocols(["http/1.1"])
    context.verify_flags = (context.verify_flags & ~ssl.VERIFY_X509_STRICT) | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.hostname_checks_common_name = False
    context.options |= ssl.OP_NO_RENEGOTIATION
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        _trust(context, settings)
    if certificate is not None:
        _identify(context, certificate)
    return context


def read_file(path: str, what: str) -> bytes:
    """The bytes of a certificate, key or token file; ConfigError says which one cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"the {what} {path} cannot be read: {error.strerror}") from error


def _trust(context: ssl.SSLContext, settings: TlsSettings) -> None:
    data = settings.ca_data or (read_file(settings.ca_file, "certificate authority") if settings.ca_file else b"")
    if not data or settings.also_system:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if not data:
        return
    usable = 0
    for der in certificates(data):
        try:
            context.load_verify_locations(cadata=der)
        except (ssl.SSLError, ValueError):
            continue
        usable += 1
    if not usable:
        where = f"the certificate authority {settings.ca_file}" if settings.ca_file else "certificate-authority-data"
        raise ConfigError(f"{where} holds no certificate that can be used")


def certificates(pem: bytes) -> list[bytes]:
    """The DER of each CERTIFICATE block of ``pem``; other blocks, text and broken blocks are skipped."""
    found = []
    for match in _CERTIFICATE.finditer(pem):
        try:
            found.append(a2b_base64(match[1]))
        except Base64Error:
            continue
    return found


def _identify(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    def no_password() -> str:
        # without this OpenSSL would ask on the terminal; kubectl does not take encrypted keys either
        raise ConfigError("the client key is encrypted", remedy="use a key without a password")

    try:
        with _private_path(certificate.chain + b"\n" + certificate.key) as path:
            context.load_cert_chain(path, password=no_password)
    except (ssl.SSLError, ValueError, OSError) as error:
        reason = "they do not belong together" if "MISMATCH" in str(error) else "they cannot be parsed"
        raise ConfigError(f"the client certificate and its key cannot be used: {reason}") from error


@contextmanager
def _private_path(data: bytes) -> Iterator[str]:
    """A path that only this process can read ``data`` from, inside the block only: OpenSSL takes keys from files."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("key", os.MFD_CLOEXEC)
        path = f"/proc/self/fd/{descriptor}"
        if not os.path.exists(path):
            os.close(descriptor)
            descriptor, path = _temporary_file()
    else:
        descriptor, path = _temporary_file()
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            yield path
    finally:
        if not path.startswith("/proc/"):
            os.unlink(path)


def _temporary_file() -> tuple[int, str]:
    import tempfile

    return tempfile.mkstemp(prefix="fairlead-")


def explain(error: Exception, where: str) -> FairleadError:
    """A TLS failure while talking to ``where``, as the error a user can act on."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _explain_certificate(error, where)
    reason = (getattr(error, "reason", None) or str(error)).upper()
    if "ALERT" in reason and any(word in reason for word in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")):
        # the peer's alert is about what we showed, or did not show
        return CredentialsError(
            f"{where} does not accept our client certificate: {_words(reason)}",
            remedy="it may have expired, or belong to another cluster: get new credentials for this cluster",
        )
    if any(
        word in reason for word in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH", "RECORD_LAYER_FAILURE")
    ):
        return UnreachableError(f"{where} does not speak TLS", remedy="check the scheme and port of its address")
    return UnreachableError(f"TLS with {where} failed: {_words(reason)}")


def _explain_certificate(error: ssl.SSLCertVerificationError, where: str) -> FairleadError:
    message = error.verify_message
    if "ostname mismatch" in message or "IP address mismatch" in message:
        what = f"the certificate of {where} is for another name: {message.rstrip('.')}"
        return UnreachableError(what, remedy="set tls-server-name to a name in the certificate")
    if error.verify_code in (10, 9):  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID
        state = "has expired" if error.verify_code == 10 else "is not valid yet"
        return UnreachableError(
            f"the certificate of {where} {state}", remedy="renew it on the cluster, or check this machine's clock"
        )
    if error.verify_code in (2, 18, 19, 20, 21):  # no issuer found, self-signed, or no chain to an authority
        return UnreachableError(
            f"the certificate of {where} is not signed by an authority that we trust ({message})",
            remedy="check the certificate authority that the kubeconfig has for it",
        )
    return UnreachableError(f"the certificate of {where} is not valid: {message}")


def _words(reason: str) -> str:
    """OpenSSL's reason as words: ``TLSV13_ALERT_CERTIFICATE_REQUIRED`` -> ``alert certificate required``."""
    _, mark, tail = reason.partition("ALERT_")
    return (mark + tail if mark else reason).replace("_", " ").strip().lower()
