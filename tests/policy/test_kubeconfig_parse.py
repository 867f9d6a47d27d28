from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import ConfigError
from fairlead.policy.kubeconfig import Context, Kubeconfig, User
from fairlead.policy.kubeconfig_parse import parse, resolve


def parsed(document: Any) -> Kubeconfig:
    return parse(document, origin="/home/ada/.kube/config", base="/home/ada/.kube")


def user(fields: dict[str, Any]) -> User:
    return parsed({"users": [{"name": "u", "user": fields}]}).users["u"]


@pytest.mark.parametrize("document", [None, {}, {"clusters": None, "users": [], "kind": "Config", "apiVersion": "v1"}])
def test_an_empty_file_is_an_empty_kubeconfig(document: Any) -> None:
    assert parsed(document) == Kubeconfig()


def test_the_fields_of_a_cluster() -> None:
    found = parsed(
        {
            "clusters": [
                {
                    "name": "c",
                    "cluster": {
                        "server": "https://c",
                        "certificate-authority": "ca.crt",
                        "certificate-authority-data": "Y2E=\n",
                        "insecure-skip-tls-verify": True,
                        "tls-server-name": "n",
                        "proxy-url": "http://p",
                        "unknown": 1,
                        "extensions": [
                            {"name": "other", "extension": 1},
                            {"name": "client.authentication.k8s.io/exec", "extension": {"a": 1}},
                        ],
                    },
                }
            ],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": None}}],
            "current-context": "x",
        }
    )
    cluster = found.clusters["c"]
    assert (cluster.ca_file, cluster.ca_data) == ("/home/ada/.kube/ca.crt", b"ca")
    assert (cluster.insecure, cluster.tls_server_name, cluster.proxy_url) == (True, "n", "http://p")
    assert cluster.exec_config == {"a": 1}
    assert found.contexts["x"] == Context(cluster="c", user="u")
    assert found.current_context == "x"


def test_the_fields_of_a_user() -> None:
    found = user(
        {
            "tokenFile": "/abs/token",
            "client-certificate": "c.crt",
            "client-key": "../k",
            "as": "bob",
            "as-groups": ["a", "b"],
            "as-user-extra": {"k": ["1", "2"]},
            "auth-provider": {"name": "oidc", "config": {"client-id": "x"}},
        }
    )
    assert (found.token_file, found.client_certificate) == ("/abs/token", "/home/ada/.kube/c.crt")
    assert found.client_key == "/home/ada/.kube/../k"
    assert (found.as_groups, found.as_extra) == (("a", "b"), (("k", ("1", "2")),))
    assert (found.provider, found.provider_config) == ("oidc", {"client-id": "x"})
    assert found.origin == "/home/ada/.kube/config"


@pytest.mark.parametrize(
    ("command", "resolved"),
    [("aws", "aws"), ("./aws", "/home/ada/.kube/./aws"), ("/bin/aws", "/bin/aws"), ("x/y", "/home/ada/.kube/x/y")],
)
def test_the_fields_of_a_plugin(command: str, resolved: str) -> None:
    beta = "client.authentication.k8s.io/v1beta1"
    env = [{"name": "A", "value": "1"}, {"name": "B"}]
    fields = {"command": command, "apiVersion": beta, "args": ["x"], "env": env, "installHint": "\x1b[1mget\nit"}
    plugin = user({"exec": fields}).plugin
    assert plugin is not None
    assert (plugin.command, plugin.args, plugin.env) == (resolved, ("x",), (("A", "1"), ("B", "")))
    assert (plugin.interactive_mode, plugin.install_hint) == ("IfAvailable", "[1mget\nit")


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ([], "is no kubeconfig"),
        ({"kind": "Pod", "apiVersion": "v1"}, "is no kubeconfig: it is a v1 Pod"),
        ({"apiVersion": "v2"}, "is no kubeconfig"),
        ({"users": {}}, "users in kubeconfig .* is not a list"),
        ({"users": [1]}, "an entry of users in kubeconfig .* is not a mapping"),
        ({"users": [{"name": "u", "user": {"token": 1}}]}, 'token in user "u" .* is not a string .*in quotes'),
        ({"users": [{"name": "u", "user": {"client-key-data": "s3cret!"}}]}, 'client-key-data in user "u" .* base64'),
        ({"users": [{"name": "u", "user": {"as-groups": [1]}}]}, "as-groups .* not a string"),
        ({"users": [{"name": "u", "user": {"exec": "x"}}]}, 'exec in user "u" .* is not a mapping'),
        ({"users": [{"name": "u", "user": []}, {"name": "u"}]}, 'has the name "u" twice'),
        ({"clusters": [{"name": "c", "cluster": {"insecure-skip-tls-verify": "yes"}}]}, "is not true or false"),
    ],
)
def test_what_has_the_wrong_shape_is_named(document: Any, what: str) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        parsed(document)
    assert "s3cret" not in str(caught.value)


def test_a_path_is_relative_to_its_file() -> None:
    assert resolve("", "/a") == ""
    assert resolve("b", "/a/") == "/a/b"
    assert resolve("/b", "/a") == "/b"
