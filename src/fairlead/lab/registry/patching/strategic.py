"""Strategic merge patches: merge patches that know which lists are merged entry by entry, and by which key.

Besides values, a patch has directives (Kubernetes, "Update API Objects in Place Using kubectl patch"):

    $patch: replace | delete             of an object, or of an entry of a list
    $retainKeys: [...]                   all other fields of the object go
    $deleteFromPrimitiveList/x: [...]    these values leave the list x
    $setElementOrder/x: [...]            the entries of x are in this order; those it does not name keep their place
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from fairlead.lab.registry.patching.errors import MalformedError, PatchError
from fairlead.lab.registry.schema.table import TYPES, Type
from fairlead.lab.registry.values import Object

_PATCH, _RETAIN = "$patch", "$retainKeys"
_DELETE, _ORDER = "$deleteFromPrimitiveList/", "$setElementOrder/"
_ANY = Type("any")
List: TypeAlias = list[Any]


def patched(name: str, value: Object, patch: Any) -> Object:
    """``value``, of type ``name``, as ``patch`` wants it. Raises PatchError, MalformedError."""
    if not isinstance(patch, dict):
        raise MalformedError("invalid JSON document")
    return _object(Type(name), value, patch)


def _object(type_: Type, value: Object, patch: Object) -> Object:
    if _PATCH in patch:
        return _directed(patch)
    found = _retained(value, patch)
    ordered = {key[len(_ORDER) :] for key in patch if key.startswith(_ORDER)}
    for key in ordered:
        _order(type_, found, key, patch)
    for key, inner in patch.items():
        if key == _RETAIN or key.startswith(_ORDER) or key in ordered:
            continue
        if key.startswith(_DELETE):
            _remove(found, key[len(_DELETE) :], inner)
        elif inner is None:
            found.pop(key, None)
        else:
            _set(found, key, _value(_field(type_, key), found.get(key), inner))
    return found


def _field(type_: Type, name: str) -> Type:
    if type_.name == "{}":
        return type_.of or _ANY
    return TYPES.get(type_.name, {}).get(name, _ANY)


def _set(found: Object, key: str, value: Any) -> None:
    if value is None:
        found.pop(key, None)
    else:
        found[key] = value


def _value(type_: Type, value: Any, patch: Any) -> Any:
    if isinstance(value, dict) and isinstance(patch, dict):
        return _object(type_, value, patch)
    if isinstance(value, list) and isinstance(patch, list) and type_.key is not None:
        return _list(type_, value, patch)
    return _plain(patch)


def _directed(patch: Object) -> Object:
    if patch[_PATCH] == "replace":
        return _plain({key: inner for key, inner in patch.items() if key != _PATCH}) or {}
    if patch[_PATCH] == "delete":
        return {}
    raise _unknown(patch)


def _unknown(patch: Object) -> PatchError:
    return PatchError(f"unknown patch type: {patch[_PATCH]} in map: {patch}")


def _plain(patch: Any) -> Any:
    """What a patch makes of nothing: itself, without directives and nulls. None if it says that nothing is there."""
    if isinstance(patch, dict):
        if patch.get(_PATCH) == "delete":
            return None
        inner = ((key, _plain(value)) for key, value in patch.items() if not key.startswith("$"))
        return {key: value for key, value in inner if value is not None}
    if isinstance(patch, list):
        items = (_plain(item) for item in patch)
        return [item for item in items if item is not None]
    return patch


def _retained(value: Object, patch: Object) -> Object:
    if _RETAIN not in patch:
        return dict(value)
    keys = patch[_RETAIN]
    given = {key for key, inner in patch.items() if inner is not None and not key.startswith("$")}
    if not isinstance(keys, list) or not given <= {key for key in keys if isinstance(key, str)}:
        raise MalformedError("invalid patch format of retainKeys")
    return {key: inner for key, inner in value.items() if key in keys}


def _remove(found: Object, key: str, values: Any) -> None:
    if not isinstance(values, list):
        raise MalformedError("invalid patch format of primitive list")
    if isinstance(found.get(key), list):
        found[key] = [item for item in found[key] if item not in values]


def _list(type_: Type, value: List, patch: List) -> List:
    merged, given = _merged(type_, value, patch)
    return _arranged(type_, merged, given, value)


def _merged(type_: Type, value: List, patch: List) -> tuple[List, List]:
    """The entries of both, and those of the patch that stay."""
    key, of = type_.key or "", type_.of or _ANY
    if not key:
        return [*value, *(item for index, item in enumerate(patch) if item not in value + patch[:index])], patch
    for entry in patch:
        if not isinstance(entry, dict):
            raise MalformedError("expected a map, but received a primitive in a list of maps")
        if key not in entry and entry.get(_PATCH) != "replace":
            raise PatchError(f"map: {entry} does not contain declared merge key: {key}")
        if entry.get(_PATCH, "delete") not in ("delete", "replace"):
            raise _unknown(entry)
    given = [entry for entry in patch if _PATCH not in entry]
    if any(entry.get(_PATCH) == "replace" for entry in patch):
        return [_plain(entry) for entry in given], given
    deleted = [entry[key] for entry in patch if _PATCH in entry]
    merged = [entry for entry in value if _key(entry, key) not in deleted]
    for entry in given:
        place = next((index for index, old in enumerate(merged) if _key(old, key) == entry[key]), None)
        if place is None:
            merged.append(_plain(entry))
        else:
            merged[place] = _object(of, merged[place], entry)
    return merged, given


def _key(entry: Any, key: str) -> Any:
    if not key:
        return entry
    return entry.get(key) if isinstance(entry, dict) else None


def _order(type_: Type, found: Object, name: str, patch: Object) -> None:
    """Merge the list ``name`` and put it in the order that the patch has for it."""
    order, given, before = patch[_ORDER + name], patch.get(name), found.get(name)
    field = _field(type_, name)
    if not isinstance(order, list) or not isinstance(given or [], list) or not isinstance(before or [], list):
        raise MalformedError("invalid patch format of setElementOrder list")
    if given is None and name in patch:
        found.pop(name, None)
        return
    if before is None and given is None:
        return
    _check(field.key or "", given or [], order)
    if before is None:
        merged = _plain(given)
    elif given is None:
        merged = before
    elif field.key is None:
        merged = _plain(given)
    else:
        merged = _merged(field, before, given)[0]
    found[name] = _arranged(field, merged, order, before or [])


def _check(key: str, given: List, order: List) -> None:
    """The entries of a patch have to be in the order that it has for them."""
    wanted = iter(_key(entry, key) for entry in order)
    for entry in given:
        if isinstance(entry, dict) and _PATCH in entry:
            continue
        if not any(known == _key(entry, key) for known in wanted):
            raise MalformedError(f"The order in patch list doesn't match {_ORDER[:-1]} list")


def _arranged(type_: Type, merged: List, order: List, before: List) -> List:
    """``merged`` with what ``order`` names in that order, and what it does not name where it was before."""
    key = type_.key or ""

    def name(entry: Any) -> Any:
        return _hashable(_key(entry, key))

    places, old = _places(map(name, order)), _places(map(name, before))
    named = sorted((entry for entry in merged if name(entry) in places), key=lambda entry: places[name(entry)])
    others = [entry for entry in merged if name(entry) not in places]
    found: List = []
    for entry in named:
        while others and old.get(name(others[0]), len(before)) < old.get(name(entry), -1):
            found.append(others.pop(0))
        found.append(entry)
    return found + others


def _places(names: Iterable[Any]) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for index, name in enumerate(names):
        found.setdefault(name, index)
    return found


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else repr(value)
