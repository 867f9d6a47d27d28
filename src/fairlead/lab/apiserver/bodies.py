"""The bodies of requests as values, and values as answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import yaml

from fairlead.lab.registry import status
from fairlead.lab.registry.reading import Fields
from fairlead.lab.registry.schema.wire import WireError, decoded
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.web.messages import Headers, Reply, Request

JSON, YAML, WIRE = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
_MODES = ("", "Ignore", "Warn", "Strict")
_MOST_WARNINGS = 20
"""Of one answer; headers have an end."""


def content_type(request: Request) -> str:
    """That of the body, without its parameters."""
    return request.line("content-type").partition(";")[0].strip().lower()


def value_of(request: Request) -> Any:
    """The object in the body; None where there is none. Raises ApiStatusError (400, 415)."""
    if not request.body:
        return None
    try:
        match content_type(request):
            case "" | "application/json" | "application/json-patch+json":
                return json.loads(request.body)
            case "application/merge-patch+json" | "application/strategic-merge-patch+json":
                return json.loads(request.body)
            case "application/yaml":
                return yaml.safe_load(request.body)
            case "application/vnd.kubernetes.protobuf":
                return decoded(request.body)
            case given:
                raise status.unsupported_media_type(given, (JSON, YAML, WIRE))
    except (ValueError, RecursionError, yaml.YAMLError, WireError) as error:
        raise status.bad_request(f"the body of the request cannot be read: {error}") from None


def patch_of(request: Request) -> tuple[str, Any]:
    """The type of a patch, and the patch. Raises ApiStatusError (400, 415)."""
    given = content_type(request)
    if given not in PATCHES:
        raise status.unsupported_media_type(given, PATCHES)
    return given, value_of(request)


class Warnings:
    """What a client is told beside an answer (RFC 7234, Warning 299)."""

    def __init__(self, mode: str) -> None:
        if mode not in _MODES:
            raise status.bad_request(f'fieldValidation: Unsupported value: "{mode}": it is Ignore, Warn or Strict')
        self._told: list[str] = []
        self.fields = Fields(mode or "Warn", self._told.append)

    @property
    def headers(self) -> Headers:
        """One for each."""
        return tuple(("Warning", f"299 - {json.dumps(text)}") for text in self._told[:_MOST_WARNINGS])


def dumped(value: object) -> bytes:
    """As it is sent."""
    return json.dumps(value, separators=(",", ":")).encode()


def answer(value: object, code: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """An object."""
    return Reply(code, dumped(value) + b"\n", JSON, tuple(headers))


def refusal(error: ApiStatusError) -> Reply:
    """What is answered instead."""
    again = (("Retry-After", str(error.retry_after)),) if error.retry_after else ()
    return answer(error.to_json(), error.code, again)
