"""From options, environment and files to one cluster: what kubectl would talk to with the same words."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fairlead.errors import ConfigError
from fairlead.model.masked import masked
from fairlead.policy import plain_yaml
from fairlead.policy.kubeconfig import DEFAULT_SERVER, NOTHING, Cluster, Kubeconfig, Selection, User, merge, select
from fairlead.policy.kubeconfig_parse import parse
from fairlead.policy.no_proxy import proxy_from_environment
from fairlead.policy.url import Url, parse_url
from fairlead.settings import ClusterOptions

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a pod finds its own token, CA and namespace."""

MOST_NAMED = 10
"""Contexts in a message: some have hundreds."""


class ClusterConfig(NamedTuple):
    """Everything needed to talk to one API server as one user."""

    context: str
    """"" if there is none, as in a pod."""
    namespace: str
    server: Url
    cluster: Cluster
    user: User
    user_name: str = ""
    proxy: Url | None = None
    request_timeout: float | None = None
    """Seconds; None means no limit."""
    no_server: str = ""
    """What to do, where nothing named a server and ``server`` is kubectl's default."""
    kubeconfig: str = ""
    """The file that --kubeconfig names."""
    env: Mapping[str, str] = NOTHING
    """The environment, for credential plugins."""

    def __repr__(self) -> str:
        return masked(self, "env")

    @property
    def kubectl_options(self) -> str:
        """What makes kubectl the same user of the same cluster, as words of a shell; the namespace is the caller's."""
        import shlex  # for an error message alone

        user = self.user
        given = [("--kubeconfig", self.kubeconfig), ("--context", self.context)]
        given += [("--as", user.as_user), ("--as-uid", user.as_user and user.as_uid)]
        given += [("--as-group", group) for group in user.as_groups if user.as_user]
        return " ".join(f"{option}={shlex.quote(value)}" for option, value in given if value)


def load(options: ClusterOptions, env: Mapping[str, str], *, service_account: str = SERVICE_ACCOUNT) -> ClusterConfig:
    """Read the kubeconfig files that ``options`` and ``env`` name, or in a pod its service account.

    Raises ConfigError. Credentials are not fetched and certificates are not read yet.
    """
    files = read_files(options, env)
    selection = select(files, options, default_server=env.get("KUBERNETES_MASTER") or DEFAULT_SERVER)
    in_pod = _in_pod(env, service_account)
    if selection.default and in_pod:
        selection = _pod_selection(selection, options, env, service_account)
    server = parse_url(
        selection.cluster.server,
        what=f'the server of cluster "{selection.cluster_name}"' if selection.cluster_name else "the server",
        schemes=("https", "http"),
        default_scheme="http",
    )
    return ClusterConfig(
        context=selection.context,
        namespace=selection.namespace or (_pod_namespace(env, service_account) if in_pod else "default"),
        server=server,
        cluster=selection.cluster,
        # credentials are for TLS only, as with kubectl; whom to act as is no secret
        user=selection.user if server.secure else _without_secrets(selection.user),
        user_name=selection.user_name,
        proxy=_proxy(selection, server, env),
        request_timeout=options.request_timeout or None,
        no_server=_name_one(files, env) if selection.default and not env.get("KUBERNETES_MASTER") else "",
        kubeconfig=options.kubeconfig or "",
        env=env,
    )


def read_files(options: ClusterOptions, env: Mapping[str, str]) -> Kubeconfig:
    """``--kubeconfig``, else the files of KUBECONFIG that exist, else ``~/.kube/config`` if it exists, merged."""
    if options.kubeconfig:
        found = _read(options.kubeconfig)
        if found is None:
            raise ConfigError(f"there is no kubeconfig {options.kubeconfig}", remedy="check --kubeconfig")
        return found
    names: Sequence[str]
    if env.get("KUBECONFIG"):
        names = [name for name in dict.fromkeys(env["KUBECONFIG"].split(os.pathsep)) if name]
    else:
        names = [os.path.join(env.get("HOME", ""), ".kube", "config")]
    return merge(file for file in map(_read, names) if file is not None)


def _read(path: str) -> Kubeconfig | None:
    """One file, or None if it does not exist."""
    try:
        with open(path, "rb") as file:
            text = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"the kubeconfig {path} cannot be read: {error.strerror}") from error
    return parse(read_yaml(text, path), origin=path, base=os.path.dirname(os.path.abspath(path)))


def read_yaml(text: bytes, path: str, what: str = "the kubeconfig") -> Any:
    """``text`` as YAML or JSON; the YAML that kubectl writes is read without PyYAML, which takes long to import."""
    plain = plain_yaml.parse(text)
    return load_yaml(text, path, what) if plain is None else plain


def load_yaml(text: bytes, path: str, what: str = "the kubeconfig") -> Any:
    """The same with PyYAML; timestamps stay strings, as a token or a name may look like one. Raises ConfigError."""
    if text.lstrip()[:1] == b"{":
        import json

        try:
            return json.loads(text)
        except ValueError:
            pass  # YAML's flow style begins with a brace, too
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, pairs in base.yaml_implicit_resolvers.items()
    }
    loader = type("Loader", (base,), {"yaml_implicit_resolvers": resolvers})
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 (a subclass of the safe loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        # the text around the mark may be a secret, so that only its place is shown
        place = f" at line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark is not None else ""
        raise ConfigError(f"{what} {path} is not valid YAML{place}") from None


def _name_one(files: Kubeconfig, env: Mapping[str, str]) -> str:
    if files.contexts:
        return f"there is no current context: give --context ({', '.join(sorted(files.contexts)[:MOST_NAMED])})"
    missing = [name for name in env.get("KUBECONFIG", "").split(os.pathsep) if name and not os.path.exists(name)]
    if missing:
        return f"KUBECONFIG names {missing[0]}, which does not exist"
    return "no kubeconfig names a cluster: set KUBECONFIG, or give --kubeconfig or --server"


def _proxy(selection: Selection, server: Url, env: Mapping[str, str]) -> Url | None:
    if selection.cluster.proxy_url:
        what = f'the proxy-url of cluster "{selection.cluster_name}"'
        return parse_url(selection.cluster.proxy_url, what=what, schemes=("http", "https", "socks5"))
    return proxy_from_environment(server, env)


def _in_pod(env: Mapping[str, str], folder: str) -> bool:
    return bool(
        env.get("KUBERNETES_SERVICE_HOST")
        and env.get("KUBERNETES_SERVICE_PORT")
        and os.path.isfile(os.path.join(folder, "token"))
    )


def _pod_selection(selection: Selection, options: ClusterOptions, env: Mapping[str, str], folder: str) -> Selection:
    host, port = env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT"]
    token = User() if options.token else User(token_file=os.path.join(folder, "token"))
    cluster = selection.cluster._replace(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        ca_file="" if selection.cluster.insecure else options.certificate_authority or os.path.join(folder, "ca.crt"),
    )
    user = selection.user._replace(token_file=token.token_file)
    return selection._replace(
        context="", default=False, cluster=cluster, user=user, user_name="the pod's service account"
    )


def _pod_namespace(env: Mapping[str, str], folder: str) -> str:
    if env.get("POD_NAMESPACE"):
        return env["POD_NAMESPACE"]
    try:
        with open(os.path.join(folder, "namespace"), encoding="utf-8") as file:
            return file.read().strip() or "default"
    except OSError:
        return "default"


def _without_secrets(user: User) -> User:
    return User(
        as_user=user.as_user, as_uid=user.as_uid, as_groups=user.as_groups, as_extra=user.as_extra, origin=user.origin
    )
