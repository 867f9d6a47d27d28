"""Credentials of the ``oidc`` auth-provider: the id-token while it is valid, then a new one for the refresh token.

New tokens are written back to the kubeconfig, as kubectl does: many providers take each refresh token once only, so
that keeping a new one to ourselves would lock the user's other tools out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import time

from fairlead.errors import ConfigError, CredentialsError, FairleadError
from fairlead.kit.log import get
from fairlead.kube.auth import Identity
from fairlead.kube.config import ClusterConfig
from fairlead.kube.fetch import fetch
from fairlead.kube.fetching import Fetching
from fairlead.kube.persist import write_back
from fairlead.kube.status import plain
from fairlead.kube.tls import TlsSettings
from fairlead.policy.oidc import EARLY, expires, refresh_request, refreshed, usable
from fairlead.policy.url import decode_base64

LOG = get(__name__)
WHAT = "the OpenID Connect provider"


class OidcCredentials(Fetching):
    """The id-token of the kubeconfig, refreshed when it has expired or was refused."""

    def __init__(self, config: ClusterConfig, *, now: Callable[[], float] = time) -> None:
        super().__init__(now)
        self._provider = dict(config.user.provider_config)
        self._origin = config.user.origin
        self._user_name = config.user_name
        self._env = config.env
        self.remedy = f"log in to {WHAT} again with the tool that wrote the kubeconfig"
        for name in ("idp-issuer-url", "client-id"):
            if not self._provider.get(name):
                raise ConfigError(f'user "{config.user_name}" uses the auth-provider "oidc" without {name}')

    async def refresh(self, refused: Identity) -> bool:
        """Have the next ``identity`` ask for a new token, if there is a way to."""
        return bool(self._provider.get("refresh-token")) and await super().refresh(refused)

    async def _fetch(self, *, refused: bool) -> tuple[Identity, float | None]:
        if refused or not usable(self._provider.get("id-token", ""), self._now()):
            await self._refresh()
        token = self._provider["id-token"]
        return Identity(f"Bearer {token}"), expires(token) - EARLY

    async def _refresh(self) -> None:
        if not self._provider.get("refresh-token"):
            raise CredentialsError(
                f'the id-token of user "{self._user_name}" has expired and there is no refresh-token',
                remedy=self.remedy,
            )
        tls = self._tls()
        endpoint = await self._endpoint(tls)
        status, body = 0, b""
        for password_in_form in (False, True):
            headers, form = refresh_request(self._provider, password_in_form=password_in_form)
            status, body = await fetch(endpoint, what=WHAT, tls=tls, env=self._env, headers=headers, form=form)
            if status == 200:
                break
        if status != 200:
            raise CredentialsError(
                f"{WHAT} does not take the refresh-token ({status}): {plain(body)}", remedy=self.remedy
            )
        old, self._provider = self._provider, refreshed(self._provider, _parse(body))
        try:
            write_back(self._origin, self._user_name, old, self._provider)
        except FairleadError as error:
            LOG.warning("the new tokens could not be saved: %s", error)

    async def _endpoint(self, tls: TlsSettings) -> str:
        """OpenID Connect Discovery 1.0, section 4."""
        url = self._provider["idp-issuer-url"].rstrip("/") + "/.well-known/openid-configuration"
        status, body = await fetch(url, what=WHAT, tls=tls, env=self._env)
        answer = _parse(body)
        endpoint = answer.get("token_endpoint") if isinstance(answer, dict) else None
        if status != 200 or not isinstance(endpoint, str) or not endpoint:
            raise CredentialsError(f"{WHAT} at {url} names no token_endpoint ({status})", remedy="check idp-issuer-url")
        return endpoint

    def _tls(self) -> TlsSettings:
        try:
            data = decode_base64(self._provider.get("idp-certificate-authority-data", ""))
        except ValueError as error:
            raise ConfigError(f'idp-certificate-authority-data of user "{self._user_name}" is not base64') from error
        return TlsSettings(ca_file=self._provider.get("idp-certificate-authority", ""), ca_data=data)


def _parse(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CredentialsError(f"{WHAT} answered with something that is not JSON: {plain(body)[:80]}") from error
