from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import ConfigError, CredentialsError, UnreachableError
from fairlead.kube.config import ClusterConfig, load
from fairlead.kube.fetching import BACK_OFF
from fairlead.kube.oidc import OidcCredentials
from fairlead.settings import ClusterOptions
from tests.support.loop import run
from tests.support.oidc import Provider, id_token
from tests.support.tlsfiles import certificates

OLD, NEW = id_token(2000, sub="old"), id_token(9000, sub="new")


def config(folder: Path, provider: Provider, **fields: str) -> ClusterConfig:
    """As ``load`` gives it for a kubeconfig in ``folder``."""
    values = {
        "idp-issuer-url": f"{provider.url}/realm/",
        "client-id": "kube",
        "idp-certificate-authority-data": base64.b64encode(certificates().ca).decode(),
        "id-token": OLD,
        "refresh-token": "old-refresh",
        **fields,
    }
    document: dict[str, Any] = {
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": "https://a.test"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"auth-provider": {"name": "oidc", "config": values}}}],
    }
    (folder / "config").write_text(json.dumps(document))
    return load(ClusterOptions(kubeconfig=str(folder / "config")), {})


def saved(folder: Path) -> dict[str, str]:
    document = json.loads((folder / "config").read_text())
    found: dict[str, str] = document["users"][0]["user"]["auth-provider"]["config"]
    return found


def test_valid_token_is_used_as_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with Provider(new_token=NEW) as provider:
            source = OidcCredentials(config(tmp_path, provider), now=lambda: 1989)
            assert (await source.identity()).authorization == f"Bearer {OLD}"
            assert provider.seen == []

    run(main())


def test_expired_token_is_refreshed_once_and_saved(tmp_path: Path) -> None:
    async def main() -> None:
        async with Provider(new_token=NEW) as provider:
            source = OidcCredentials(config(tmp_path, provider), now=lambda: 1990)
            found = await asyncio.gather(*(source.identity() for _ in range(3)))
            assert {identity.authorization for identity in found} == {f"Bearer {NEW}"}
            assert provider.forms == [{"grant_type": "refresh_token", "refresh_token": "old-refresh"}]

    run(main())
    assert (saved(tmp_path)["id-token"], saved(tmp_path)["refresh-token"]) == (NEW, "new-refresh")
    assert saved(tmp_path)["client-id"] == "kube"


def test_refused_token_is_refreshed(tmp_path: Path) -> None:
    async def main() -> None:
        async with Provider(new_token=NEW) as provider:
            source = OidcCredentials(config(tmp_path, provider), now=lambda: 0)
            old = await source.identity()
            assert await source.refresh(old)
            assert (await source.identity()).authorization == f"Bearer {NEW}"

    run(main())


def test_without_an_id_token_it_is_fetched_and_written(tmp_path: Path) -> None:
    async def main() -> None:
        async with Provider(new_token=NEW) as provider:
            source = OidcCredentials(config(tmp_path, provider, **{"id-token": ""}), now=lambda: 0)
            assert (await source.identity()).authorization == f"Bearer {NEW}"

    run(main())
    assert saved(tmp_path)["id-token"] == NEW


def test_tokens_that_cannot_be_saved_are_used_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with Provider(new_token=NEW) as provider:
            made = config(tmp_path, provider)
            (tmp_path / "config.lock").touch()
            source = OidcCredentials(made, now=lambda: 5000)
            assert (await source.identity()).authorization == f"Bearer {NEW}"

    run(main())
    assert "the new tokens could not be saved" in caplog.text
    assert NEW not in caplog.text
    assert saved(tmp_path)["id-token"] == OLD


@pytest.mark.parametrize(
    ("fields", "kind", "what"),
    [
        ({"refresh-token": ""}, CredentialsError, 'id-token of user "u" has expired and there is no refresh-token'),
        ({"refresh-token": "stolen"}, CredentialsError, r"does not take the refresh-token \(400\): .*invalid_grant"),
        ({"idp-certificate-authority-data": ""}, UnreachableError, "the OpenID Connect provider at .* not signed by"),
        ({"idp-certificate-authority-data": "%%%="}, ConfigError, "not base64"),
        ({"idp-issuer-url": "https://127.0.0.1:1"}, UnreachableError, "provider at https://127.0.0.1:1.* refused"),
        ({"id-token": "x"}, CredentialsError, "not a JSON Web Token"),
    ],
)
def test_why_no_new_token_can_be_had(tmp_path: Path, fields: dict[str, str], kind: type[Exception], what: str) -> None:
    async def main() -> None:
        async with Provider() as provider:
            with pytest.raises(kind, match=what):
                await OidcCredentials(config(tmp_path, provider, **fields), now=lambda: 5000).identity()

    run(main())


def test_an_issuer_that_is_no_provider_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with Provider() as provider:
            made = config(tmp_path, provider, **{"idp-issuer-url": f"{provider.url}/other"})
            with pytest.raises(CredentialsError, match="names no token_endpoint"):
                await OidcCredentials(made, now=lambda: 5000).identity()

    run(main())


@pytest.mark.parametrize("name", ["idp-issuer-url", "client-id"])
def test_what_every_provider_needs(tmp_path: Path, name: str) -> None:
    made = config(tmp_path, Provider())
    user = made.user._replace(provider_config={**made.user.provider_config, name: ""})
    with pytest.raises(ConfigError, match=f"without {name}"):
        OidcCredentials(made._replace(user=user))


def test_a_refresh_that_failed_is_not_repeated_at_once(tmp_path: Path) -> None:
    """Many connections ask while the login has run out."""

    async def main() -> None:
        async with Provider() as provider:
            moment = 5000.0
            source = OidcCredentials(config(tmp_path, provider, **{"refresh-token": "stolen"}), now=lambda: moment)
            for _ in range(5):
                with pytest.raises(CredentialsError, match="does not take the refresh-token"):
                    await source.identity()
            assert len(provider.forms) == 2, "one refresh, in both ways that providers want it"
            moment += BACK_OFF
            provider.refresh_token = "stolen"
            assert (await source.identity()).authorization == f"Bearer {provider.new_token}"

    run(main())


def test_a_new_token_that_is_refused_too_is_not_replaced_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with Provider() as provider:
            moment = 0.0
            source = OidcCredentials(config(tmp_path, provider), now=lambda: moment)
            assert await source.refresh(await source.identity())
            for _ in range(5):
                assert not await source.refresh(await source.identity())
            assert len(provider.forms) == 1
            moment = BACK_OFF
            assert await source.refresh(await source.identity())

    run(main())


def test_a_token_that_comes_expired_is_for_the_server_to_judge(tmp_path: Path) -> None:
    """The clock of this machine is wrong."""

    async def main() -> None:
        async with Provider(new_token=NEW) as provider:
            moment = 90000.0
            source = OidcCredentials(config(tmp_path, provider), now=lambda: moment)
            for _ in range(5):
                assert (await source.identity()).authorization == f"Bearer {NEW}"
            assert len(provider.forms) == 1

    run(main())
