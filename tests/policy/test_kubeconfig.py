from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import ConfigError
from fairlead.policy.kubeconfig import Cluster, Context, ExecPlugin, Kubeconfig, Selection, User, merge, select
from fairlead.settings import ClusterOptions

PLUGIN = ExecPlugin(
    command="login", api_version="client.authentication.k8s.io/v1", interactive_mode="Never", args=("s3cret",)
)


def config(*, cluster: Cluster | None = None, user: User | None = None, namespace: str = "") -> Kubeconfig:
    return Kubeconfig(
        clusters={"c": cluster or Cluster(server="https://c.test"), "c2": Cluster(server="https://c2.test")},
        users={"u": user or User(token="t"), "u2": User(token="t2")},
        contexts={"x": Context(cluster="c", user="u", namespace=namespace), "y": Context(cluster="c2", user="u2")},
        current_context="x",
    )


def chosen(files: Kubeconfig | None = None, /, **options: Any) -> Selection:
    return select(config() if files is None else files, ClusterOptions(**options))


def test_first_file_decides_all_of_a_thing() -> None:
    first = Kubeconfig(users={"u": User(token="first")}, contexts={"x": Context(cluster="c")})
    second = Kubeconfig(
        users={"u": User(username="second", password="p"), "v": User(token="v")},
        contexts={"x": Context(user="u")},
        current_context="second",
    )
    merged = merge([first, second, Kubeconfig(current_context="third")])
    assert merged.users == {"u": User(token="first"), "v": User(token="v")}
    assert merged.contexts["x"] == Context(cluster="c")
    assert merged.current_context == "second"
    assert merge([]) == Kubeconfig()


def test_the_current_context_is_used() -> None:
    found = chosen(config(namespace="n"))
    assert (found.context, found.namespace, found.cluster.server, found.user.token) == ("x", "n", "https://c.test", "t")
    assert (found.cluster_name, found.user_name, found.default) == ("c", "u", False)


def test_each_option_replaces_its_part_of_the_context() -> None:
    assert chosen(context="y").cluster.server == "https://c2.test"
    assert chosen(cluster="c2").user.token == "t"
    assert chosen(user="u2").cluster.server == "https://c.test"
    assert chosen(config(namespace="n"), namespace="m").namespace == "m"


def test_nothing_given_is_the_default_server() -> None:
    found = chosen(Kubeconfig())
    assert (found.cluster.server, found.default, found.namespace) == ("http://localhost:8080", True, "")
    assert not chosen(Kubeconfig(), server="https://s").default


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        ({"server": "https://s"}, Cluster(server="a", tls_server_name="n"), Cluster(server="https://s")),
        (
            {"server": "https://s", "tls_server_name": "m"},
            Cluster(server="a", tls_server_name="n"),
            Cluster(server="https://s", tls_server_name="m"),
        ),
        ({"insecure_skip_tls_verify": True}, Cluster(server="a", ca_data=b"x"), Cluster(server="a", insecure=True)),
        ({"insecure_skip_tls_verify": False}, Cluster(server="a", insecure=True), Cluster(server="a", insecure=True)),
        (
            {"certificate_authority": "/ca"},
            Cluster(server="a", ca_data=b"x", insecure=True),
            Cluster(server="a", ca_file="/ca"),
        ),
        ({"disable_compression": True}, Cluster(server="a"), Cluster(server="a", disable_compression=True)),
    ],
)
def test_options_change_the_cluster(options: dict[str, Any], before: Cluster, after: Cluster) -> None:
    assert chosen(config(cluster=before), **options).cluster == after


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        ({"token": "o"}, User(token="t", token_file="/f"), User(token="o")),
        ({"username": "a", "password": "b"}, User(), User(username="a", password="b")),
        ({"password": "b"}, User(username="a", password="x"), User(username="a", password="b")),
        (
            {"client_certificate": "/c", "client_key": "/k"},
            User(client_certificate_data=b"c", client_key_data=b"k"),
            User(client_certificate="/c", client_key="/k"),
        ),
        (
            {"client_key": "/k"},
            User(client_certificate="/c", client_key_data=b"k"),
            User(client_certificate="/c", client_key="/k"),
        ),
        (
            {"as_user": "b", "as_groups": ("g",)},
            User(as_user="a", as_groups=("x", "y")),
            User(as_user="b", as_groups=("g",)),
        ),
        (
            {"as_user_extra": ("k=1", "k=2", "l=a=b")},
            User(as_user="a", as_extra=(("z", ("1",)),)),
            User(as_user="a", as_extra=(("k", ("1", "2")), ("l", ("a=b",)))),
        ),
    ],
)  # fmt: skip
def test_options_change_the_user(options: dict[str, Any], before: User, after: User) -> None:
    assert chosen(config(user=before), **options).user == after


@pytest.mark.parametrize(
    ("files", "options", "what"),
    [
        (config(), {"context": "z"}, r'context "z" is not in the kubeconfig \(contexts there: x, y\)'),
        (config(), {"cluster": "z"}, r'cluster "z" is not in the kubeconfig \(clusters there: c, c2\)'),
        (config(), {"user": "z"}, r'user "z" is not in the kubeconfig \(users there: u, u2\)'),
        (Kubeconfig(), {"context": "z"}, "there are no contexts in it"),
        (
            Kubeconfig(contexts={"x": Context(cluster="c")}, current_context="x"),
            {},
            'cluster "c" of context "x" is not in the kubeconfig',
        ),
        (
            Kubeconfig(contexts={"x": Context(user="u")}, current_context="x"),
            {},
            'user "u" of context "x" is not in the kubeconfig',
        ),
        (config(cluster=Cluster(server="https://a", ca_data=b"x", ca_file="/f")), {}, "has both certificate-authority"),
        (config(cluster=Cluster(server="https://a", ca_data=b"x", insecure=True)), {}, "contradict each other"),
        (config(), {"username": "a"}, "has a token and a user name"),
        (config(user=User(client_certificate="/c")), {}, "without its key"),
        (config(user=User(client_certificate="/c", client_certificate_data=b"c", client_key="k")), {}, "both client-c"),
        (config(user=User(client_certificate="/c", client_key="/k", client_key_data=b"k")), {}, "both client-key and"),
        (config(), {"as_groups": ("g",)}, "without another user"),
        (config(), {"as_user": "a", "as_user_extra": ("k",)}, "not KEY=VALUE"),
        (config(user=User(plugin=PLUGIN, provider="oidc")), {}, "both an exec plugin and an auth-provider"),
        (config(user=User(plugin=ExecPlugin(command=""))), {}, "has no command"),
        (config(user=User(plugin=ExecPlugin(command="x", api_version="v0"))), {}, "apiVersion 'v0'"),
        (
            config(user=User(plugin=ExecPlugin(command="x", api_version=PLUGIN.api_version))),
            {},
            "interactiveMode ''",
        ),
    ],
)
def test_what_is_missing_or_unusable_is_named(files: Kubeconfig, options: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        chosen(files, **options)


def test_missing_parts_do_not_matter_where_options_replace_them() -> None:
    files = Kubeconfig(contexts={"x": Context(cluster="c", user="u")}, current_context="x")
    assert chosen(files, server="https://s", token="t").user.token == "t"


def test_many_names_are_cut() -> None:
    files = Kubeconfig(contexts={f"c{number:02}": Context() for number in range(30)})
    with pytest.raises(ConfigError, match=r"c18, c19, \.\.\.\)$"):
        chosen(files, context="z")


def test_impersonation_is_sent_in_headers() -> None:
    user = User(
        as_user="bob", as_uid="7", as_groups=("a", "b"), as_extra=(("Example.com/Scopes", ("r", "w")), ("ü %", ("x",)))
    )
    assert user.impersonation == (
        ("Impersonate-User", "bob"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-Example.com%2FScopes", "r"),
        ("Impersonate-Extra-Example.com%2FScopes", "w"),
        ("Impersonate-Extra-%C3%BC%20%25", "x"),
    )
    assert User(as_groups=("a",)).impersonation == ()


def test_no_secret_is_shown() -> None:
    user = User(
        token="s3cret", password="s3cret", client_key_data=b"s3cret", provider_config={"refresh-token": "s3cret"},
        plugin=PLUGIN,
    )  # fmt: skip
    cluster = Cluster(server="https://a", proxy_url="http://ada:s3cret@p")
    assert "s3cret" not in repr(user)
    assert "s3cret" not in repr(cluster)
