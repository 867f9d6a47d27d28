from __future__ import annotations

import json
from typing import Any

import pytest

from fairlead.errors import CredentialsError
from fairlead.policy.exec_credential import Fetched, exec_info, parse_credential
from fairlead.policy.kubeconfig import Cluster, ExecPlugin

V1 = "client.authentication.k8s.io/v1"
PLUGIN = ExecPlugin(command="login", api_version=V1)


def answer(**status: Any) -> bytes:
    return json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status}).encode()


@pytest.mark.parametrize(
    ("output", "fetched"),
    [
        (answer(token="t"), Fetched(token="t")),
        (answer(clientCertificateData="c", clientKeyData="k"), Fetched(certificate="c", key="k")),
        (answer(token="t", expirationTimestamp="1970-01-01T00:01:00Z"), Fetched(token="t", expires=60)),
        (answer(token="t", expirationTimestamp="1970-01-01T01:01:00.5+01:00"), Fetched(token="t", expires=60.5)),
        (
            answer(token="t", expirationTimestamp="1970-01-01T00:01:00.123456789Z"),
            Fetched(token="t", expires=60.123456),
        ),
        (answer(token="t", expirationTimestamp=None, more=1), Fetched(token="t")),
    ],
)
def test_a_credential_is_a_token_or_a_certificate_with_its_key(output: bytes, fetched: Fetched) -> None:
    assert parse_credential(output, PLUGIN) == fetched


@pytest.mark.parametrize(
    ("output", "what"),
    [
        (b"s3cret", "not JSON"),
        (b"[]", "no ExecCredential"),
        (b'{"kind":"Pod"}', "no ExecCredential"),
        (answer(token="s3cret").replace(b"/v1", b"/v1beta1"), "speaks client.authentication.k8s.io/v1beta1"),
        (b'{"kind":"ExecCredential","apiVersion":"%s"}' % V1.encode(), "has no status"),
        (answer(), "neither a token nor a certificate"),
        (answer(token=7), "not strings"),
        (answer(clientKeyData="s3cret"), "without its certificate"),
        (answer(token="s3cret\n"), "line break"),
        (answer(token="t", expirationTimestamp="soon"), "no RFC 3339 time"),
        (answer(token="t", expirationTimestamp="2026-01-01T00:00:00"), "no RFC 3339 time"),
    ],
)
def test_why_the_output_of_a_plugin_is_no_credential(output: bytes, what: str) -> None:
    with pytest.raises(CredentialsError, match=f"the credential plugin login .*{what}") as caught:
        parse_credential(output, PLUGIN)
    assert "s3cret" not in str(caught.value)


def test_a_plugin_is_told_of_the_cluster_if_it_asks() -> None:
    assert exec_info(PLUGIN, interactive=True) == {
        "kind": "ExecCredential",
        "apiVersion": V1,
        "spec": {"interactive": True},
    }
    cluster = Cluster(server="https://c", insecure=True, exec_config={"a": 1})
    spec = exec_info(PLUGIN, interactive=False, cluster=cluster, authority=b"ca")["spec"]
    assert spec["cluster"] == {
        "server": "https://c",
        "insecure-skip-tls-verify": True,
        "certificate-authority-data": "Y2E=",
        "config": {"a": 1},
    }


def test_secrets_are_not_shown() -> None:
    assert "s3cret" not in repr(Fetched(token="s3cret", key="s3cret"))
