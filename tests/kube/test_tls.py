from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from fairlead.errors import ConfigError, CredentialsError, UnreachableError
from fairlead.kube import tls
from fairlead.kube.tls import ClientCertificate, TlsSettings, certificates, explain, make_context
from tests.kube.kubeconfig_ca import authorities
from tests.support import tlsfiles

PAIR = tlsfiles.certificates().client
CA = tlsfiles.certificates().ca


def test_servers_are_checked_unless_told_not_to() -> None:
    context = make_context(TlsSettings(ca_data=CA))
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.cert_store_stats()["x509"] == 1
    lax = make_context(TlsSettings(insecure=True))
    assert (lax.verify_mode, lax.check_hostname) == (ssl.CERT_NONE, False)


def test_what_holds_no_authority_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "ca"
    path.write_bytes(authorities()["commented"].trust)
    assert make_context(TlsSettings(ca_file=str(path))).cert_store_stats()["x509"] == 1
    path.write_bytes(b"nothing")
    with pytest.raises(ConfigError, match=f"certificate authority {path} holds no certificate"):
        make_context(TlsSettings(ca_file=str(path)))
    with pytest.raises(ConfigError, match="certificate authority /none cannot be read: No such file"):
        make_context(TlsSettings(ca_file="/none"))
    with pytest.raises(ConfigError, match="certificate-authority-data holds no certificate"):
        make_context(TlsSettings(ca_data=b"x"))


def test_certificates_are_found_among_other_blocks() -> None:
    key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    one = b"-----BEGIN CERTIFICATE-----\r\nAQID\r\n-----END CERTIFICATE-----\r\n"
    broken = b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n"
    assert certificates("ü\n".encode() + key + one + broken + one) == [b"\1\2\3", b"\1\2\3"]


@pytest.mark.parametrize("memory", [True, False])
def test_client_certificate_leaves_no_file(memory: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not memory:
        monkeypatch.delattr(os, "memfd_create")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)
    before = os.listdir("/proc/self/fd")
    make_context(TlsSettings(), ClientCertificate(PAIR.chain, PAIR.key))
    assert os.listdir("/proc/self/fd") == before
    assert os.listdir(tmp_path) == []


def test_without_proc_a_private_file_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delattr(os, "memfd_create")
    with tls._private_path(b"key") as path:
        assert os.stat(path).st_mode & 0o777 == 0o600
        assert Path(path).read_bytes() == b"key"
    assert os.listdir(tmp_path) == []


ENCRYPTED = b"""-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF

AAAAAAAAAAAAAAAAAAAAAA==
-----END RSA PRIVATE KEY-----
"""


@pytest.mark.parametrize(
    ("chain", "key", "what"),
    [
        (PAIR.chain, tlsfiles.certificates().other_client.key, "do not belong together"),
        (b"x", b"y", "cannot be parsed"),
        (PAIR.chain, b"", "cannot be parsed"),
        (PAIR.chain, ENCRYPTED, "is encrypted"),
    ],
)
def test_certificates_that_are_no_use(chain: bytes, key: bytes, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        make_context(TlsSettings(), ClientCertificate(chain, key))


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] whatever")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "kind", "what"),
    [
        (alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), CredentialsError, "our client certificate: alert certificate req"),
        (alert("SSLV3_ALERT_BAD_CERTIFICATE"), CredentialsError, "alert bad certificate"),
        (alert("SSLV3_ALERT_CERTIFICATE_EXPIRED"), CredentialsError, "alert certificate expired"),
        (alert("TLSV1_ALERT_UNKNOWN_CA"), CredentialsError, "alert unknown ca"),
        (alert("WRONG_VERSION_NUMBER"), UnreachableError, "does not speak TLS"),
        (alert("TLSV1_ALERT_PROTOCOL_VERSION"), UnreachableError, "TLS with x failed: alert protocol version"),
        (ssl.SSLError("odd"), UnreachableError, "TLS with x failed"),
    ],
)
def test_whose_fault_a_failed_handshake_is(error: ssl.SSLError, kind: type[Exception], what: str) -> None:
    found = explain(error, "x")
    assert type(found) is kind
    assert what in str(found)


@pytest.mark.parametrize(
    ("code", "message", "what"),
    [
        (10, "certificate has expired", "the certificate of x has expired (renew it on the cluster"),
        (9, "certificate is not yet valid", "is not valid yet"),
        (18, "self-signed certificate", "not signed by an authority that we trust (self-signed certificate)"),
        (62, "Hostname mismatch, certificate is not valid for 'a'.", "is for another name: Hostname mismatch"),
        (64, "IP address mismatch, certificate is not valid for '1.1.1.1'.", "set tls-server-name"),
        (24, "invalid CA certificate", "is not valid: invalid CA certificate"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(code: int, message: str, what: str) -> None:
    error = ssl.SSLCertVerificationError(1, message)
    error.verify_code, error.verify_message = code, message
    assert what in str(explain(error, "x"))


def test_keys_are_not_shown() -> None:
    assert "PRIVATE" not in repr(ClientCertificate(PAIR.chain, PAIR.key))
