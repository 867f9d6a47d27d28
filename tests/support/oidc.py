"""An OpenID Connect provider for tests: unsigned tokens (nobody here checks a signature) and a token endpoint."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qsl

from tests.support.apiserver import Answer, Exchange, ScriptedServer


def id_token(expires: float, **claims: object) -> str:
    """A JWT with an ``exp`` claim."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part({'exp': expires, **claims})}.c2ln"


class Provider(ScriptedServer):
    """Knows one refresh token and hands out one new id-token and one new refresh token for it."""

    def __init__(self, *, refresh_token: str = "old-refresh", new_token: str = "") -> None:
        super().__init__(self._answer)
        self.refresh_token = refresh_token
        self.new_token = new_token or id_token(4102444800, sub="new")
        self.new_refresh_token = "new-refresh"
        self.forms: list[dict[str, str]] = []

    async def _answer(self, exchange: Exchange) -> Answer:
        seen = exchange.seen
        if seen.target == "/realm/.well-known/openid-configuration":
            return Answer(body={"token_endpoint": f"{self.url}/token"})
        if seen.target != "/token":
            return Answer(404)
        form = dict(parse_qsl(seen.body.decode()))
        self.forms.append(form)
        if form.get("refresh_token") != self.refresh_token:
            return Answer(400, {"error": "invalid_grant"})
        return Answer(
            body={
                "access_token": "access",
                "token_type": "Bearer",
                "id_token": self.new_token,
                "refresh_token": self.new_refresh_token,
            }
        )
