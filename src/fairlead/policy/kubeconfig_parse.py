"""One kubeconfig document, already parsed from YAML, as values (k8s.io/client-go tools/clientcmd/api/v1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fairlead.errors import ConfigError
from fairlead.policy.kubeconfig import Cluster, Context, ExecPlugin, Kubeconfig, User
from fairlead.policy.url import decode_base64

EXEC_EXTENSION = "client.authentication.k8s.io/exec"
V1BETA1 = "client.authentication.k8s.io/v1beta1"

T = TypeVar("T")


def parse(document: Any, *, origin: str, base: str) -> Kubeconfig:
    """The values of one file. ``origin`` names it in errors; relative paths in it are resolved against ``base``.

    Raises ConfigError that names the field; never shows a value, which may be a secret.
    """
    if not isinstance(document, Mapping | None):
        raise ConfigError(f"{origin} is no kubeconfig: it has other text in it", remedy="kubectl config view shows one")
    root = _Fields({} if document is None else document, f"kubeconfig {origin}")
    kind, version = root.text("kind"), root.text("apiVersion")
    if kind not in ("", "Config") or version not in ("", "v1"):
        raise ConfigError(f"{origin} is no kubeconfig: it is a {version} {kind}")

    def user(fields: _Fields) -> User:
        return _user(fields, origin, base)

    def cluster(fields: _Fields) -> Cluster:
        return _cluster(fields, base)

    return Kubeconfig(
        clusters=root.named("clusters", "cluster", cluster),
        users=root.named("users", "user", user),
        contexts=root.named("contexts", "context", _context),
        current_context=root.text("current-context"),
    )


class _Fields:
    """A mapping of the document, read field by field with the type that Go would insist on."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} is not a mapping")
        self.values = value
        self.where = where

    def _get(self, name: str, kind: type[T] | tuple[type[T], ...], wanted: str) -> T | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, kind):
            raise ConfigError(
                f"{name} in {self.where} is not {wanted}", remedy="put it in quotes" if kind is str else ""
            )
        return value

    def text(self, name: str) -> str:
        return self._get(name, str, "a string") or ""

    def flag(self, name: str) -> bool:
        return self._get(name, bool, "true or false") or False

    def data(self, name: str) -> bytes:
        try:
            return decode_base64(self.text(name))
        except ValueError as error:
            raise ConfigError(f"{name} in {self.where} is not base64") from error

    def path(self, name: str, base: str) -> str:
        return resolve(self.text(name), base)

    def texts(self, name: str) -> tuple[str, ...]:
        found = self._get(name, list, "a list") or []
        if not all(isinstance(word, str) for word in found):
            raise ConfigError(f"{name} in {self.where} holds something that is not a string", remedy="put it in quotes")
        return tuple(found)

    def part(self, name: str) -> _Fields | None:
        value = self.values.get(name)
        return None if value is None else _Fields(value, f"{name} in {self.where}")

    def parts(self, name: str) -> list[_Fields]:
        return [_Fields(item, f"an entry of {name} in {self.where}") for item in self._get(name, list, "a list") or []]

    def strings(self, name: str) -> dict[str, str]:
        part = self.part(name)
        return {} if part is None else {str(key): part.text(key) for key in part.values}

    def named(self, name: str, inner: str, make: Callable[[_Fields], T]) -> dict[str, T]:
        found: dict[str, T] = {}
        for item in self.parts(name):
            key = item.text("name")
            if key in found:
                raise ConfigError(f'{name} in {self.where} has the name "{key}" twice')
            found[key] = make(_Fields(item.values.get(inner) or {}, f'{inner} "{key}" in {self.where}'))
        return found


def resolve(path: str, base: str) -> str:
    """``path`` as seen from the folder ``base``."""
    return path if not path or path.startswith("/") else f"{base.rstrip('/')}/{path}"


def _cluster(fields: _Fields, base: str) -> Cluster:
    extensions = {item.text("name"): item.values.get("extension") for item in fields.parts("extensions")}
    return Cluster(
        server=fields.text("server"),
        tls_server_name=fields.text("tls-server-name"),
        insecure=fields.flag("insecure-skip-tls-verify"),
        ca_file=fields.path("certificate-authority", base),
        ca_data=fields.data("certificate-authority-data"),
        proxy_url=fields.text("proxy-url"),
        disable_compression=fields.flag("disable-compression"),
        exec_config=extensions.get(EXEC_EXTENSION),
    )


def _context(fields: _Fields) -> Context:
    return Context(cluster=fields.text("cluster"), user=fields.text("user"), namespace=fields.text("namespace"))


def _user(fields: _Fields, origin: str, base: str) -> User:
    provider = fields.part("auth-provider")
    plugin = fields.part("exec")
    extra = fields.part("as-user-extra")
    return User(
        client_certificate=fields.path("client-certificate", base),
        client_certificate_data=fields.data("client-certificate-data"),
        client_key=fields.path("client-key", base),
        client_key_data=fields.data("client-key-data"),
        token=fields.text("token"),
        token_file=fields.path("tokenFile", base),
        username=fields.text("username"),
        password=fields.text("password"),
        as_user=fields.text("as"),
        as_uid=fields.text("as-uid"),
        as_groups=fields.texts("as-groups"),
        as_extra=() if extra is None else tuple((str(key), extra.texts(key)) for key in extra.values),
        provider="" if provider is None else provider.text("name"),
        provider_config={} if provider is None else provider.strings("config"),
        plugin=None if plugin is None else _plugin(plugin, base),
        origin=origin,
    )


def _plugin(fields: _Fields, base: str) -> ExecPlugin:
    command = fields.text("command")
    version = fields.text("apiVersion")
    mode = fields.text("interactiveMode")
    return ExecPlugin(
        # a bare word is looked up on PATH
        command=resolve(command, base) if "/" in command else command,
        args=fields.texts("args"),
        env=tuple((item.text("name"), item.text("value")) for item in fields.parts("env")),
        api_version=version,
        install_hint="".join(char for char in fields.text("installHint") if char.isprintable() or char in "\n\t"),
        provide_cluster_info=fields.flag("provideClusterInfo"),
        interactive_mode=mode or ("IfAvailable" if version == V1BETA1 else ""),
    )
