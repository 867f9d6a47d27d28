"""The kubeconfigs that kubectl and fairlead must read alike. A case makes its files and options for one world."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from tests.kube.kubeconfig_world import Setup, World
from tests.support.oidc import id_token
from tests.support.tlsfiles import certificates

Case = Callable[[World], Setup]
CASES: dict[str, Case] = {}

V1 = "client.authentication.k8s.io/v1"
V1BETA1 = "client.authentication.k8s.io/v1beta1"


def case(make: Case) -> Case:
    CASES[make.__name__.replace("_", "-")] = make
    return make


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def config(
    world: World, *, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **context: Any
) -> dict[str, Any]:
    """A kubeconfig with one of each; a None takes a field out."""
    fields = {"server": world.api.url, "certificate-authority-data": b64(certificates().ca), **(cluster or {})}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {k: v for k, v in fields.items() if v is not None}}],
        "users": [{"name": "u", "user": {"token": "t0ken"} if user is None else user}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", **context}}],
    }


def simple(world: World, user: dict[str, Any] | None = None, /, **options: Any) -> Setup:
    return Setup({"config": config(world, user=user)}, options=options)


def certificate() -> dict[str, str]:
    client = certificates().client
    return {"client-certificate-data": b64(client.chain), "client-key-data": b64(client.key)}


def certificate_files() -> dict[str, bytes]:
    client, other = certificates().client, certificates().other_client
    return {
        "pki/c.crt": client.chain,
        "pki/c.key": client.key,
        "pki/o.crt": other.chain,
        "pki/o.key": other.key,
        "pki/ca.crt": certificates().ca,
    }


def plugin(
    script: str, *, version: str = V1, mode: str | None = "Never", **fields: Any
) -> tuple[dict[str, Any], bytes]:
    """A user with a plugin beside its kubeconfig, and the plugin; ``$1`` of ``say`` goes into the status."""
    say = f'say() {{ printf \'{{"apiVersion":"{version}","kind":"ExecCredential","status":{{%s}}}}\' "$1"; }}\n'
    found = {"apiVersion": version, "command": "./plugin", **fields}
    if mode is not None:
        found["interactiveMode"] = mode
    return {"exec": found}, f"#!/bin/sh\n{say}{script}\n".encode()


def with_plugin(world: World, made: tuple[dict[str, Any], bytes], /, **options: Any) -> Setup:
    user, script = made
    return Setup({"config": config(world, user=user), "plugin": script}, options=options)


TELL = """say '"token":"told.'"$(printf %s "$KUBERNETES_EXEC_INFO" | base64 -w0)"'"'"""


def oidc(world: World, **fields: str) -> dict[str, Any]:
    issuer = {
        "idp-issuer-url": f"{world.provider.url}/realm",
        "client-id": "kube",
        "idp-certificate-authority-data": b64(certificates().ca),
    }
    return {"auth-provider": {"name": "oidc", "config": {**issuer, **fields}}}


def named(world: World, name: str, **cluster: Any) -> dict[str, Any]:
    """A cluster at a name that only a proxy can resolve."""
    return config(world, cluster={"server": f"https://{name}:{world.api.port}", **cluster})


# Who we are


@case
def token(w: World) -> Setup:
    return simple(w)


@case
def token_file(w: World) -> Setup:
    return Setup({"config": config(w, user={"tokenFile": "secret/token"}), "secret/token": b"  from-file\n"})


@case
def token_file_over_token(w: World) -> Setup:
    user = {"token": "from-config", "tokenFile": "token"}
    return Setup({"config": config(w, user=user), "token": b"from-file"})


@case
def token_when_token_file_is_missing(w: World) -> Setup:
    return simple(w, {"token": "from-config", "tokenFile": "missing"})


@case
def token_file_missing(w: World) -> Setup:
    return simple(w, {"tokenFile": "missing"})


@case
def token_option(w: World) -> Setup:
    return simple(w, None, token="from-option")


@case
def token_option_over_token_file(w: World) -> Setup:
    return Setup(
        {"config": config(w, user={"tokenFile": "token"}), "token": b"from-file"}, options={"token": "from-option"}
    )


@case
def token_option_and_password(w: World) -> Setup:
    return simple(w, {"username": "ada", "password": "pw"}, token="from-option")


@case
def token_that_is_a_number(w: World) -> Setup:
    return simple(w, {"token": 12345})


@case
def password(w: World) -> Setup:
    return simple(w, {"username": "ada", "password": "s3cret:wörd"})


@case
def password_option(w: World) -> Setup:
    return simple(w, {}, username="ada", password="pw")


@case
def user_name_without_password(w: World) -> Setup:
    return simple(w, {"username": "ada"})


@case
def client_certificate_data(w: World) -> Setup:
    return simple(w, certificate())


@case
def client_certificate_files(w: World) -> Setup:
    user = {"client-certificate": "pki/c.crt", "client-key": "pki/c.key"}
    return Setup({"config": config(w, user=user), **certificate_files()})


@case
def client_certificate_options(w: World) -> Setup:
    options = {"client_certificate": f"{w.folder}/pki/o.crt", "client_key": f"{w.folder}/pki/o.key"}
    return Setup({"config": config(w, user=certificate()), **certificate_files()}, options=options)


@case
def client_certificate_and_token(w: World) -> Setup:
    return simple(w, {**certificate(), "token": "t0ken"})


@case
def client_certificate_and_token_option(w: World) -> Setup:
    return simple(w, certificate(), token="from-option")


@case
def client_certificate_of_another_key(w: World) -> Setup:
    return simple(w, {**certificate(), "client-key-data": b64(certificates().other_client.key)})


@case
def client_certificate_without_key(w: World) -> Setup:
    return simple(w, {"client-certificate-data": certificate()["client-certificate-data"]})


@case
def user_without_credentials(w: World) -> Setup:
    return simple(w, {})


# Credential plugins


@case
def exec_token(w: World) -> Setup:
    return with_plugin(w, plugin("""say '"token":"from-plugin"'"""))


@case
def exec_beta_without_mode(w: World) -> Setup:
    return with_plugin(w, plugin("""say '"token":"from-plugin"'""", version=V1BETA1, mode=None))


@case
def exec_without_mode(w: World) -> Setup:
    return with_plugin(w, plugin("""say '"token":"from-plugin"'""", mode=None))


@case
def exec_always_interactive(w: World) -> Setup:
    return with_plugin(w, plugin("""say '"token":"from-plugin"'""", mode="Always"))


@case
def exec_arguments_and_environment(w: World) -> Setup:
    made = plugin("""say '"token":"'"$1-$WORD"'"'""", args=["arg"], env=[{"name": "WORD", "value": "env"}])
    return with_plugin(w, made)


@case
def exec_is_told_little(w: World) -> Setup:
    return with_plugin(w, plugin(TELL, mode="IfAvailable"))


@case
def exec_is_told_the_cluster(w: World) -> Setup:
    user, script = plugin(TELL, provideClusterInfo=True)
    extension = [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a", "count": 3}}]
    cluster = {"tls-server-name": "api.example.test", "extensions": extension}
    return Setup({"config": config(w, cluster=cluster, user=user), "plugin": script})


@case
def exec_is_told_the_cluster_with_files(w: World) -> Setup:
    user, script = plugin(TELL, version=V1BETA1, provideClusterInfo=True)
    proxy = f"http://127.0.0.1:{w.proxies['http'].port}"
    cluster = {
        "certificate-authority-data": None,
        "certificate-authority": "pki/ca.crt",
        "proxy-url": proxy,
        "disable-compression": True,
    }
    return Setup({"config": config(w, cluster=cluster, user=user), "plugin": script, **certificate_files()})


@case
def exec_certificate(w: World) -> Setup:
    client = certificates().client
    script = "c=$(sed -z 's/\\n/\\\\n/g' pki/c.crt); k=$(sed -z 's/\\n/\\\\n/g' pki/c.key)\n"
    script += """printf '{"apiVersion":"%s","kind":"ExecCredential","status":' "$1"\n"""
    script += """printf '{"clientCertificateData":"%s","clientKeyData":"%s"}}' "$c" "$k" | sed 's/\\\\\\\\n/\\\\n/g'"""
    user, text = plugin(f'cd "$(dirname "$0")"\n{script}', args=[V1])
    assert client.chain
    return Setup({"config": config(w, user=user), "plugin": text, **certificate_files()})


@case
def exec_on_path(w: World) -> Setup:
    user, script = plugin("""say '"token":"on-path"'""", command="fairlead-test-plugin")
    return Setup(
        {"config": config(w, user=user), "bin/fairlead-test-plugin": script},
        env={"PATH": f"{w.folder}/bin:/usr/bin:/bin"},
    )


@case
def exec_not_run_with_token_option(w: World) -> Setup:
    return with_plugin(w, plugin("exit 1"), token="from-option")


@case
def exec_not_run_with_certificate(w: World) -> Setup:
    user, script = plugin("exit 1")
    return Setup({"config": config(w, user={**user, **certificate()}), "plugin": script})


@case
def exec_missing(w: World) -> Setup:
    return simple(w, plugin("", command="./no-such-plugin", installHint="get it")[0])


@case
def exec_failing(w: World) -> Setup:
    return with_plugin(w, plugin("echo 'log in first' >&2; exit 3"))


@case
def exec_of_another_version(w: World) -> Setup:
    user, _ = plugin("")
    return Setup({"config": config(w, user=user), "plugin": plugin("""say '"token":"t"'""", version=V1BETA1)[1]})


@case
def exec_of_an_old_version(w: World) -> Setup:
    return with_plugin(w, plugin("""say '"token":"t"'""", version="client.authentication.k8s.io/v1alpha1"))


@case
def exec_half_a_certificate(w: World) -> Setup:
    return with_plugin(w, plugin("""say '"clientCertificateData":"x"'"""))


# OpenID Connect


@case
def oidc_valid(w: World) -> Setup:
    return simple(w, oidc(w, **{"id-token": id_token(4102444800, sub="old")}))


@case
def oidc_refreshed(w: World) -> Setup:
    more = {"id-token": id_token(1000000000), "refresh-token": "old-refresh", "client-secret": "shh"}
    return simple(w, oidc(w, **more))


@case
def oidc_expired(w: World) -> Setup:
    return simple(w, oidc(w, **{"id-token": id_token(1000000000)}))


@case
def oidc_refresh_refused(w: World) -> Setup:
    return simple(w, oidc(w, **{"id-token": id_token(1000000000), "refresh-token": "stolen"}))


@case
def provider_that_is_gone(w: World) -> Setup:
    return simple(w, {"auth-provider": {"name": "gcp", "config": {}}})


# Acting as somebody else


@case
def impersonation(w: World) -> Setup:
    extra = {"example.test/scopes": ["read", "write"], "Plain": ["one"], "odd key%": ["two"]}
    user = {"token": "t", "as": "bob", "as-uid": "7", "as-groups": ["dev", "ops"], "as-user-extra": extra}
    return simple(w, user)


@case
def impersonation_options(w: World) -> Setup:
    return simple(w, {"token": "t", "as": "bob", "as-groups": ["x"]}, as_user="eve", as_uid="9", as_groups=("a", "b"))


@case
def impersonation_of_a_group_only(w: World) -> Setup:
    return simple(w, None, as_groups=("admins",))


# The server's name and certificate


@case
def server_name(w: World) -> Setup:
    return Setup({"config": config(w, cluster={"tls-server-name": "api.example.test"})})


@case
def server_name_option(w: World) -> Setup:
    return simple(w, None, tls_server_name="localhost")


@case
def server_name_wrong(w: World) -> Setup:
    return simple(w, None, tls_server_name="other.example.test")


@case
def server_option_drops_server_name(w: World) -> Setup:
    made = config(w, cluster={"server": "https://127.0.0.1:1", "tls-server-name": "api.example.test"})
    return Setup({"config": made}, options={"server": f"https://localhost:{w.api.port}"})


@case
def host_name(w: World) -> Setup:
    return Setup({"config": config(w, cluster={"server": f"https://localhost:{w.api.port}/"})})


@case
def authority_unknown(w: World) -> Setup:
    return Setup({"config": config(w, cluster={"certificate-authority-data": None})})


@case
def authority_file(w: World) -> Setup:
    cluster = {"certificate-authority-data": None, "certificate-authority": "pki/ca.crt"}
    return Setup({"config": config(w, cluster=cluster), **certificate_files()})


@case
def authority_option(w: World) -> Setup:
    made = config(w, cluster={"certificate-authority-data": b64(w.authorities["bare"].trust)})
    return Setup({"config": made, **certificate_files()}, options={"certificate_authority": f"{w.folder}/pki/ca.crt"})


@case
def authority_file_and_data(w: World) -> Setup:
    return Setup({"config": config(w, cluster={"certificate-authority": "pki/ca.crt"}), **certificate_files()})


@case
def authority_that_is_none(w: World) -> Setup:
    return Setup({"config": config(w, cluster={"certificate-authority-data": b64(b"no certificate")})})


@case
def insecure(w: World) -> Setup:
    cluster = {"certificate-authority-data": None, "insecure-skip-tls-verify": True}
    return Setup({"config": config(w, cluster=cluster)})


@case
def insecure_and_authority(w: World) -> Setup:
    return Setup({"config": config(w, cluster={"insecure-skip-tls-verify": True})})


@case
def insecure_option(w: World) -> Setup:
    made = config(w, cluster={"certificate-authority-data": b64(w.authorities["bare"].trust)})
    return Setup({"config": made}, options={"insecure_skip_tls_verify": True})


def _odd(name: str) -> None:
    def make(w: World) -> Setup:
        cluster = {"server": w.odd[name].url, "certificate-authority-data": b64(w.authorities[name].trust)}
        return Setup({"config": config(w, cluster=cluster)})

    CASES[f"certificate-{name}"] = make


for _name in ("bare", "commented", "middle", "small", "itself", "nameless", "expired"):
    _odd(_name)


# The way


@case
def proxy_http(w: World) -> Setup:
    return Setup(
        {"config": named(w, "api.example.test", **{"proxy-url": f"http://127.0.0.1:{w.proxies['http'].port}"})}
    )


@case
def proxy_http_with_login(w: World) -> Setup:
    url = f"http://ada:s3cret%2Fword@127.0.0.1:{w.proxies['http'].port}"
    return Setup({"config": named(w, "api.example.test", **{"proxy-url": url})})


@case
def proxy_https(w: World) -> Setup:
    url = f"https://127.0.0.1:{w.proxies['https'].port}"
    return Setup({"config": named(w, "api.example.test", **{"proxy-url": url})})


@case
def proxy_socks5(w: World) -> Setup:
    url = f"socks5://127.0.0.1:{w.proxies['socks5'].port}"
    return Setup({"config": named(w, "api.example.test", **{"proxy-url": url})})


@case
def proxy_socks5_with_login(w: World) -> Setup:
    url = f"socks5://ada:s3cret%2Fword@127.0.0.1:{w.proxies['socks5-login'].port}"
    return Setup({"config": config(w, cluster={"proxy-url": url})})


@case
def proxy_of_unknown_scheme(w: World) -> Setup:
    return Setup({"config": named(w, "api.example.test", **{"proxy-url": "ftp://127.0.0.1:21"})})


@case
def proxy_from_environment(w: World) -> Setup:
    env = {"HTTPS_PROXY": f"http://127.0.0.1:{w.proxies['http'].port}", "https_proxy": "http://127.0.0.1:1"}
    return Setup({"config": named(w, "api.example.test")}, env=env)


@case
def proxy_from_environment_in_lower_case(w: World) -> Setup:
    return Setup({"config": named(w, "api.example.test")}, env={"https_proxy": f"127.0.0.1:{w.proxies['http'].port}"})


@case
def proxy_from_environment_socks5(w: World) -> Setup:
    env = {"HTTPS_PROXY": f"socks5://127.0.0.1:{w.proxies['socks5'].port}"}
    return Setup({"config": named(w, "api.example.test")}, env=env)


@case
def proxy_not_for_loopback(w: World) -> Setup:
    return Setup({"config": config(w)}, env={"HTTPS_PROXY": "http://127.0.0.1:1"})


@case
def proxy_excepted(w: World) -> Setup:
    env = {"HTTPS_PROXY": f"http://127.0.0.1:{w.proxies['http'].port}", "NO_PROXY": "other.test, .example.test"}
    return Setup({"config": named(w, "api.example.test")}, env=env)


@case
def proxy_of_kubeconfig_knows_no_exceptions(w: World) -> Setup:
    made = named(w, "api.example.test", **{"proxy-url": f"http://127.0.0.1:{w.proxies['http'].port}"})
    return Setup({"config": made}, env={"NO_PROXY": "*", "HTTPS_PROXY": "http://127.0.0.1:1"})


@case
def proxy_for_plain_http(w: World) -> Setup:
    made = config(w, cluster={"server": "http://api.example.test:8080", "certificate-authority-data": None})
    return Setup({"config": made}, env={"HTTP_PROXY": f"http://127.0.0.1:{w.proxies['http'].port}"})


@case
def proxy_with_login_for_plain_http(w: World) -> Setup:
    made = config(w, cluster={"server": "http://api.example.test:8080", "certificate-authority-data": None})
    return Setup({"config": made}, env={"HTTP_PROXY": f"http://ada:pw@127.0.0.1:{w.proxies['http'].port}"})


@case
def plain_http_shows_no_credentials(w: World) -> Setup:
    user = {"token": "t0ken", "as": "bob"}
    return Setup({"config": config(w, cluster={"server": w.plain.url, "certificate-authority-data": None}, user=user)})


@case
def address_without_scheme(w: World) -> Setup:
    return Setup({"config": config(w, cluster={"server": f"127.0.0.1:{w.plain.port}"})})


@case
def path_before_the_api(w: World) -> Setup:
    return Setup({"config": config(w, cluster={"server": f"{w.api.url}/k8s/clusters/c-1/?x=y"})})


@case
def user_in_the_address(w: World) -> Setup:
    url = f"https://ada:pw@127.0.0.1:{w.api.port}"
    return Setup({"config": config(w, cluster={"server": url}, user=certificate())})


# Which files, which context


@case
def files_merged(w: World) -> Setup:
    first = config(w, user={"token": "first"})
    first["current-context"] = ""
    second = config(w, cluster={"server": "https://127.0.0.1:1"}, user={"token": "second", "as": "nobody"})
    second["current-context"] = "there"
    second["contexts"] = [{"name": "there", "context": {"cluster": "c", "user": "u", "namespace": "there"}}]
    second["contexts"].append({"name": "here", "context": {"cluster": "nowhere"}})
    env = {"KUBECONFIG": f"{w.folder}/no-such-file::{w.folder}/a/one:{w.folder}/two:{w.folder}/two"}
    return Setup({"a/one": first, "two": second}, env=env)


@case
def files_of_several_folders(w: World) -> Setup:
    cluster = {"certificate-authority-data": None, "certificate-authority": "../pki/ca.crt"}
    one, two = config(w, cluster=cluster), config(w, user={"tokenFile": "token"})
    one["users"], two["clusters"] = [], []
    files = {"a/one": one, "b/two": two, "b/token": b"beside", **certificate_files()}
    return Setup(files, env={"KUBECONFIG": f"{w.folder}/a/one:{w.folder}/b/two"})


@case
def file_option(w: World) -> Setup:
    files = {"config": config(w, user={"token": "wrong"}), "other": config(w, user={"token": "right"})}
    return Setup(files, options={"kubeconfig": f"{w.folder}/other"})


@case
def file_option_missing(w: World) -> Setup:
    return Setup({"config": config(w)}, options={"kubeconfig": f"{w.folder}/other"})


@case
def file_at_home(w: World) -> Setup:
    return Setup({".kube/config": config(w, user={"token": "at-home"})})


@case
def file_in_yaml(w: World) -> Setup:
    text = f"""
# comment
apiVersion: v1
clusters:
- cluster: {{server: "{w.api.url}", certificate-authority-data: {b64(certificates().ca)}}}
  name: &c 2026-11-21
contexts:
- context: {{cluster: *c, user: "on", namespace: ~}}
  name: 2026-11-21T10:00:00Z
current-context: 2026-11-21T10:00:00Z
users:
- name: "on"
  user:
    token: >-
      folded
    exec: null
preferences: {{}}
"""
    return Setup({"config": text.encode()})


@case
def file_broken(w: World) -> Setup:
    return Setup({"config": b"clusters: [}\n"})


@case
def file_empty(w: World) -> Setup:
    return Setup({"config": b""})


@case
def file_with_a_name_twice(w: World) -> Setup:
    made = config(w)
    made["users"].append({"name": "u", "user": {"token": "second"}})
    return Setup({"config": made})


@case
def no_file_but_options(w: World) -> Setup:
    return Setup(
        {"pki/ca.crt": certificates().ca},
        options={
            "server": w.api.url,
            "token": "from-option",
            "certificate_authority": f"{w.folder}/pki/ca.crt",
        },
    )


@case
def nothing_at_all(w: World) -> Setup:
    return Setup()


@case
def master_from_environment(w: World) -> Setup:
    return Setup(env={"KUBERNETES_MASTER": w.plain.url})


def _two(w: World) -> dict[str, Any]:
    made = config(w, namespace="first")
    made["clusters"].append(
        {"name": "c2", "cluster": {**made["clusters"][0]["cluster"], "tls-server-name": "localhost"}}
    )
    made["users"].append({"name": "u2", "user": {"token": "second"}})
    made["contexts"].append({"name": "there", "context": {"cluster": "c2", "user": "u2", "namespace": "second"}})
    return made


@case
def context_option(w: World) -> Setup:
    return Setup({"config": _two(w)}, options={"context": "there"})


@case
def context_unknown(w: World) -> Setup:
    return Setup({"config": _two(w)}, options={"context": "nowhere"})


@case
def context_current_unknown(w: World) -> Setup:
    return Setup({"config": {**_two(w), "current-context": "nowhere"}})


@case
def context_current_unset(w: World) -> Setup:
    return Setup({"config": {**_two(w), "current-context": ""}}, options={"cluster": "c", "user": "u2"})


@case
def cluster_and_user_options(w: World) -> Setup:
    return Setup({"config": _two(w)}, options={"cluster": "c2", "user": "u2", "namespace": "third"})


@case
def cluster_unknown(w: World) -> Setup:
    return Setup({"config": _two(w)}, options={"cluster": "nowhere"})


@case
def user_unknown(w: World) -> Setup:
    return Setup({"config": _two(w)}, options={"user": "nobody"})


@case
def user_of_context_missing(w: World) -> Setup:
    return Setup({"config": config(w, user={"token": "t"}) | {"users": []}})


@case
def user_of_context_missing_but_token(w: World) -> Setup:
    return Setup({"config": config(w) | {"users": []}}, options={"token": "from-option"})


@case
def request_timeout(w: World) -> Setup:
    return simple(w, None, request_timeout=7.0)
