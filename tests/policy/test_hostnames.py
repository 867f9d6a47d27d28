from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import UsageError
from fairlead.model.named import GroupKey
from fairlead.policy.claims import Claims
from fairlead.policy.hostnames import (
    FULL,
    NAMESPACE,
    Name,
    Scope,
    bare_owner,
    context_labels,
    forbid,
    is_legal,
    is_ours,
    names_of,
)

SERVICE = GroupKey("", "shop", "api")
POD = GroupKey("", "shop", "kafka", "kafka-1")


def texts(key: GroupKey, scope: Scope, hostname: str = "") -> list[str]:
    return [name.text for name in names_of(key, scope, hostname)]


def test_names_of_a_service_in_the_order_of_the_line() -> None:
    assert texts(SERVICE, Scope(bare="shop")) == ["api", "api.shop.svc.cluster.local", "api.shop", "api.shop.svc"]


def test_names_of_a_pod() -> None:
    assert texts(POD, Scope(bare="shop")) == [
        "kafka-1.kafka", "kafka-1.kafka.shop.svc.cluster.local", "kafka-1.kafka.shop", "kafka-1.kafka.shop.svc",
    ]  # fmt: skip


def test_only_the_owner_of_bare_names_has_them() -> None:
    rest = ["api.shop.svc.cluster.local", "api.shop", "api.shop.svc"]
    assert texts(SERVICE, Scope(bare="pay")) == texts(SERVICE, Scope(bare=None)) == rest


def test_the_domain_of_the_cluster() -> None:
    assert texts(SERVICE, Scope(domain="corp"))[0] == "api.shop.svc.corp"


def test_a_pod_has_the_name_of_its_endpoint_too() -> None:
    scope = Scope(bare="shop")
    assert texts(POD, scope, "kafka-1") == texts(POD, scope)
    assert texts(POD, scope, "one") == texts(POD, scope) + texts(POD._replace(pod="one"), scope)


def test_names_of_the_first_of_several_contexts() -> None:
    assert texts(SERVICE, Scope(bare="shop", label="kind")) == [
        "api", "api.shop.svc.cluster.local", "api.shop", "api.shop.svc",
        "api.kind", "api.shop.kind", "api.shop.svc.kind", "api.shop.svc.cluster.local.kind",
    ]  # fmt: skip


def test_names_of_another_context_all_carry_it() -> None:
    assert texts(SERVICE, Scope(bare="shop", label="kind", main=False)) == [
        "api.kind", "api.shop.kind", "api.shop.svc.kind", "api.shop.svc.cluster.local.kind",
    ]  # fmt: skip
    assert texts(SERVICE, Scope(bare="pay", label="kind", main=False))[0] == "api.shop.kind"


@pytest.mark.parametrize(
    ("context", "label"),
    [
        ("kind-dev", "kind-dev"),
        ("arn:aws:eks:eu-west-1:1234:cluster/Shop", "arn-aws-eks-eu-west-1-1234-cluster-shop"),
        ("admin@prod", "admin-prod"),
        ("-a_b.", "a-b"),
        ("x" * 80, "x" * 63),
        ("x" * 62 + "-y", "x" * 62),
        ("42", "context-42"),
        ("0xbad", "context-0xbad"),
        ("svc", "context-svc"),
        ("localhost", "context-localhost"),
        ("dev", "context-dev"),
        ("Prod", "context-prod"),
        ("local", "context-local"),
        ("staging", "staging"),
        ("\u751f\u7523", "context"),
        ("", "context"),
    ],
)
def test_a_context_as_a_label(context: str, label: str) -> None:
    assert context_labels([context]) == {context: label}


def test_contexts_that_look_alike_are_told_apart() -> None:
    assert context_labels(["a/b", "a:b", "a-b", "a/b"]) == {"a/b": "a-b", "a:b": "a-b-2", "a-b": "a-b-3"}
    assert context_labels(["a-2", "a", "A"]) == {"a-2": "a-2", "a": "a", "A": "a-3"}
    assert context_labels(["context-dev", "dev"]) == {"context-dev": "context-dev", "dev": "context-dev-2"}
    long = context_labels(["x" * 63, "x" * 64])
    assert long["x" * 64] == "x" * 61 + "-2"


@given(st.lists(st.text(max_size=80), max_size=8))
def test_labels_are_legal_and_differ(contexts: list[str]) -> None:
    labels = context_labels(contexts)
    assert list(labels) == list(dict.fromkeys(contexts))
    assert len(set(labels.values())) == len(labels)
    assert all(is_legal(f"api.{label}") and "." not in label for label in labels.values())


@pytest.mark.parametrize(
    ("chosen", "own", "bare", "everywhere", "owner"),
    [
        (["shop"], "shop", None, False, "shop"),
        (["shop", "pay"], "pay", None, False, "pay"),
        (["shop"], "default", None, False, "shop"),
        (["shop", "shop"], "default", None, False, "shop"),
        (["shop", "pay"], "default", None, False, None),
        (["shop", "pay"], "default", "pay", False, "pay"),
        (["shop", "pay"], "shop", "pay", False, "pay"),
        ([], "default", None, True, "default"),
        (["shop"], "default", None, True, "default"),
        ([], "default", "shop", True, "shop"),
        ([], "default", None, False, None),
    ],
)
def test_who_owns_the_bare_names(
    chosen: list[str], own: str, bare: str | None, everywhere: bool, owner: str | None
) -> None:
    assert bare_owner(chosen, own, bare, everywhere=everywhere) == owner


def test_bare_names_for_a_namespace_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"^--bare web is none of the namespaces \(add -n web\)$"):
        bare_owner(["shop"], "shop", "web")


@pytest.mark.parametrize(
    "name", ["a", "a.b", "0.a", "a-b.c1", "1a", "a.0b", "a" * 63, ".".join(["a" * 60] * 4), "dead.beef", "0x.a"]
)
def test_legal_names(name: str) -> None:
    assert is_legal(name)


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a_b", "A", "a b", "a\n", "\u00e4", "a" * 64,
        ".".join(["a" * 62] * 5), "1", "a.1", "10.1", "1.2.3.4", "0x7f", "0x7f.1", "a.0x", "api.0xff", "127.0x0.0.0x1",
    ],
)  # fmt: skip
def test_names_that_are_not_written(name: str) -> None:
    assert not is_legal(name)


def test_a_namespace_that_is_a_number_leaves_the_longer_names() -> None:
    assert texts(GroupKey("", "2024", "api"), Scope()) == ["api.2024.svc.cluster.local", "api.2024.svc"]


def test_names_that_are_too_long_are_left_out() -> None:
    key = GroupKey("", "n" * 63, "s" * 63, "p" * 110)
    assert texts(key._replace(pod=".".join(["p" * 59] * 2)), Scope()) == [
        f"{'p' * 59}.{'p' * 59}.{'s' * 63}.{'n' * 63}",
        f"{'p' * 59}.{'p' * 59}.{'s' * 63}.{'n' * 63}.svc",
    ]
    assert texts(key, Scope()) == []


@pytest.mark.parametrize(
    "name",
    ["localhost", "api.localhost", "localhost.localdomain", "ip6-loopback", "ip6-localhost", "broadcasthost"],
)
def test_names_of_every_machine(name: str) -> None:
    assert is_ours(name)


@pytest.mark.parametrize(
    ("key", "lost"),
    [
        (GroupKey("", "shop", "localhost"), "localhost"),
        (GroupKey("", "localhost", "api"), "api.localhost"),
        (GroupKey("", "localdomain", "localhost"), "localhost.localdomain"),
        (GroupKey("", "shop", "my-laptop"), "my-laptop"),
        (GroupKey("", "example", "k8s"), "k8s.example"),
        (GroupKey("", "shop", "wpad"), "wpad"),
    ],
)
def test_what_the_machine_needs_for_itself_is_never_written(key: GroupKey, lost: str) -> None:
    scope = Scope(bare=key.namespace, forbidden=forbid(["My-Laptop", "K8s.Example."]))
    assert lost not in texts(key, scope)
    assert f"{key.service}.{key.namespace}.svc" in texts(key, scope)


def test_a_site_keeps_its_name_under_all_namespaces() -> None:
    github = GroupKey("", "com", "github")
    assert texts(github, Scope(everywhere=True)) == ["github.com.svc.cluster.local", "github.com.svc"]
    assert "github.com" in texts(github, Scope(everywhere=True, named=frozenset({"com"})))
    assert "github.com" in texts(github, Scope())
    assert texts(github._replace(pod="api"), Scope(everywhere=True)) == [
        "api.github.com.svc.cluster.local", "api.github.com.svc",
    ]  # fmt: skip


@pytest.mark.parametrize("namespace", ["local", "internal", "corp", "home", "lan", "arpa"])
def test_a_company_and_the_next_room_keep_theirs_too(namespace: str) -> None:
    gitlab = GroupKey("", namespace, "gitlab")
    assert texts(gitlab, Scope(everywhere=True)) == [f"gitlab.{namespace}.svc.cluster.local", f"gitlab.{namespace}.svc"]


def test_a_context_takes_no_site_over() -> None:
    """``x.google.dev`` would be one, for whoever may make the namespace."""
    contexts = ["dev", "prod", "kind"]
    for context, label in context_labels(contexts).items():
        for main in (True, False):
            scope = Scope(bare="google", label=label, main=main)
            found = texts(GroupKey(context, "google", "x"), scope)
            assert not [text for text in found if text.endswith((".dev", ".prod"))]


def test_a_site_keeps_its_name_before_a_pod() -> None:
    pod = GroupKey("", "sales", "com", "github")
    scope = Scope(bare="sales", everywhere=True)
    assert "github.com" not in texts(pod, scope)
    assert "github.com.sales" in texts(pod, scope)
    assert "github.com" in texts(pod, scope._replace(named=frozenset({"sales"})))


def settle(claims: Mapping[GroupKey, Sequence[Name]]) -> dict[GroupKey, tuple[str, ...]]:
    """What each group has of what it claims."""
    table = Claims()
    for key, names in claims.items():
        table.claim(key, names)
    return {key: tuple(name.text for name in table.won(key)) for key in claims}


def test_where_two_groups_claim_a_name_the_nearest_form_has_it() -> None:
    """As a pod of namespace shop has it: its search path begins with its own namespace."""
    scope = Scope(bare="shop")
    other, pod = GroupKey("", "db", "web-0"), GroupKey("", "shop", "db", "web-0")
    settled = settle({key: names_of(key, scope) for key in (other, pod)})
    assert settled[pod][0] == "web-0.db"
    assert settled[other] == ("web-0.db.svc.cluster.local", "web-0.db.svc")


def test_a_context_never_takes_a_name_that_means_something_in_the_cluster() -> None:
    first, second = GroupKey("a", "kind", "api"), GroupKey("kind", "shop", "api")
    settled = settle(
        {
            second: names_of(second, Scope(bare="shop", label="kind", main=False)),
            first: names_of(first, Scope(label="a")),
        }
    )
    assert "api.kind" in settled[first]
    assert "api.kind" not in settled[second]
    assert "api.shop.kind" in settled[second]


def test_of_equals_the_first_by_its_key_has_the_name_whichever_came_first() -> None:
    """Pods that share a hostname share a name in cluster DNS; a hosts file has room for one."""
    scope = Scope()
    pods = [GroupKey("", "shop", "db", pod) for pod in ("a", "b")]
    for order in (pods, pods[::-1]):
        settled = settle({key: names_of(key, scope, "same") for key in order})
        assert "same.db.shop" in settled[pods[0]]
        assert settled[pods[1]] == ("b.db.shop.svc.cluster.local", "b.db.shop", "b.db.shop.svc")


@given(st.lists(st.builds(GroupKey, st.just("c"), *[st.sampled_from("ab")] * 2, st.sampled_from(["", "a", "b"]))))
def test_names_do_not_depend_on_the_order_of_arrival(keys: list[GroupKey]) -> None:
    claims = {key: names_of(key, Scope(bare="a", label="x")) for key in keys}
    assert settle(claims) == settle(dict(reversed(claims.items())))


LABELS = st.sampled_from(["a", "b", "svc", "com", "cluster", "local", "localhost", "1", "0x1", "x-y", "kind"])
KEYS = st.builds(GroupKey, st.sampled_from(["main", "kind"]), LABELS, LABELS, st.one_of(st.just(""), LABELS))


@given(st.lists(KEYS, unique=True, max_size=30), LABELS, st.booleans())
def test_every_name_is_legal_and_has_one_group(keys: list[GroupKey], bare: str, everywhere: bool) -> None:
    scopes = {
        "main": Scope(bare=bare, label="main", everywhere=everywhere),
        "kind": Scope(bare=bare, label="kind", main=False, everywhere=everywhere),
    }
    settled = settle({key: names_of(key, scopes[key.context]) for key in keys})
    written = [name for names in settled.values() for name in names]
    assert len(written) == len(set(written))
    assert all(is_legal(name) and not is_ours(name) for name in written)
    for key in keys:
        claims = {text: rank for rank, text in names_of(key, scopes[key.context])}
        assert not everywhere or claims.get(f"{key.service}.com") != NAMESPACE
        full = f"{key.pod}{'.' if key.pod else ''}{key.service}.{key.namespace}.svc.cluster.local"
        assert (key.context == "main") == (claims.get(full) == FULL)
