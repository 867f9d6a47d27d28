from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.errors import ConfigError
from fairlead.kube.auth import Both, CertificateFiles, Identity, Static, TokenFile, credentials
from fairlead.kube.config import ClusterConfig
from fairlead.kube.tls import ClientCertificate
from fairlead.policy.kubeconfig import Cluster, ExecPlugin, User
from fairlead.policy.url import parse_url
from tests.support.loop import run


class At:
    """A clock that a test sets."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def config(user: User) -> ClusterConfig:
    server = parse_url("https://a.test", what="server", schemes=("https",))
    return ClusterConfig(context="", namespace="", server=server, cluster=Cluster(), user=user, user_name="ada")


def identity(user: User) -> Identity:
    return run(credentials(config(user)).identity())


PLUGIN = ExecPlugin(command="x", interactive_mode="Never", api_version="client.authentication.k8s.io/v1")


@pytest.mark.parametrize(
    ("user", "authorization"),
    [
        (User(), ""),
        (User(token="t"), "Bearer t"),
        (User(username="ada", password="pw"), "Basic YWRhOnB3"),
        (User(token="t", plugin=PLUGIN), "Bearer t"),
        (User(username="ada", plugin=PLUGIN), "Basic YWRhOg=="),
        (User(client_certificate_data=b"c", client_key_data=b"k", plugin=PLUGIN), ""),
        (User(client_certificate_data=b"c", client_key_data=b"k", token="t"), "Bearer t"),
    ],
)
def test_which_credentials_come_before_which(user: User, authorization: str) -> None:
    found = identity(user)
    assert found.authorization == authorization
    assert found.certificate == (ClientCertificate(b"c", b"k") if user.has_certificate else None)


def test_token_file_is_read_again_after_a_minute(tmp_path: Path) -> None:
    path, now = tmp_path / "token", At()
    path.write_text(" one\n")
    source = TokenFile(str(path), now=now)

    async def main() -> None:
        assert (await source.identity()).authorization == "Bearer one"
        path.write_text("two")
        now.seconds += 59
        assert (await source.identity()).authorization == "Bearer one"
        now.seconds += 1
        assert (await source.identity()).authorization == "Bearer two"
        path.write_text("three")
        now.seconds -= 3600  # the clock was set back
        assert (await source.identity()).authorization == "Bearer three"

    run(main())


def test_token_file_is_read_again_after_a_refusal(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("one")
    source = TokenFile(str(path), now=At())

    async def main() -> None:
        first = await source.identity()
        assert not await source.refresh(first)
        path.write_text("two")
        assert await source.refresh(first)
        assert (await source.identity()).authorization == "Bearer two"

    run(main())


def test_last_token_counts_while_the_file_cannot_be_read(tmp_path: Path) -> None:
    path, now = tmp_path / "token", At()
    path.write_text("one")
    source = TokenFile(str(path), now=now)

    async def main() -> None:
        await source.identity()
        path.unlink()
        now.seconds += 61
        assert (await source.identity()).authorization == "Bearer one"

    run(main())
    assert run(TokenFile(str(path), fallback="given").identity()).authorization == "Bearer given"


@pytest.mark.parametrize(("content", "what"), [(None, "cannot be read"), (b" \n", "is empty"), (b"a\nb", "line break")])
def test_token_file_that_is_no_use(tmp_path: Path, content: bytes | None, what: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=what):
        run(TokenFile(str(path)).identity())


def test_token_with_a_line_break_is_refused_unseen() -> None:
    with pytest.raises(ConfigError, match='the token of user "ada" holds a line break') as caught:
        credentials(config(User(token="s3cret\n")))
    assert "s3cret" not in str(caught.value)


def test_certificate_files_are_read_each_time(tmp_path: Path) -> None:
    chain, key = tmp_path / "c", tmp_path / "k"
    chain.write_bytes(b"one")
    key.write_bytes(b"key")
    user = User(client_certificate=str(chain), client_key=str(key))

    async def main() -> None:
        source = credentials(config(user))
        first = await source.identity()
        assert first.certificate == ClientCertificate(b"one", b"key")
        assert not await source.refresh(first)
        chain.write_bytes(b"two")
        assert await source.refresh(first)
        assert (await source.identity()).certificate == ClientCertificate(b"two", b"key")

    run(main())
    with pytest.raises(ConfigError, match=r"the client key .*/none cannot be read: No such file"):
        identity(User(client_certificate=str(chain), client_key=str(tmp_path / "none")))


def test_refused_credentials_have_the_remedy_of_their_kind() -> None:
    def remedy(user: User) -> str:
        return credentials(config(user)).remedy

    assert remedy(User()) == 'user "ada" has no credentials in the kubeconfig'
    assert "get a new one" in remedy(User(token="t"))
    assert "check user name and password" in remedy(User(username="a"))
    assert "client certificate" in remedy(User(client_certificate="c"))
    assert "log in with it again" in remedy(User(plugin=PLUGIN))


def test_providers_that_are_gone() -> None:
    with pytest.raises(ConfigError, match='auth-provider "gcp", which kubectl has dropped'):
        credentials(config(User(provider="gcp")))


def test_secrets_are_not_shown() -> None:
    found = Identity("Bearer s3cret", ClientCertificate(b"s3cret", b"s3cret"))
    assert "s3cret" not in repr(found)
    both = Both(Static(found, ""), CertificateFiles(User()))
    assert "s3cret" not in repr(both)
