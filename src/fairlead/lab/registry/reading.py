"""Objects as clients send them, made objects as they are stored: types, unknown fields, kind, place and name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fairlead.lab.registry import status
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.schema.decode import TypeMismatchError, decode
from fairlead.lab.registry.values import Object


class Fields(NamedTuple):
    """What is done about fields that do not exist (``fieldValidation``); they are never kept."""

    mode: str = "Ignore"
    """``Ignore``, ``Warn`` or ``Strict``."""
    warn: Callable[[str], None] = lambda _: None
    """Told of each, if that is wanted."""

    def judge(self, unknown: list[str]) -> str:
        """Warn, or answer with the words of a refusal; "" if there is none."""
        words = [f'unknown field "{path}"' for path in unknown]
        if self.mode == "Warn":
            for word in words:
                self.warn(word)
        return f"strict decoding error: {', '.join(words)}" if words and self.mode == "Strict" else ""


IGNORED = Fields()


def sent(type_name: str, api_version: str, value: Any, fields: Fields) -> Object:
    """A copy of an object in the body of a request. Raises ApiStatusError (400)."""
    if not isinstance(value, dict):
        raise status.bad_request(f"the object provided is unrecognized (must be of type {type_name})")
    said = value.get("apiVersion") or api_version, value.get("kind") or type_name
    told = f'{said[1]} in version "{str(said[0]).rpartition("/")[2]}" cannot be handled as a {type_name}'
    if said[1] != type_name:
        raise status.bad_request(f"{told}: the object is of another kind")
    if said[0] != api_version:
        words = f"the API version in the data ({said[0]}) does not match the expected API version ({api_version})"
        raise status.bad_request(words)
    try:
        found, unknown = decode(type_name, value)
    except TypeMismatchError as error:
        raise status.bad_request(f"{told}: {error}") from None
    refusal = fields.judge(unknown)
    if refusal:
        raise status.bad_request(f"{told}: {refusal}")
    return found


def patched(type_name: str, value: Any, patch: Any, fields: Fields) -> Object:
    """A copy of what a patch made of an object. Raises ApiStatusError (422)."""
    refusal = "the patch makes no object of it"
    try:
        if isinstance(value, dict):
            found, unknown = decode(type_name, value)
            refusal = fields.judge(unknown)
            if not refusal:
                return found
    except TypeMismatchError as error:
        refusal = str(error)
    raise status.refused("", "", "", [status.invalid("patch", patch, refusal)])


def place(kind: Kind, value: Object, namespace: str, name: str = "") -> None:
    """Say where it is: in the namespace of the request, and under its name. Raises ApiStatusError (400)."""
    meta = value.setdefault("metadata", {})
    wanted = namespace if kind.namespaced else ""
    if kind.namespaced and not namespace:
        raise status.bad_request("an empty namespace may not be set during creation")
    if meta.get("namespace", wanted) != wanted:
        raise status.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if wanted:
        meta["namespace"] = wanted
    if name and not meta.get("name"):
        raise status.bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )
    if name and meta["name"] != name:
        words = f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
        raise status.bad_request(words)
