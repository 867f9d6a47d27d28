"""The fields and paths in the words of OpenAPI, for clients that explain, check and merge objects by them.

The two versions differ in where a schema stands, in how a reference is described, and in where a body's type stands;
what they say is the same. kubectl reads: the types, of which ``x-kubernetes-group-version-kind`` says what they are,
``x-kubernetes-patch-*`` how lists are merged; and of the paths, whether ``patch`` has a parameter ``fieldValidation``
and which kinds of patches there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fairlead.lab.registry import discovery
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.schema.table import MODELS, Field, Model, Type, model_of
from fairlead.lab.registry.values import Object

PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json")
_INFO = {"title": "Fairlead lab", "version": discovery.VERSION}
_GVK = "x-kubernetes-group-version-kind"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_PATCH = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
_QUANTITY_WORDS = "An amount: a number, and a suffix such as m (a thousandth), k, M, G, Ki, Mi, Gi."
_INT_OR_STRING_WORDS = "A number, or a text."
_SCALARS: dict[str, Object] = {
    "str": {"type": "string"}, "bool": {"type": "boolean"}, "num": {"type": "number", "format": "double"},
    "int": {"type": "integer", "format": "int32"}, "long": {"type": "integer", "format": "int64"},
    "bytes": {"type": "string", "format": "byte"}, "time": {"type": "string", "format": "date-time"},
    "microtime": {"type": "string", "format": "date-time"}, "any": {"type": "object"},
}  # fmt: skip
_IN_BOTH: dict[str, Object] = {_PATCH: {"type": "object", "description": "A patch, in one of its forms."}}
_V2: dict[str, Object] = {
    **_IN_BOTH,
    _QUANTITY: {"type": "string", "description": _QUANTITY_WORDS},
    _INT_OR_STRING: {"type": "string", "format": "int-or-string", "description": _INT_OR_STRING_WORDS},
}
_V3: dict[str, Object] = {
    **_IN_BOTH,
    _QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}], "description": _QUANTITY_WORDS},
    _INT_OR_STRING: {
        "oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string",
        "description": _INT_OR_STRING_WORDS,
    },
}  # fmt: skip
_REFERRED = {"quantity": _QUANTITY, "intstr": _INT_OR_STRING}
_QUERY = {
    "dryRun": "All: say what would happen, and change nothing.",
    "fieldManager": "Who asks; not kept.",
    "fieldValidation": "What happens to unknown fields: Ignore, Warn (if not given) or Strict.",
}


def v2() -> Object:
    """All in one document."""
    kinds = [kind for group, version in discovery.group_versions() for kind in discovery.kinds_of(group, version)]
    form = _Form(2)
    return {
        "swagger": "2.0", "info": _INFO, "paths": dict(form.paths(kinds)),
        "definitions": {**_V2, **dict(form.schemas(MODELS.values(), kinds))},
    }  # fmt: skip


def v3(group: str, version: str) -> Object:
    """One version of one group; empty if there is no such version."""
    kinds = discovery.kinds_of(group, version)
    form = _Form(3)
    schemas = {**_V3, **dict(form.schemas(_used(kinds), kinds))}
    return {"openapi": "3.0.0", "info": _INFO, "paths": dict(form.paths(kinds)), "components": {"schemas": schemas}}


def _used(kinds: Iterable[Kind]) -> list[Model]:
    """The types of some kinds, and all that they are made of."""
    found: dict[str, Model] = {}

    def add(name: str) -> None:
        if name in MODELS and name not in found:
            found[name] = MODELS[name]
            for field in MODELS[name].fields.values():
                add(_innermost(field.type).name)

    for kind in kinds:
        add(kind.kind)
        for subresource in kind.subresources:
            add(discovery.SUBRESOURCES[subresource].kind)
    for name in ("ListMeta", "DeleteOptions", "Status"):
        add(name)
    return list(found.values())


def _innermost(type_: Type) -> Type:
    return type_ if type_.of is None else _innermost(type_.of)


def _gvk(api_version: str, kind: str) -> Object:
    group, _, version = api_version.rpartition("/")
    return {"group": group, "version": version, "kind": kind}


def _list_name(kind: Kind) -> str:
    return f"{model_of(kind).name}List"


class _Form:
    """Version 2 or 3."""

    def __init__(self, version: int) -> None:
        self._is_v3 = version == 3
        self._root = "#/components/schemas/" if self._is_v3 else "#/definitions/"

    # Types

    def schemas(self, models: Iterable[Model], kinds: Iterable[Kind]) -> Iterator[tuple[str, Object]]:
        for model in models:
            yield model.name, self._model(model)
        for kind in kinds:
            if "list" in discovery.verbs(kind):
                yield _list_name(kind), self._list(kind)

    def _model(self, model: Model) -> Object:
        found: Object = {"type": "object"}
        if model.words:
            found["description"] = model.words
        required = [name for name, field in model.fields.items() if field.type.required]
        if required:
            found["required"] = sorted(required)
        found["properties"] = {name: self._field(field) for name, field in sorted(model.fields.items())}
        if model.is_kind:
            found[_GVK] = [_gvk(model.api_version, model.name.rpartition(".")[2])]
        if model.atomic:
            found["x-kubernetes-map-type"] = "atomic"
        return found

    def _list(self, kind: Kind) -> Object:
        items = {"type": "array", "items": self._of(Type(kind.kind)), "description": "The objects."}
        fields = {name: self._field(MODELS["Status"].fields[name]) for name in ("apiVersion", "kind")}
        fields["metadata"] = self._referred(MODELS["ListMeta"].name, MODELS["ListMeta"].words)
        return {
            "type": "object", "description": f"Objects of the kind {kind.kind}.", "required": ["items"],
            "properties": {**fields, "items": items}, _GVK: [_gvk(kind.api_version, f"{kind.kind}List")],
        }  # fmt: skip

    def _field(self, field: Field) -> Object:
        type_ = field.type
        name = MODELS[type_.name].name if type_.name in MODELS else _REFERRED.get(type_.name)
        found: Object
        if name:
            found = self._referred(name, field.words)
        else:
            found = {**self._of(type_), **({"description": field.words} if field.words else {})}
        if field.values:
            found["enum"] = list(field.values)
        if field.lists:
            found[f"x-kubernetes-{'list' if type_.name == '[]' else 'map'}-type"] = field.lists
        if field.keys:
            found["x-kubernetes-list-map-keys"] = list(field.keys)
        if type_.key:
            found["x-kubernetes-patch-merge-key"] = type_.key
        strategies = [
            word for word, is_so in (("merge", type_.key is not None), ("retainKeys", type_.retains)) if is_so
        ]
        if strategies:
            found["x-kubernetes-patch-strategy"] = ",".join(strategies)
        return found

    def _of(self, type_: Type) -> Object:
        """The type alone, as entries of lists and maps have it."""
        if type_.of is not None:
            inner = self._of(type_.of)
            return {"type": "array", "items": inner} if type_.name == "[]" else _map(inner)
        if type_.name in _SCALARS:
            return dict(_SCALARS[type_.name])
        return {"$ref": self._root + (_REFERRED.get(type_.name) or MODELS[type_.name].name)}

    def _referred(self, name: str, words: str) -> Object:
        """A reference with words of its own, which version 3 allows beside it only."""
        reference = {"$ref": self._root + name}
        found: Object = {"allOf": [reference]} if self._is_v3 else reference
        return {**found, "description": words} if words else found

    # Paths

    def paths(self, kinds: Iterable[Kind]) -> Iterator[tuple[str, Object]]:
        for kind in kinds:
            namespace = "/namespaces/{namespace}" if kind.namespaced else ""
            many = f"{kind.root}{namespace}/{kind.plural}"
            verbs = discovery.verbs(kind)
            yield (
                many,
                self._path(kind, many, [("list", "get"), ("create", "post"), ("deletecollection", "delete")], verbs),
            )
            if "list" in verbs and kind.namespaced:
                everywhere = f"{kind.root}/{kind.plural}"
                yield everywhere, self._path(kind, everywhere, [("list", "get")], verbs)
            if "get" in verbs:
                one = f"{many}/{{name}}"
                methods = [("get", "get"), ("update", "put"), ("patch", "patch"), ("delete", "delete")]
                yield one, self._path(kind, one, methods, verbs)
                yield from self._parts(kind, one)

    def _parts(self, kind: Kind, one: str) -> Iterator[tuple[str, Object]]:
        for name in sorted(kind.subresources):
            part = discovery.SUBRESOURCES[name]
            own = MODELS.get(part.kind or kind.kind)
            if own is None or name == "log":
                continue  # Bytes, of which there is nothing to say.
            methods = [("get", "get"), ("update", "put"), ("patch", "patch"), ("create", "post")]
            path = f"{one}/{name}"
            yield path, self._path(kind, path, methods, part.verbs, own)

    def _path(
        self, kind: Kind, path: str, methods: list[tuple[str, str]], verbs: tuple[str, ...], part: Model | None = None
    ) -> Object:
        model = part or model_of(kind)
        found: Object = {
            method: self._operation(kind, path, verb, method, model) for verb, method in methods if verb in verbs
        }
        words = {"namespace": "The namespace.", "name": f"The name of the {kind.kind}."}
        found["parameters"] = [
            self._parameter("path", name, text) for name, text in words.items() if f"{{{name}}}" in path
        ]
        return found

    def _parameter(self, where: str, name: str, words: str) -> Object:
        type_ = {"type": "string", "uniqueItems": True}
        found: Object = {"name": name, "in": where, "description": words}
        if where == "path":
            found["required"] = True
        return {**found, "schema": type_} if self._is_v3 else {**found, **type_}

    def _operation(self, kind: Kind, path: str, verb: str, method: str, model: Model) -> Object:
        answer = _list_name(kind) if verb == "list" else MODELS["Status"].name if method == "delete" else model.name
        found: Object = {
            "operationId": _operation_id(kind, path, verb, method),
            "description": f"{verb} {kind.plural}{path.partition('{name}')[2]}",
            "parameters": [],
            _GVK: _gvk(model.api_version, model.name.rpartition(".")[2]),
            "x-kubernetes-action": method if verb in ("create", "update") else verb,
        }
        if method in ("post", "put", "patch"):
            found["parameters"] = [self._parameter("query", name, words) for name, words in _QUERY.items()]
        types = PATCHES if method == "patch" else ("*/*",)
        sent = {"patch": _PATCH, "post": model.name, "put": model.name, "delete": MODELS["DeleteOptions"].name}.get(
            method
        )
        self._add_body(found, sent, types, required=method != "delete")
        self._add_answer(found, answer)
        return found

    def _add_body(self, operation: Object, sent: str | None, types: Iterable[str], *, required: bool) -> None:
        if not self._is_v3:
            operation["consumes"] = list(types)
        if sent is None:
            return
        schema = {"$ref": self._root + sent}
        if self._is_v3:
            operation["requestBody"] = {"content": {type_: {"schema": schema} for type_ in types}}
            if required:
                operation["requestBody"]["required"] = True
        else:
            body: Object = {"name": "body", "in": "body", "schema": schema}
            operation["parameters"] = [{**body, "required": True} if required else body, *operation["parameters"]]

    def _add_answer(self, operation: Object, name: str) -> None:
        schema = {"$ref": self._root + name}
        if self._is_v3:
            good: Object = {"description": "OK", "content": {"application/json": {"schema": schema}}}
        else:
            good = {"description": "OK", "schema": schema}
            operation["produces"] = ["application/json"]
        operation["responses"] = {"200": good, "401": {"description": "Unauthorized"}}


def _map(inner: Object) -> Object:
    return {"type": "object", "additionalProperties": inner}


_ACTIONS = {
    "get": "read", "list": "list", "create": "create", "update": "replace", "patch": "patch", "delete": "delete",
    "deletecollection": "delete",
}  # fmt: skip


def _operation_id(kind: Kind, path: str, verb: str, method: str) -> str:
    """``listAppsV1NamespacedDeployment`` and so on, from which generators of clients make names."""
    group = (kind.group.partition(".")[0] or "core").capitalize()
    many = "Collection" if verb == "deletecollection" else ""
    where = "Namespaced" if "{namespace}" in path else ""
    everywhere = "ForAllNamespaces" if kind.namespaced and not where else ""
    part = path.partition("{name}/")[2].capitalize()
    return f"{_ACTIONS[verb]}{group}{kind.version.capitalize()}{many}{where}{kind.kind}{part}{everywhere}"


def document_names() -> dict[str, tuple[str, str]]:
    """The documents of version 3, such as ``apis/apps/v1``, each with its group and version."""
    return {
        f"apis/{group}/{version}" if group else f"api/{version}": (group, version)
        for group, version in discovery.group_versions()
    }
