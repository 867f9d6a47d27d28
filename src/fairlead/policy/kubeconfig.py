"""What a kubeconfig says and what the command line makes of it, by client-go's clientcmd rules.

Files are read elsewhere; ``kubeconfig_parse`` turns each into a Kubeconfig. Here several are merged, one context is
chosen, options override it, and contradictions become one ConfigError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from fairlead.errors import ConfigError
from fairlead.model.masked import masked
from fairlead.settings import ClusterOptions

DEFAULT_SERVER = "http://localhost:8080"
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Cluster(NamedTuple):
    """One API server: where it is and how to know that it is the right one."""

    server: str = ""
    tls_server_name: str = ""
    insecure: bool = False
    ca_file: str = ""
    ca_data: bytes = b""
    proxy_url: str = ""
    disable_compression: bool = False
    """Told to credential plugins; our own requests never ask for compressed answers."""
    exec_config: Any = None
    """The extension ``client.authentication.k8s.io/exec``, handed to credential plugins."""

    def __repr__(self) -> str:
        return masked(self, "ca_data", "proxy_url")


class ExecPlugin(NamedTuple):
    """A program that prints credentials (client.authentication.k8s.io)."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""

    def __repr__(self) -> str:
        return masked(self, "args", "env")


class User(NamedTuple):
    """One identity, with everything that may prove it."""

    client_certificate: str = ""
    client_certificate_data: bytes = b""
    client_key: str = ""
    client_key_data: bytes = b""
    token: str = ""
    token_file: str = ""
    username: str = ""
    password: str = ""
    as_user: str = ""
    as_uid: str = ""
    as_groups: tuple[str, ...] = ()
    as_extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    provider: str = ""
    """Name of the auth-provider; client-go has only ``oidc`` left."""
    provider_config: Mapping[str, str] = NOTHING
    plugin: ExecPlugin | None = None
    origin: str = ""
    """The kubeconfig this came from, where refreshed tokens are written back."""

    def __repr__(self) -> str:
        return masked(self, "client_certificate_data", "client_key_data", "token", "password", "provider_config")

    @property
    def has_certificate(self) -> bool:
        """Whether a client certificate is configured outside plugins."""
        return bool(self.client_certificate or self.client_certificate_data)

    @property
    def impersonation(self) -> tuple[tuple[str, str], ...]:
        """The headers that ask to act as somebody else."""
        if not self.as_user:
            return ()
        headers = [("Impersonate-User", self.as_user)]
        if self.as_uid:
            headers.append(("Impersonate-Uid", self.as_uid))
        headers += [("Impersonate-Group", group) for group in self.as_groups]
        for key, values in self.as_extra:
            headers += [(f"Impersonate-Extra-{_header_key(key)}", value) for value in values]
        return tuple(headers)


class Context(NamedTuple):
    """A cluster, a user and a namespace under one name."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""


class Kubeconfig(NamedTuple):
    """One file, or several merged."""

    clusters: Mapping[str, Cluster] = NOTHING
    users: Mapping[str, User] = NOTHING
    contexts: Mapping[str, Context] = NOTHING
    current_context: str = ""


class Selection(NamedTuple):
    """The cluster and the user that one run speaks for."""

    context: str
    namespace: str
    """"" if neither an option nor the context names one."""
    cluster_name: str
    user_name: str
    cluster: Cluster
    user: User
    default: bool
    """Nothing names a server: in a pod, the pod's own service account is meant."""


def merge(files: Iterable[Kubeconfig]) -> Kubeconfig:
    """The first file to name a thing decides all of it; the first current-context counts."""
    clusters: dict[str, Cluster] = {}
    users: dict[str, User] = {}
    contexts: dict[str, Context] = {}
    current = ""
    for file in files:
        clusters = {**file.clusters, **clusters}
        users = {**file.users, **users}
        contexts = {**file.contexts, **contexts}
        current = current or file.current_context
    return Kubeconfig(clusters=clusters, users=users, contexts=contexts, current_context=current)


def select(config: Kubeconfig, options: ClusterOptions, *, default_server: str = DEFAULT_SERVER) -> Selection:
    """Choose context, cluster and user, let the options override them, and refuse what contradicts itself."""
    name = options.context or config.current_context
    if name and name not in config.contexts:
        raise ConfigError(f'context "{name}" is not in the kubeconfig', remedy=_known("contexts", config.contexts))
    context = config.contexts.get(name, Context())
    cluster_name, user_name = options.cluster or context.cluster, options.user or context.user
    if cluster_name and cluster_name not in config.clusters and (options.cluster or not options.server):
        raise ConfigError(
            f'cluster "{cluster_name}"{_of(name, options.cluster)} is not in the kubeconfig',
            remedy=_known("clusters", config.clusters),
        )
    if user_name and user_name not in config.users and (options.user or not _brings_identity(options)):
        raise ConfigError(
            f'user "{user_name}"{_of(name, options.user)} is not in the kubeconfig',
            remedy=_known("users", config.users),
        )
    found = config.clusters.get(cluster_name, Cluster())
    cluster = _override_cluster(found, options)
    user = _override_user(config.users.get(user_name, User()), options)
    _check_cluster(cluster, cluster_name)
    _check_user(user, user_name)
    return Selection(
        context=name,
        namespace=options.namespace or context.namespace,
        cluster_name=cluster_name,
        user_name=user_name,
        cluster=cluster if cluster.server else cluster._replace(server=default_server),
        user=user,
        default=not cluster.server,
    )


def _override_cluster(cluster: Cluster, options: ClusterOptions) -> Cluster:
    if options.insecure_skip_tls_verify or options.certificate_authority:
        insecure = bool(options.insecure_skip_tls_verify)
        cluster = cluster._replace(insecure=insecure, ca_file=options.certificate_authority or "", ca_data=b"")
    if options.tls_server_name or options.server:
        # a name that fits the kubeconfig's server seldom fits another one
        cluster = cluster._replace(tls_server_name=options.tls_server_name or "")
    return cluster._replace(
        server=options.server or cluster.server,
        disable_compression=bool(options.disable_compression) or cluster.disable_compression,
    )


def _override_user(user: User, options: ClusterOptions) -> User:
    if options.token:
        user = user._replace(token=options.token, token_file="")
    if options.client_certificate:
        user = user._replace(client_certificate=options.client_certificate, client_certificate_data=b"")
    if options.client_key:
        user = user._replace(client_key=options.client_key, client_key_data=b"")
    return user._replace(
        username=options.username or user.username,
        password=options.password or user.password,
        as_user=options.as_user or user.as_user,
        as_uid=options.as_uid or user.as_uid,
        as_groups=options.as_groups or user.as_groups,
        as_extra=_extra(options.as_user_extra) or user.as_extra,
    )


def _extra(words: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """``--as-user-extra key=value``, repeatable; a key that comes again adds a value."""
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise ConfigError(f"--as-user-extra {word!r} is not KEY=VALUE")
        found[key] = (*found.get(key, ()), value)
    return tuple(found.items())


def _check_cluster(cluster: Cluster, name: str) -> None:
    named = f'cluster "{name}"' if name else "the cluster"
    if cluster.ca_file and cluster.ca_data:
        raise ConfigError(f"{named} has both certificate-authority and certificate-authority-data", remedy="keep one")
    if cluster.insecure and (cluster.ca_file or cluster.ca_data) and cluster.server.startswith("https:"):
        raise ConfigError(
            f"{named} has a certificate authority and insecure-skip-tls-verify, which contradict each other",
            remedy="keep one",
        )


def _check_user(user: User, name: str) -> None:
    named = f'user "{name}"' if name else "the user"
    if user.token and (user.username or user.password):
        raise ConfigError(f"{named} has a token and a user name with a password", remedy="only one can be used")
    if user.client_certificate and user.client_certificate_data:
        raise ConfigError(f"{named} has both client-certificate and client-certificate-data", remedy="keep one")
    if user.has_certificate and user.client_key and user.client_key_data:
        raise ConfigError(f"{named} has both client-key and client-key-data", remedy="keep one")
    if user.has_certificate and not user.client_key and not user.client_key_data:
        raise ConfigError(
            f"{named} has a client certificate without its key", remedy="add client-key or client-key-data"
        )
    if (user.as_uid or user.as_groups or user.as_extra) and not user.as_user:
        raise ConfigError(f"{named} asks for another uid, group or extra without another user", remedy="add --as")
    if user.plugin is not None:
        if user.provider:
            raise ConfigError(f"{named} has both an exec plugin and an auth-provider", remedy="keep one")
        _check_plugin(user.plugin, named)


def _check_plugin(plugin: ExecPlugin, named: str) -> None:
    if not plugin.command:
        raise ConfigError(f"the exec plugin of {named} has no command")
    if plugin.api_version not in ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"):
        raise ConfigError(
            f"the exec plugin of {named} has the apiVersion {plugin.api_version!r}, which is not supported",
            remedy="use client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1",
        )
    if plugin.interactive_mode not in ("Never", "IfAvailable", "Always"):
        raise ConfigError(
            f"the exec plugin of {named} has the interactiveMode {plugin.interactive_mode!r}",
            remedy="use Never, IfAvailable or Always",
        )
    if any(not name for name, _ in plugin.env):
        raise ConfigError(f"the exec plugin of {named} has an environment variable without a name")


def _brings_identity(options: ClusterOptions) -> bool:
    return bool(options.token or options.username or options.client_certificate)


def _of(context: str, option: str | None) -> str:
    return f' of context "{context}"' if context and not option else ""


def _known(kind: str, names: Iterable[str]) -> str:
    """A remedy that lists what there is; 20 names fill a terminal's line or two."""
    some = sorted(names)
    if not some:
        return f"there are no {kind} in it"
    return f"{kind} there: {', '.join(some[:20])}" + (", ..." if len(some) > 20 else "")


def _header_key(key: str) -> str:
    """Percent-encode what a header name may not hold (RFC 9110 token), and ``%`` itself, as client-go does."""
    good = "!#$&'*+-.^_`|~"
    return "".join(
        char if char.isascii() and (char.isalnum() or char in good) else "".join(f"%{b:02X}" for b in char.encode())
        for char in key
    )
