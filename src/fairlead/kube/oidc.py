"""OpenID Connect tokens of the ``oidc`` auth-provider: used while valid, refreshed with the refresh token."""

from __future__ import annotations

from collections.abc import Callable
from time import time

from fairlead.errors import CredentialsError
from fairlead.kube.auth import Identity
from fairlead.kube.config import ClusterConfig


class OidcCredentials:
    """The id-token of the kubeconfig."""

    def __init__(self, config: ClusterConfig, *, now: Callable[[], float] = time) -> None:
        self._config = config
        self._now = now
        self.remedy = "log in to the OpenID Connect provider again"

    async def identity(self) -> Identity:
        """The id-token as it is."""
        token = self._config.user.provider_config.get("id-token", "")
        if not token:
            raise CredentialsError("there is no id-token in the kubeconfig", remedy=self.remedy)
        return Identity(f"Bearer {token}")

    async def refresh(self, refused: Identity) -> bool:
        """Nothing to get anew."""
        return False
