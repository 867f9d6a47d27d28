"""All that the API server answers: who asks, what for, and who knows."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Protocol

from fairlead.lab.apiserver.bodies import answer, refusal, value_of
from fairlead.lab.apiserver.routes import Asked, Target, asked
from fairlead.lab.registry import access, discovery, documents, status
from fairlead.lab.registry.access import User
from fairlead.lab.registry.documents import Document
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.web.messages import Answer, Reply, Request, as_text

_HEALTH = ("/healthz", "/livez", "/readyz")
_OPEN = ("/healthz", "/livez", "/readyz", "/version")
"""What whoever reaches the port may know."""
_NODES = ("log", "exec", "attach", "portforward")
"""Parts of a pod that only the node has."""
_REVIEWS = {f"{kind.root}/{kind.plural}": kind for kind in discovery.REVIEWS}


class Part(Protocol):
    """What answers some of the requests."""

    async def answer(self, asked: Asked, target: Target, request: Request) -> Answer:
        """Do what is asked. Raises ApiStatusError."""


class Tokens:
    """Who has which token."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}

    def give(self, token: str, user: User) -> None:
        """From now on this is that user's."""
        self._users[token] = user

    def whose(self, token: str) -> User | None:
        """The user; None for a token that nobody has. All are looked at, so that the time tells nothing."""
        found = None
        for known, user in self._users.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                found = user
        return found


class Api:
    """Answers every request; ``address`` is that of the server, with its port, as clients reach it."""

    def __init__(self, objects: Part, pods: Part, tokens: Tokens, address: str, told: Callable[[str], None]) -> None:
        self._objects = objects
        self._pods = pods
        self._tokens = tokens
        self._address = address
        self._told = told

    async def __call__(self, request: Request) -> Answer:
        """Never raises."""
        try:
            what = asked(request.method, request.url)
        except ValueError:
            return refusal(status.bad_request("the URL cannot be read"))
        try:
            return await self._answer(what, request)
        except ApiStatusError as error:
            self._told(f"{request.method} {what.path}: {error.code} {error.message}")
            return refusal(error)

    async def _answer(self, what: Asked, request: Request) -> Answer:
        user = self._user(request)
        if user is None and what.path not in _OPEN:
            raise status.unauthorized()
        if what.target is not None:
            part = self._pods if what.target.subresource in _NODES else self._objects
            return await part.answer(what, what.target, request)
        if what.path in _HEALTH:
            return as_text("ok")
        review = _REVIEWS.get(what.path)
        if review is not None and request.method == "POST" and user is not None:
            sent = value_of(request)
            if not isinstance(sent, dict):
                raise status.bad_request(f"the body is no {review.kind}")
            return answer(access.answered(review, sent, user, self._tokens.whose), 201)
        if request.method not in ("GET", "HEAD"):
            raise status.no_such_path()
        document = documents.answered(
            documents.Asked(
                what.path,
                request.line("accept"),
                what.one("hash"),
                request.line("if-none-match"),
                self._address,
            )
        )
        if document is None:
            raise status.no_such_path()
        return _reply(document)

    def _user(self, request: Request) -> User | None:
        scheme, _, token = request.line("authorization").partition(" ")
        return self._tokens.whose(token.strip()) if scheme.lower() == "bearer" else None


def _reply(document: Document) -> Reply:
    return Reply(document.code, document.body, document.type, document.headers)
