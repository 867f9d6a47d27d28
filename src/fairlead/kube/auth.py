"""Who we are to the API server: one small protocol, and the kinds of credentials that a kubeconfig can hold.

What counts when several are given is client-go's order: a token or a password outranks a plugin or a provider; a
client certificate goes with any of them, but a plugin is not run when there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import NamedTuple, Protocol

from fairlead.errors import ConfigError
from fairlead.kit.log import get
from fairlead.kube.config import ClusterConfig
from fairlead.kube.tls import ClientCertificate, read_file
from fairlead.model.masked import masked
from fairlead.policy.kubeconfig import User
from fairlead.policy.url import basic

LOG = get(__name__)
REREAD = 60.0
"""Seconds a token file's content is used; the kubelet replaces tokens minutes before they expire."""


class Identity(NamedTuple):
    """What one request or connection shows."""

    authorization: str = ""
    certificate: ClientCertificate | None = None

    def __repr__(self) -> str:
        return masked(self, "authorization")


class Credentials(Protocol):
    """A source of identities. ``remedy`` says what to do when the server does not accept them."""

    @property
    def remedy(self) -> str:
        """One phrase, for the error of a 401."""

    async def identity(self) -> Identity:
        """The identity to use now; fetched again when it is known to have expired."""

    async def refresh(self, refused: Identity) -> bool:
        """The server refused ``refused``: forget it. Whether trying again makes sense."""


def credentials(
    config: ClusterConfig, *, now: Callable[[], float] = time, stdin_free: Callable[[], bool] = lambda: True
) -> Credentials:
    """The user's credentials. ``stdin_free``: whether a plugin may ask questions on standard input now."""
    user = config.user
    certificate = CertificateFiles(user) if user.has_certificate else None
    bearer = _bearer(config, user, now, stdin_free)
    if certificate is None:
        return bearer
    return Both(bearer, certificate)


def _bearer(config: ClusterConfig, user: User, now: Callable[[], float], stdin_free: Callable[[], bool]) -> Credentials:
    named = f'user "{config.user_name}"' if config.user_name else "the user"
    if user.token_file:
        return TokenFile(user.token_file, fallback=user.token, now=now)
    if user.token:
        remedy = f"the token of {named} may have expired: get a new one"
        return Static(Identity(f"Bearer {_header_safe(user.token, named)}"), remedy)
    if user.username or user.password:
        return Static(Identity(basic(user.username, user.password)), f"check user name and password of {named}")
    if user.plugin is not None and not user.has_certificate:
        from fairlead.kube.exec_plugin import PluginCredentials

        return PluginCredentials(config, user.plugin, now=now, stdin_free=stdin_free)
    if user.provider == "oidc":
        from fairlead.kube.oidc import OidcCredentials

        return OidcCredentials(config, now=now)
    if user.provider:
        raise ConfigError(
            f'{named} uses the auth-provider "{user.provider}", which kubectl has dropped too',
            remedy="get new credentials from your provider's command-line tool, which set up an exec plugin",
        )
    if user.has_certificate:
        return Static(Identity(), f"the client certificate of {named} may have expired: get a new one")
    return Static(
        Identity(), f"{named} has no credentials in the kubeconfig" if config.user_name else "no user is chosen"
    )


class Static:
    """Credentials that do not change: a token, a password, or nothing."""

    def __init__(self, identity: Identity, remedy: str) -> None:
        self._identity = identity
        self.remedy = remedy

    async def identity(self) -> Identity:
        """Always the same."""
        return self._identity

    async def refresh(self, refused: Identity) -> bool:
        """Nothing to get anew."""
        return False


class TokenFile:
    """A token in a file that somebody else replaces; read again after a minute, and after a 401.

    Where it cannot be read, the last content counts, then ``fallback``.
    """

    def __init__(self, path: str, *, fallback: str = "", now: Callable[[], float] = time) -> None:
        self._path = path
        self._token = fallback
        self._now = now
        self._read_at: float | None = None
        self.remedy = f"the token in {path} may have expired"

    async def identity(self) -> Identity:
        """The file's content, at most a minute old."""
        if self._read_at is None or not 0 <= self._now() - self._read_at < REREAD:
            self._read()
        return Identity(f"Bearer {self._token}")

    def _read(self) -> None:
        try:
            text = read_file(self._path, "token file").decode("ascii", "replace").strip()
            if not text:
                raise ConfigError(f"the token file {self._path} is empty")
            self._token = _header_safe(text, f"the token file {self._path}")
        except ConfigError as error:
            if not self._token:
                raise
            LOG.warning("%s; the last token is used", error)
        self._read_at = self._now()

    async def refresh(self, refused: Identity) -> bool:
        """Read the file now; a new attempt makes sense if it has changed."""
        self._read()
        return refused.authorization != f"Bearer {self._token}"


class CertificateFiles:
    """A client certificate, from data or from files; files are read for each new connection, as they get renewed."""

    def __init__(self, user: User) -> None:
        self._user = user

    def current(self) -> ClientCertificate:
        """The certificate as it is now."""
        user = self._user
        chain = user.client_certificate_data or read_file(user.client_certificate, "client certificate")
        return ClientCertificate(chain, user.client_key_data or read_file(user.client_key, "client key"))


class Both:
    """A client certificate beside other credentials."""

    def __init__(self, other: Credentials, certificate: CertificateFiles) -> None:
        self._other = other
        self._certificate = certificate

    @property
    def remedy(self) -> str:
        """What the other credentials say."""
        return self._other.remedy

    async def identity(self) -> Identity:
        """Both at once."""
        return Identity((await self._other.identity()).authorization, self._certificate.current())

    async def refresh(self, refused: Identity) -> bool:
        """Whether either of them has changed."""
        changed = await self._other.refresh(Identity(refused.authorization))
        return changed or self._certificate.current() != refused.certificate


def _header_safe(token: str, named: str) -> str:
    """``token`` if it can be part of a header; never shows it."""
    if not token.isascii() or not token.isprintable():
        raise ConfigError(f"the token of {named} holds a line break or another character that no token has")
    return token
