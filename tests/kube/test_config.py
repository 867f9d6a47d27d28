from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import ConfigError
from fairlead.kube.config import ClusterConfig, load, read_yaml
from fairlead.settings import ClusterOptions

TEXT = """
clusters: [{name: c, cluster: {server: "https://c.test:6443"}}]
users: [{name: u, user: {token: s3cret}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: n}}]
current-context: x
"""


def write(folder: Path, name: str = "config", text: str = TEXT) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def pod(folder: Path, **env: str) -> tuple[dict[str, str], str]:
    """The environment and the service account of a pod."""
    account = folder / "account"
    account.mkdir()
    (account / "token").write_text("pod-token")
    (account / "namespace").write_text("pod-namespace\n")
    return {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443", **env}, str(account)


def loaded(env: dict[str, str], account: str = "/nowhere", **options: Any) -> ClusterConfig:
    return load(ClusterOptions(**options), env, service_account=account)


def test_options_then_environment_then_home(tmp_path: Path) -> None:
    home = write(tmp_path, ".kube/config", TEXT.replace("namespace: n", "namespace: home"))
    other = write(tmp_path, "other", TEXT.replace("namespace: n", "namespace: other"))
    env = {"HOME": str(tmp_path)}
    assert loaded(env).namespace == "home"
    assert loaded({**env, "KUBECONFIG": other}).namespace == "other"
    assert loaded({**env, "KUBECONFIG": other}, kubeconfig=home).namespace == "home"
    assert loaded({**env, "KUBECONFIG": f":/none:{other}:{home}:"}).namespace == "other"
    assert loaded({**env, "KUBECONFIG": ""}).namespace == "home"


def test_a_kubeconfig_gives_server_user_and_namespace_and_shows_no_secret(tmp_path: Path) -> None:
    found = loaded({"KUBECONFIG": write(tmp_path)}, request_timeout=5)
    assert (found.context, found.namespace, str(found.server)) == ("x", "n", "https://c.test:6443")
    assert (found.user.token, found.user_name, found.request_timeout) == ("s3cret", "u", 5)
    assert found.proxy is None
    assert "s3cret" not in repr(found)
    assert loaded({"KUBECONFIG": write(tmp_path)}, request_timeout=0).request_timeout is None


def test_the_proxy_of_the_kubeconfig_comes_before_that_of_the_environment(tmp_path: Path) -> None:
    env = {"KUBECONFIG": write(tmp_path), "HTTPS_PROXY": "http://env:1"}
    assert str(loaded(env).proxy) == "http://env:1"
    text = TEXT.replace('6443"', '6443", proxy-url: socks5://file:2')
    env["KUBECONFIG"] = write(tmp_path, text=text)
    assert str(loaded(env).proxy) == "socks5://file:2"
    env["KUBECONFIG"] = write(tmp_path, text=text.replace("socks5://file", "socks4://ada:s3cret@file"))
    with pytest.raises(ConfigError, match=r'proxy-url of cluster "c" .*http, https, socks5') as caught:
        loaded(env)
    assert "s3cret" not in str(caught.value)


def test_credentials_are_for_tls_only(tmp_path: Path) -> None:
    env = {"KUBECONFIG": write(tmp_path, text=TEXT.replace("https:", "http:"))}
    found = loaded(env, as_user="bob")
    assert (found.user.token, found.user.as_user) == ("", "bob")


def test_without_any_configuration_it_is_localhost_as_with_kubectl(tmp_path: Path) -> None:
    found = loaded({"HOME": str(tmp_path)})
    assert (str(found.server), found.namespace, found.context) == ("http://localhost:8080", "default", "")
    assert found.no_server.startswith("no kubeconfig names a cluster")
    master = loaded({"KUBERNETES_MASTER": "https://m"})
    assert (str(master.server), master.no_server) == ("https://m", "")


def test_what_to_do_where_no_server_is_named(tmp_path: Path) -> None:
    missing = f"/nope{os.pathsep}{tmp_path}/none"
    assert loaded({"KUBECONFIG": missing}).no_server == "KUBECONFIG names /nope, which does not exist"
    many = "".join(f"- {{name: c{number:02}, context: {{cluster: c}}}}\n" for number in range(20))
    env = {"KUBECONFIG": write(tmp_path, text=f"contexts:\n{many}")}
    names = ", ".join(f"c{number:02}" for number in range(10))
    assert loaded(env).no_server == f"there is no current context: give --context ({names})"


def test_in_a_pod_its_service_account_is_used(tmp_path: Path) -> None:
    env, account = pod(tmp_path, HOME=str(tmp_path))
    found = loaded(env, account)
    assert (str(found.server), found.namespace) == ("https://10.0.0.1:443", "pod-namespace")
    assert (found.user.token_file, found.cluster.ca_file) == (f"{account}/token", f"{account}/ca.crt")
    assert loaded({**env, "POD_NAMESPACE": "other"}, account).namespace == "other"
    assert loaded(env, account, namespace="given").namespace == "given"
    env["KUBERNETES_SERVICE_HOST"] = "fd00::1"
    assert str(loaded(env, account).server) == "https://[fd00::1]:443"


def test_in_a_pod_with_options(tmp_path: Path) -> None:
    env, account = pod(tmp_path, HOME=str(tmp_path))
    found = loaded(env, account, token="given", certificate_authority="/ca")
    assert (found.user.token, found.user.token_file, found.cluster.ca_file) == ("given", "", "/ca")
    assert str(loaded(env, account, server="https://s").server) == "https://s"
    assert loaded(env, account, insecure_skip_tls_verify=True).cluster.ca_file == ""


def test_a_kubeconfig_in_a_pod_counts(tmp_path: Path) -> None:
    env, account = pod(tmp_path)
    env["KUBECONFIG"] = write(tmp_path)
    assert str(loaded(env, account).server) == "https://c.test:6443"
    env["KUBECONFIG"] = write(tmp_path, text=TEXT.replace(", namespace: n", ""))
    assert loaded(env, account).namespace == "pod-namespace"  # as kubectl has it


def test_the_options_that_make_kubectl_the_same_user(tmp_path: Path) -> None:
    path = write(tmp_path, text="")
    config = load(ClusterOptions(kubeconfig=path, server="https://x", as_user="a b", as_groups=("g",)), {})
    assert config.kubectl_options == f"--kubeconfig={path} --as='a b' --as-group=g"
    assert load(ClusterOptions(as_user="x"), {"KUBECONFIG": path}).kubectl_options == "--as=x"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: [", "is not valid YAML at line "),
        ("users:\n- token: s3cret\n\tx", "is not valid YAML at line 3: found a"),
        ("{", "is not valid YAML"),
        ("a: !!python/object:os.system x", "is not valid YAML at line 1: could not determine a constructor"),
        ("just text", "is no kubeconfig"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_named_with_the_line_and_no_secret(
    tmp_path: Path, text: str, what: str
) -> None:
    path = write(tmp_path, text=text)
    with pytest.raises(ConfigError, match=what) as caught:
        loaded({"KUBECONFIG": path})
    assert path in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no kubeconfig /none \(check --kubeconfig\)"):
        loaded({}, kubeconfig="/none")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        loaded({"KUBECONFIG": str(tmp_path)})


def test_yaml_is_read_as_kubectl_reads_it() -> None:
    assert read_yaml(b"a: 2026-11-21\nb: on\nc: 1\nd: ~\n", "") == {"a": "2026-11-21", "b": True, "c": 1, "d": None}
    assert read_yaml(b'{"a": 1}', "") == {"a": 1}
    assert read_yaml(b"{a: 1}", "") == {"a": 1}
    assert read_yaml(b"", "") is None
