"""What clients may do with objects: the verbs, over the store.

Every verb answers with objects as they are stored, which nobody may change. All raise ApiStatusError.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from ipaddress import IPv4Network
from typing import Any

from fairlead.lab.registry import (
    admission,
    defaults,
    deletion,
    field_selectors,
    kinds,
    patching,
    preparing,
    reading,
    scale,
    selectors,
    status,
    validation,
)
from fairlead.lab.registry.addresses import SERVICE_NETWORK, Addresses
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.reading import IGNORED, Fields
from fairlead.lab.registry.status import Cause
from fairlead.lab.registry.store import Object, Store
from fairlead.lab.registry.times import stamp
from fairlead.lab.registry.validation.meta import IMMUTABLE
from fairlead.lab.registry.values import at

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Of which no words are made by chance."""
_SUFFIX = 5
_MAX_BASE = 58
"""Characters of ``generateName`` that are kept: with the suffix, a label of a domain name."""
_MADE_BY_REPLACE = (kinds.SERVICE, kinds.ENDPOINTS, kinds.EVENT, kinds.LEASE)
"""Kinds of which a PUT makes what is not there."""
_RETURNED = (kinds.POD, kinds.SERVICE, kinds.SERVICE_ACCOUNT, kinds.NAMESPACE)
"""Kinds whose deletion is answered with the object."""
_PARTS = ("status", "scale", "finalize", "ephemeralcontainers")
"""Subresources that are read and written as objects are."""


class Registry:
    """The objects of a cluster, as its API has them."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        token: Callable[[int], str],
        network: IPv4Network = SERVICE_NETWORK,
    ) -> None:
        self.store = store
        self._now = now
        self._token = token
        """So many hexadecimal digits, by chance."""
        self._addresses = Addresses(lambda: store.all(kinds.SERVICE), self._chance, network)

    def read(self, kind: Kind, namespace: str, name: str, subresource: str = "") -> Object:
        """One object, or its scale."""
        _check_part(kind, subresource)
        found = self._get(kind, namespace, name)
        return scale.of(found) if subresource == "scale" else found

    def select(self, kind: Kind, namespace: str, labels: str = "", fields: str = "") -> tuple[list[Object], int]:
        """Those that both selectors take, in the order of their names, and the revision of the whole."""
        by_label, by_field = selectors.parsed(labels), field_selectors.parsed(kind, fields)
        found = [
            value
            for value in self.store.all(kind, namespace)
            if selectors.matches(by_label, value["metadata"].get("labels")) and by_field.matches(value)
        ]
        return found, self.store.revision

    def create(
        self, kind: Kind, namespace: str, obj: Any, *, dry_run: bool = False, fields: Fields = IGNORED
    ) -> Object:
        """Make a new one."""
        value = reading.sent(kind.kind, kind.api_version, obj, fields)
        reading.place(kind, value, namespace)
        defaults.fill(kind, value)
        return self._create(kind, value, dry_run)

    def replace(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        obj: Any,
        *,
        subresource: str = "",
        dry_run: bool = False,
        fields: Fields = IGNORED,
    ) -> Object:
        """Put another in its place, or in that of a part of it."""
        _check_part(kind, subresource)
        if subresource == "scale":
            return self._rescale(kind, namespace, name, obj, dry_run, fields)
        value = reading.sent(kind.kind, kind.api_version, obj, fields)
        reading.place(kind, value, namespace, name)
        defaults.fill(kind, value)
        old = self.store.get(kind, namespace if kind.namespaced else "", name)
        if old is None and not subresource and kind in _MADE_BY_REPLACE and not value["metadata"].get("uid"):
            value["metadata"].pop("resourceVersion", None)
            return self._create(kind, value, dry_run)
        return self._update(kind, value, self._get(kind, namespace, name), subresource, dry_run)

    def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        content_type: str,
        body: Any,
        *,
        subresource: str = "",
        dry_run: bool = False,
        fields: Fields = IGNORED,
    ) -> Object:
        """Change what ``body`` says."""
        _check_part(kind, subresource)
        old = self._get(kind, namespace, name)
        if subresource == "scale":
            wanted = patching.patched(scale.TYPE, scale.of(old), content_type, body)
            return self._scaled(kind, old, reading.patched(scale.TYPE, wanted, body, fields), dry_run)
        value = reading.patched(kind.kind, patching.patched(kind.kind, old, content_type, body), body, fields)
        reading.place(kind, value, namespace, name)
        if value["metadata"].get("uid", old["metadata"]["uid"]) != old["metadata"]["uid"]:
            cause = status.invalid("metadata.uid", value["metadata"]["uid"], IMMUTABLE)
            raise status.invalid_object(kind, name, [cause])
        defaults.fill(kind, value)
        return self._update(kind, value, old, subresource, dry_run)

    def delete(self, kind: Kind, namespace: str, name: str, options: Any = None, *, dry_run: bool = False) -> Object:
        """Delete it; what is answered: the object if it still is there, and for some kinds in any case, or a Status."""
        found = deletion.read_options(options)
        old = self._get(kind, namespace, name)
        value, gone = self._delete(kind, old, found, dry_run)
        return status.success(kind, name, old["metadata"]["uid"]) if gone and kind not in _RETURNED else value

    def delete_all(
        self,
        kind: Kind,
        namespace: str,
        labels: str = "",
        fields: str = "",
        options: Any = None,
        *,
        dry_run: bool = False,
    ) -> list[Object]:
        """Delete those that both selectors take; as they are then, or were."""
        found = deletion.read_options(options)
        chosen, _ = self.select(kind, namespace, labels, fields)
        return [self._delete(kind, value, found, dry_run)[0] for value in chosen]

    def finish(self, pod: Object) -> None:
        """Remove a pod whose containers have ended, if it is still there; finalizers are waited for."""
        meta = pod["metadata"]
        old = self.store.get(kinds.POD, meta["namespace"], meta["name"])
        if old is not None and old["metadata"]["uid"] == meta["uid"]:
            self._delete(kinds.POD, old, {"gracePeriodSeconds": 0}, dry_run=False)

    def bind(self, namespace: str, name: str, binding: Any, *, dry_run: bool = False) -> Object:
        """Give a pod to a node, as a scheduler does; answers with a Status."""
        old = self._get(kinds.POD, namespace, name)
        target = at(binding, "target") or {}
        causes: list[Cause] = []
        if target.get("kind") not in (None, "", "Node"):
            causes.append(status.not_supported("target.kind", target["kind"], ("Node", "<empty>")))
        if not target.get("name"):
            causes.append(status.required("target.name"))
        if causes:
            raise status.refused("", "Binding", name, causes)
        why = ""
        if old["metadata"].get("deletionTimestamp"):
            why = f"pod {name} is being deleted, cannot be assigned to a host"
        elif old["spec"].get("nodeName"):
            why = f'pod {name} is already assigned to node "{old["spec"]["nodeName"]}"'
        if why:
            raise status.conflict(kinds.POD._replace(plural="pods/binding"), name, why)
        conditions = [each for each in at(old, "status", "conditions") or () if each["type"] != "PodScheduled"]
        scheduled = {
            "type": "PodScheduled", "status": "True", "lastTransitionTime": stamp(self._now()),
        }  # fmt: skip
        value = {
            **old, "spec": {**old["spec"], "nodeName": target["name"]},
            "status": {**old["status"], "conditions": [*conditions, scheduled]},
        }  # fmt: skip
        if not dry_run:
            self.store.put(kinds.POD, value)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def evict(self, namespace: str, name: str, eviction: Any, *, dry_run: bool = False) -> Object:
        """Delete a pod, as ``kubectl drain`` does; answers with a Status."""
        self.delete(kinds.POD, namespace, name, at(eviction, "deleteOptions"), dry_run=dry_run)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def _get(self, kind: Kind, namespace: str, name: str) -> Object:
        found = self.store.get(kind, namespace if kind.namespaced else "", name)
        if found is None:
            raise status.not_found(kind, name)
        return found

    def _chance(self, below: int) -> int:
        return int(self._token(16), 16) % below

    def _create(self, kind: Kind, value: Object, dry_run: bool) -> Object:
        meta = value["metadata"]
        if meta.get("resourceVersion"):
            raise status.bad_request("resourceVersion should not be set on objects to be created")
        if kind.namespaced:
            self._check_namespace(kind, meta)
        preparing.new(kind, value)
        if meta.get("generateName") and not meta.get("name"):
            meta["name"] = self._free_name(kind, meta)
        meta |= {"uid": self._uid(), "creationTimestamp": stamp(self._now())}
        if kind == kinds.POD:
            admission.admit_pod(self.store, value)
        if kind == kinds.NAMESPACE:
            defaults.fill(kind, value)  # once more, with a name that was generated
        if kind == kinds.SERVICE:
            self._addresses.give(value)
        validation.check(kind, value)
        if self.store.get(kind, meta.get("namespace", ""), meta["name"]) is not None:
            raise status.already_exists(kind, meta["name"])
        return value if dry_run else self.store.put(kind, value)

    def _check_namespace(self, kind: Kind, meta: Object) -> None:
        name = meta.get("namespace", "")
        namespace = self.store.get(kinds.NAMESPACE, "", name)
        if namespace is None:
            raise status.not_found(kinds.NAMESPACE, name)
        if namespace["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {name} because it is being terminated"
            cause = Cause(status.BEING_TERMINATED, "metadata.namespace", f"namespace {name} is being terminated")
            raise status.forbidden(kind, meta.get("name", ""), why, [cause])

    def _free_name(self, kind: Kind, meta: Object) -> str:
        base: str = meta["generateName"][:_MAX_BASE]
        while True:
            name = base + "".join(_LETTERS[self._chance(len(_LETTERS))] for _ in range(_SUFFIX))
            if self.store.get(kind, meta.get("namespace", ""), name) is None:
                return name

    def _uid(self) -> str:
        """By chance (RFC 9562, version 4)."""
        digits = self._token(32)
        variant = "89ab"[int(digits[16], 16) % 4]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def _rescale(self, kind: Kind, namespace: str, name: str, obj: Any, dry_run: bool, fields: Fields) -> Object:
        wanted = reading.sent(scale.TYPE, scale.API_VERSION, obj, fields)
        reading.place(kind, wanted, namespace, name)
        return self._scaled(kind, self._get(kind, namespace, name), wanted, dry_run)

    def _scaled(self, kind: Kind, old: Object, wanted: Object, dry_run: bool) -> Object:
        return scale.of(self._update(kind, scale.applied(old, wanted), old, "", dry_run))

    def _update(self, kind: Kind, value: Object, old: Object, subresource: str, dry_run: bool) -> Object:
        name = old["metadata"]["name"]
        _check_same(kind, value["metadata"], old["metadata"])
        if kind == kinds.POD and not subresource:
            admission.tolerate(value["spec"])
        after = preparing.replaced(kind, value, old, subresource)
        if subresource:
            validation.check_part(kind, after, old, subresource)
        else:
            if kind == kinds.SERVICE:
                self._addresses.give(after, old)
            validation.check_update(kind, after, old)
        if dry_run:
            return after
        stored = self.store.put(kind, after)
        if deletion.is_over(kind, stored):
            self.store.drop(kind, stored["metadata"].get("namespace", ""), name)
        return stored

    def _delete(self, kind: Kind, old: Object, options: Object, dry_run: bool) -> tuple[Object, bool]:
        """The object as it is then, and whether it is gone."""
        deletion.check(kind, old, options)
        after = deletion.marked(kind, old, options, self._now())
        if after is not None:
            return (after if dry_run else self.store.put(kind, after)), False
        if dry_run:
            return old, True
        meta = old["metadata"]
        return self.store.drop(kind, meta.get("namespace", ""), meta["name"]) or old, True


def _check_part(kind: Kind, subresource: str) -> None:
    if subresource and (subresource not in kind.subresources or subresource not in _PARTS):
        raise status.method_not_allowed(f"this use of {kind.resource}/{subresource}")


def _check_same(kind: Kind, meta: Object, old: Object) -> None:
    """Whether a client means the object that is there."""
    if meta.get("uid", old["uid"]) != old["uid"]:
        why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {old['uid']}"
        raise status.conflict(kind, old["name"], why)
    version = meta.get("resourceVersion")
    if not version and kind == kinds.LEASE:
        cause = status.invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise status.refused(kind.group, kind.plural, old["name"], [cause])
    if version and version != old["resourceVersion"]:
        raise status.modified(kind, old["name"])
