from __future__ import annotations

import pytest

from fairlead.errors import CredentialsError
from fairlead.policy.oidc import expires, refresh_request, refreshed, usable
from tests.support.oidc import id_token


def test_a_token_is_usable_until_shortly_before_it_expires() -> None:
    assert expires(id_token(1000.5)) == 1000.5
    assert usable(id_token(1000), 989)
    assert not usable(id_token(1000), 990)
    assert not usable("", 0)


@pytest.mark.parametrize("token", ["a", "a.b", "a.b.c", "a.e30.c", "a.W10.c", "a..c", "ü.ü.ü"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(CredentialsError, match="not a JSON Web Token"):
        expires(token)


def test_a_refresh_names_the_client_in_the_header_or_in_the_form() -> None:
    config = {"client-id": "kube cli", "client-secret": "s:h", "refresh-token": "r/t"}
    headers, form = refresh_request(config, password_in_form=False)
    assert ("Authorization", "Basic a3ViZSUyMGNsaTpzJTNBaA==") in headers
    assert form == b"grant_type=refresh_token&refresh_token=r%2Ft"
    headers, form = refresh_request(config, password_in_form=True)
    assert "Authorization" not in dict(headers)
    assert form.endswith(b"&client_id=kube%20cli&client_secret=s%3Ah")


def test_a_refresh_gives_an_id_token_and_perhaps_a_new_refresh_token() -> None:
    old = {"id-token": "a", "refresh-token": "b", "client-id": "c"}
    assert refreshed(old, {"id_token": "A"}) == {**old, "id-token": "A"}
    assert refreshed(old, {"id_token": "A", "refresh_token": "B"}) == {**old, "id-token": "A", "refresh-token": "B"}
    for answer in (None, {}, {"id_token": 1}, {"id_token": ""}):
        with pytest.raises(CredentialsError, match="gave no id_token"):
            refreshed(old, answer)


@pytest.mark.parametrize("token", ["a b", "a\nb: c", "a\n", "a\tb", "\x1b[m", "\x7f", "ä", "\u2028", " "])
@pytest.mark.parametrize("name", ["id_token", "refresh_token"])
def test_what_no_token_has_in_it_goes_no_further(name: str, token: str) -> None:
    with pytest.raises(CredentialsError, match=f"a {name} with characters that no token has"):
        refreshed({}, {"id_token": "A", name: token})
