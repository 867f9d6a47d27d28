"""The documents that describe the server, as they are answered: which there are, in which forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from fairlead.lab.registry import discovery, media, openapi, openapi_wire
from fairlead.lab.registry.values import Object

_DISCOVERY_FORMS = ("v2", "v2beta1")
_A_YEAR = 365 * 24 * 3600


class Document(NamedTuple):
    """An answer."""

    body: bytes
    type: str = media.JSON
    headers: tuple[tuple[str, str], ...] = ()
    code: int = 200


class Asked(NamedTuple):
    """A request for one."""

    path: str
    accept: str = ""
    hash: str = ""
    """The parameter of that name."""
    none_match: str = ""
    """The header If-None-Match."""
    server: str = ""
    """The address that the client reached, with its port."""
    machine: str = "amd64"
    """The processor, as Go names it."""


def answered(asked: Asked) -> Document | None:
    """The document; None if there is none at that path. Raises ApiStatusError (406)."""
    path = asked.path.rstrip("/") or "/"
    made = _FIXED.get(path)
    if made is not None:
        return _tagged(asked, *made(asked))
    match path.split("/")[1:]:
        case ["apis", group]:
            return _json(discovery.api_group(group))
        case ["api", version]:
            return _json(discovery.api_resources("", version))
        case ["apis", group, version] if group:
            return _json(discovery.api_resources(group, version))
        case ["openapi", "v3", *name]:
            return _openapi_v3(asked, "/".join(name))
    return None


def _dumped(value: Object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _json(value: Object | None) -> Document | None:
    return None if value is None else Document(_dumped(value))


def _tagged(asked: Asked, body: bytes, type_: str = media.JSON, tag: str = "") -> Document:
    """With a tag, and without the body if the client has it."""
    tag = f'"{tag or _hash(body)}"'
    headers = (("ETag", tag), ("Vary", "Accept"))
    known = [each.strip().removeprefix("W/") for each in asked.none_match.split(",")]
    if tag in known or "*" in known:
        return Document(b"", type_, headers, 304)
    return Document(body, type_, headers)


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest().upper()


# Discovery


def _discovery(asked: Asked, *, core: bool) -> tuple[bytes, str]:
    for clause in media.clauses(asked.accept):
        if not media.allows(clause, media.JSON):
            continue
        form = clause.parameters.get("v", "")
        wanted = (clause.parameters.get("g"), clause.parameters.get("as"))
        if wanted == (None, None):
            return _dumped(discovery.api_versions(asked.server) if core else discovery.api_groups()), media.JSON
        if wanted == ("apidiscovery.k8s.io", "APIGroupDiscoveryList") and form in _DISCOVERY_FORMS:
            type_ = f"{media.JSON};g=apidiscovery.k8s.io;v={form};as=APIGroupDiscoveryList"
            return _dumped(discovery.aggregated(core=core, form=form)), type_
    raise media.not_acceptable((media.JSON,))


# OpenAPI


@cache
def _v2() -> bytes:
    return _dumped(openapi.v2())


@cache
def _v2_wire() -> bytes:
    return openapi_wire.encode(openapi.v2())


@cache
def _v3(group: str, version: str) -> tuple[bytes, str]:
    body = _dumped(openapi.v3(group, version))
    return body, _hash(body)


def _openapi_v2(asked: Asked) -> tuple[bytes, str]:
    type_ = media.chosen(asked.accept, (media.JSON, *openapi_wire.ASKED_TYPES))
    return (_v2(), media.JSON) if type_ == media.JSON else (_v2_wire(), openapi_wire.TYPE)


def _openapi_v3_index(asked: Asked) -> tuple[bytes, str]:
    paths = {
        name: {"serverRelativeURL": f"/openapi/v3/{name}?hash={_v3(*of)[1]}"}
        for name, of in openapi.document_names().items()
    }
    return _dumped({"paths": paths}), media.JSON


def _openapi_v3(asked: Asked, name: str) -> Document | None:
    of = openapi.document_names().get(name)
    if of is None:
        return None
    media.chosen(asked.accept, (media.JSON,))
    body, tag = _v3(*of)
    if asked.hash and asked.hash != tag:
        where = (("Location", f"/openapi/v3/{name}?hash={tag}"),)
        return Document(b"", media.JSON, where, 301)
    found = _tagged(asked, body, media.JSON, tag)
    if not asked.hash:
        return found
    # Another lab may have the same address and other documents: then their hash, and with it their path, is another.
    return found._replace(headers=(*found.headers, ("Cache-Control", f"public, max-age={_A_YEAR}, immutable")))


def _root(asked: Asked) -> tuple[bytes, str]:
    paths = ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
    for group, version in discovery.group_versions():
        if group:
            paths += [f"/apis/{group}", f"/apis/{group}/{version}"]
    paths += [f"/openapi/v3/{name}" for name in openapi.document_names()]
    return _dumped({"paths": sorted(paths)}), media.JSON


_FIXED: dict[str, Callable[[Asked], tuple[bytes, str]]] = {
    "/": _root,
    "/api": lambda asked: _discovery(asked, core=True),
    "/apis": lambda asked: _discovery(asked, core=False),
    "/version": lambda asked: (_dumped(discovery.version(asked.machine)), media.JSON),
    "/openapi/v2": _openapi_v2,
    "/openapi/v3": _openapi_v3_index,
}
