"""Answers that are errors, as the API words them (API conventions, Response Status Kind)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from fairlead.lab.registry.kinds import Kind

_REASONS = {
    "FieldValueRequired": "Required value", "FieldValueInvalid": "Invalid value", "FieldValueForbidden": "Forbidden",
    "FieldValueNotSupported": "Unsupported value", "FieldValueDuplicate": "Duplicate value",
    "FieldValueNotFound": "Not found", "FieldValueTooLong": "Too long",
}  # fmt: skip
_NAMES_ITSELF = "the lab is a small cluster that runs on this machine, not a whole Kubernetes"
REJECTED = "the server rejected our request due to an error in our request"
BEING_TERMINATED = "NamespaceTerminating"
"""The cause that is told where a namespace is at its end."""


class Cause(NamedTuple):
    """One thing that is wrong with one field."""

    reason: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def to_json(self) -> dict[str, str]:
        """As a Status has it."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


def _cause(reason: str, field: str, detail: str, value: Any = None, *, told: bool = False) -> Cause:
    words = [_REASONS[reason]]
    if told:
        words.append(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    if detail:
        words.append(detail)
    return Cause(reason, field, ": ".join(words))


def required(field: str, detail: str = "") -> Cause:
    """It is missing."""
    return _cause("FieldValueRequired", field, detail)


def invalid(field: str, value: Any, detail: str) -> Cause:
    """It is not what it may be."""
    return _cause("FieldValueInvalid", field, detail, value, told=True)


def not_supported(field: str, value: Any, supported: Iterable[str]) -> Cause:
    """It is none of the words that there are."""
    words = ", ".join(f'"{word}"' for word in supported)
    return _cause("FieldValueNotSupported", field, f"supported values: {words}", value, told=True)


def duplicate(field: str, value: Any) -> Cause:
    """Another has it."""
    return _cause("FieldValueDuplicate", field, "", value, told=True)


def not_allowed(field: str, detail: str) -> Cause:
    """It may not be there, or may not change."""
    return _cause("FieldValueForbidden", field, detail)


def unknown(field: str, value: Any) -> Cause:
    """It names what does not exist."""
    return _cause("FieldValueNotFound", field, "", value, told=True)


def too_long(field: str, limit: int) -> Cause:
    """It has more bytes than it may."""
    return _cause("FieldValueTooLong", field, f"may not be more than {limit} bytes")


class ApiStatusError(Exception):
    """What is answered instead of what was asked for."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        """The HTTP status."""
        self.reason = reason
        self.message = message
        self.details = details

    def to_json(self) -> dict[str, Any]:
        """The Status object."""
        found: dict[str, Any] = {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason,
        }  # fmt: skip
        if self.details is not None:
            found["details"] = self.details
        return {**found, "code": self.code}

    @property
    def retry_after(self) -> int:
        """Seconds until it makes sense to ask again; 0 if that is not said."""
        return int((self.details or {}).get("retryAfterSeconds", 0))


def success(kind: Kind, name: str, uid: str) -> dict[str, Any]:
    """The Status that is answered when an object is gone."""
    details = _of(kind, name) | {"uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _of(kind: Kind, name: str, **more: Any) -> dict[str, Any]:
    found = {"name": name, "group": kind.group, "kind": kind.plural, **more}
    return {key: value for key, value in found.items() if value}


def not_found(kind: Kind, name: str) -> ApiStatusError:
    """There is no such object."""
    return ApiStatusError(404, "NotFound", f'{kind.resource} "{name}" not found', _of(kind, name))


def no_such_path() -> ApiStatusError:
    """There is nothing at all, which clients tell by these words."""
    return ApiStatusError(404, "NotFound", f"the server could not find the requested resource ({_NAMES_ITSELF})", {})


def already_exists(kind: Kind, name: str) -> ApiStatusError:
    """Another object has the name."""
    return ApiStatusError(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', _of(kind, name))


def conflict(kind: Kind, name: str, why: str) -> ApiStatusError:
    """The object is another than the client thinks."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiStatusError(409, "Conflict", message, _of(kind, name))


def modified(kind: Kind, name: str) -> ApiStatusError:
    """The object changed after the client read it."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(kind, name, why)


def refused(group: str, kind: str, name: str, causes: Sequence[Cause]) -> ApiStatusError:
    """An object, or what was sent in place of one, makes no sense."""
    told = list(dict.fromkeys(map(str, causes)))
    words = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    qualified = f"{kind}.{group}" if group else kind
    details = {"name": name, "group": group, "kind": kind, "causes": [cause.to_json() for cause in causes]}
    return ApiStatusError(
        422,
        "Invalid",
        f'{qualified} "{name}" is invalid: {words}',
        {key: value for key, value in details.items() if value},
    )


def invalid_object(kind: Kind, name: str, causes: Sequence[Cause]) -> ApiStatusError:
    """The object makes no sense."""
    return refused(kind.group, kind.kind, name, causes)


def forbidden(kind: Kind, name: str, why: str, causes: Sequence[Cause] = ()) -> ApiStatusError:
    """It is not allowed, whoever asks."""
    named = f'{kind.resource} "{name}"' if name else kind.resource
    told = [cause.to_json() for cause in causes]
    return ApiStatusError(403, "Forbidden", f"{named} is forbidden: {why}", _of(kind, name, causes=told))


def method_not_allowed(what: str) -> ApiStatusError:
    """A verb, or a kind, that a cluster has and the lab has not; ``what`` names it."""
    return ApiStatusError(405, "MethodNotAllowed", f"{what} is not supported: {_NAMES_ITSELF}", {})


def unsupported_media_type(given: str, accepted: Sequence[str]) -> ApiStatusError:
    """A body of a kind that is not read here."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    if given == "application/apply-patch+yaml":
        message = f"server-side apply is not supported, use kubectl apply without --server-side: {_NAMES_ITSELF}"
    return ApiStatusError(415, "UnsupportedMediaType", message, {})


def bad_request(message: str) -> ApiStatusError:
    """The request makes no sense."""
    return ApiStatusError(400, "BadRequest", message)


def unprocessable(message: str = REJECTED) -> ApiStatusError:
    """A patch that does not fit the object."""
    return ApiStatusError(422, "Invalid", message, {})


def expired(message: str = "The resourceVersion for the provided watch is too old.") -> ApiStatusError:
    """What is asked for is too long ago (410): list again."""
    return ApiStatusError(410, "Expired", message)


def too_many(message: str, seconds: int) -> ApiStatusError:
    """Ask again, ``seconds`` from now."""
    return ApiStatusError(429, "TooManyRequests", message, {"retryAfterSeconds": seconds})


def timed_out(message: str, seconds: int = 1, causes: Sequence[Cause] = ()) -> ApiStatusError:
    """It took too long (504)."""
    details: dict[str, Any] = {"retryAfterSeconds": seconds}
    if causes:
        details["causes"] = [cause.to_json() for cause in causes]
    return ApiStatusError(504, "Timeout", f"Timeout: {message}", details)


def internal(message: str) -> ApiStatusError:
    """A mistake of ours."""
    return ApiStatusError(
        500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]}
    )


def unauthorized() -> ApiStatusError:
    """Who asks is not known."""
    return ApiStatusError(401, "Unauthorized", "Unauthorized")
