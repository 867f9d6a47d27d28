"""OpenID Connect as the ``oidc`` auth-provider needs it: when a token ends, what to ask for, what is answered.

OpenID Connect Core 1.0 section 12 (refresh), RFC 6749 sections 2.3.1 (client password) and 6 (refresh).
"""

from __future__ import annotations

import json
import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any

from fairlead.errors import CredentialsError
from fairlead.policy.url import encode_query, quote

EARLY = 10.0
"""Seconds before its end that a token counts as expired, since clocks differ."""
FORM = "application/x-www-form-urlencoded"
_TOKEN = re.compile(r"[!-~]+")
"""Printable ASCII without blanks: it goes into a header or form, and back into the kubeconfig."""


def expires(token: str) -> float:
    """The ``exp`` claim of a JWT, in seconds since 1970; its signature is the server's business."""
    parts = token.split(".")
    try:
        if len(parts) != 3:
            raise ValueError("not three parts")
        text = parts[1].replace("-", "+").replace("_", "/")
        claims = json.loads(a2b_base64(text + "=" * (-len(text) % 4)))
        return float(claims["exp"])
    except (ValueError, KeyError, TypeError, Base64Error, RecursionError):
        raise CredentialsError(
            "the id-token in the kubeconfig is not a JSON Web Token", remedy="log in again"
        ) from None


def usable(token: str, now: float) -> bool:
    """Whether ``token`` is worth sending."""
    return bool(token) and expires(token) > now + EARLY


def refresh_request(config: Mapping[str, str], *, password_in_form: bool) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Headers and form for the token endpoint. Providers differ in where they want the client's password."""
    client, secret = config.get("client-id", ""), config.get("client-secret", "")
    form = [("grant_type", "refresh_token"), ("refresh_token", config.get("refresh-token", ""))]
    headers = [("Content-Type", FORM), ("Accept", "application/json")]
    if password_in_form:
        form += [("client_id", client), *([("client_secret", secret)] if secret else [])]
    else:
        login = b2a_base64(f"{quote(client)}:{quote(secret)}".encode(), newline=False).decode()
        headers.append(("Authorization", f"Basic {login}"))
    return tuple(headers), encode_query(form).encode()


def refreshed(config: Mapping[str, str], answer: Any) -> dict[str, str]:
    """The provider's config with the tokens of the endpoint's answer."""
    token = answer.get("id_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise CredentialsError(
            "the OpenID Connect provider gave no id_token on refresh",
            remedy="ask for the scope openid at login; some providers give it only then",
        )
    refresh = answer.get("refresh_token")
    for name, given in (("id_token", token), ("refresh_token", refresh)):
        if isinstance(given, str) and given and not _TOKEN.fullmatch(given):
            raise CredentialsError(
                f"the OpenID Connect provider gave a {name} with characters that no token has", remedy="log in again"
            )
    kept = {"refresh-token": refresh} if isinstance(refresh, str) and refresh else {}
    return {**config, "id-token": token, **kept}
