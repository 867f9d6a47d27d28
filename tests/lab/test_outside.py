"""What a lab has on the machine: who it is, and how clients find it."""

from __future__ import annotations

import ssl
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lab.outside import identity, kubeconfig
from fairlead.policy.kubeconfig_parse import parse

OURS = kubeconfig.document("https://127.0.0.1:6443", b"PEM", "secret")


@pytest.mark.parametrize("strict", [True, False])
def test_a_server_is_known_by_its_names(tmp_path: Path, strict: bool) -> None:
    made = identity.make(["127.0.0.1", "localhost", "::1"], datetime.now(UTC))
    (tmp_path / "cert").write_bytes(made.certificate + made.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "cert")
    client = ssl.create_default_context(cadata=made.authority.decode())
    if strict:  # what Python 3.13 asks of certificates
        client.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in ("127.0.0.1", "localhost"):
        handshake(client, server, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(client, server, "example.com")


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=name)
    two = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(10):
        done = 0
        for side in (one, two):
            try:
                side.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                pass
        if done == 2:
            return
    raise AssertionError("no end of the handshake")


def test_a_kubeconfig_of_its_own() -> None:
    read = parse(OURS, origin="x", base="/")
    assert read.current_context == "fairlead-lab"
    assert read.users["fairlead-lab"].token == "secret"
    assert read.clusters["fairlead-lab"].server == "https://127.0.0.1:6443"


ENTRIES = st.lists(st.fixed_dictionaries({"name": st.sampled_from(["a", "b", "fairlead-lab"]), "x": st.integers()}))
THEIRS = st.fixed_dictionaries(
    {}, optional={"clusters": ENTRIES, "users": ENTRIES, "contexts": ENTRIES, "current-context": st.sampled_from("ab")}
)


@given(THEIRS)
def test_what_is_merged_leaves_theirs_as_it_was(theirs: dict[str, Any]) -> None:
    before = deepcopy(theirs)
    both = kubeconfig.merged(theirs, OURS)
    assert theirs == before
    assert kubeconfig.merged(both, OURS) == both
    assert both["current-context"] == theirs.get("current-context", "fairlead-lab")
    back = kubeconfig.without(both, OURS)
    for key in ("clusters", "users", "contexts"):
        assert OURS[key][0] in both[key]
        assert back[key] == [each for each in theirs.get(key, []) if each["name"] != "fairlead-lab"]
    assert back["current-context"] == theirs.get("current-context", "")


def test_what_became_theirs_is_not_taken_away() -> None:
    both = kubeconfig.merged(None, OURS)
    both["users"] = [{"name": "fairlead-lab", "user": {"token": "mine"}}]
    both["contexts"] = [{"name": "fairlead-lab", "context": {"cluster": "mine"}}]
    back = kubeconfig.without(both, OURS)
    assert (back["users"], back["contexts"], back["clusters"]) == (both["users"], both["contexts"], [])
    assert back["current-context"] == "fairlead-lab"
