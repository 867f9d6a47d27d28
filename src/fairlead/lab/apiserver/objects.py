"""Requests about objects: the verbs of the API, over the registry (Kubernetes API Concepts)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from typing import Any

from fairlead.lab.apiserver.bodies import Warnings, answer, dumped, patch_of, value_of
from fairlead.lab.apiserver.routes import Asked, Target
from fairlead.lab.apiserver.watching import BOOKMARK_EVERY, Event, Watcher
from fairlead.lab.registry import field_selectors, selectors, status, tables
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.rules import Registry
from fairlead.lab.registry.store import Change, ExpiredError, Object
from fairlead.lab.registry.tables import Form
from fairlead.lab.web.messages import Answer, Request, Stream

MOST_UNREAD = 10_000
"""Events that a client which does not read is kept; then it has to begin anew."""
LONGEST = 1800.0
"""Seconds of a watch for which the client names no limit."""
_DRY = ("", "All")


class Objects:
    """``now`` is the time of day, in UTC."""

    def __init__(self, registry: Registry, now: Callable[[], datetime]) -> None:
        self._registry = registry
        self._now = now

    async def answer(self, asked: Asked, target: Target, request: Request) -> Answer:
        """Do what is asked. Raises ApiStatusError."""
        form = tables.wanted(request.line("accept"), asked.one("includeObject"))
        kind = target.kind
        if asked.verb == "watch":
            return Stream(self._watch(asked, target, form))
        if asked.verb == "list":
            return answer(tables.rendered(form, kind, self._list(asked, target), self._now()))
        if asked.one("dryRun") not in _DRY:
            raise status.bad_request(f'dryRun: Unsupported value: "{asked.one("dryRun")}": it is All')
        warnings = Warnings(asked.one("fieldValidation"))
        value, code = self._one(asked, target, request, warnings)
        if target.subresource == "scale":
            kind = tables.SCALE
        return answer(tables.rendered(form, kind, value, self._now()), code, warnings.headers)

    def _one(self, asked: Asked, target: Target, request: Request, warnings: Warnings) -> tuple[Object, int]:
        """What a request that is no list comes to, and its code."""
        kind, namespace, name, part = target
        registry, dry = self._registry, asked.one("dryRun") == "All"
        match asked.verb:
            case "get":
                self._wait_for_nothing(asked)
                return registry.read(kind, namespace, name, part), 200
            case "create" if part == "binding":
                return registry.bind(namespace, name, value_of(request), dry_run=dry), 201
            case "create" if part == "eviction":
                return registry.evict(namespace, name, value_of(request), dry_run=dry), 201
            case "create" if not name:
                sent = value_of(request)
                return registry.create(kind, namespace, sent, dry_run=dry, fields=warnings.fields), 201
            case "update" if name:
                known = registry.store.get(kind, namespace if kind.namespaced else "", name)
                found = registry.replace(
                    kind, namespace, name, value_of(request), subresource=part, dry_run=dry, fields=warnings.fields
                )
                return found, 200 if known is not None else 201
            case "patch" if name:
                type_, patch = patch_of(request)
                found = registry.patch(
                    kind, namespace, name, type_, patch, subresource=part, dry_run=dry, fields=warnings.fields
                )
                return found, 200
            case "delete" if not part:
                return registry.delete(kind, namespace, name, _options(asked, request), dry_run=dry), 200
            case "deletecollection":
                options = _options(asked, request)
                chosen = asked.one("labelSelector"), asked.one("fieldSelector")
                gone = registry.delete_all(kind, namespace, *chosen, options, dry_run=dry)
                return _listed(kind, gone, registry.store.revision), 200
        raise status.method_not_allowed(f"{request.method} of {kind.plural}{f'/{part}' if part else ''}")

    # -- lists --

    def _list(self, asked: Asked, target: Target) -> Object:
        self._wait_for_nothing(asked)
        kind = target.kind
        found, revision = self._registry.select(
            kind, target.namespace, asked.one("labelSelector"), asked.one("fieldSelector")
        )
        limit = _number(asked, "limit")
        start = asked.one("continue")
        if start:
            # Whoever watches from the first page's revision on hears of what changed between the pages.
            revision, last = _read_token(start)
            self._since(kind, revision)
            found = [each for each in found if _key(each) > last]
        meta: Object = {"resourceVersion": str(revision)}
        if limit and len(found) > limit:
            meta["continue"] = _token(revision, _key(found[limit - 1]))
            meta["remainingItemCount"] = len(found) - limit
            found = found[:limit]
        return {**_listed(kind, found, revision), "metadata": meta}

    def _wait_for_nothing(self, asked: Asked) -> None:
        """All that is asked is as new as can be, but for revisions of another lab, or of nobody."""
        revision, match = _number(asked, "resourceVersion"), asked.one("resourceVersionMatch")
        if match and match not in ("Exact", "NotOlderThan"):
            raise status.bad_request(f'resourceVersionMatch: Unsupported value: "{match}"')
        current = self._registry.store.revision
        if revision > current:
            cause = status.Cause("ResourceVersionTooLarge", "", f"Too large resource version: {revision}")
            raise status.timed_out(f"Too large resource version: {revision}, current: {current}", 1, [cause])
        if match == "Exact" and revision != current:
            raise status.expired(f"The provided resource version {revision} is not kept: only the newest is.")

    def _since(self, kind: Kind, revision: int) -> list[Change]:
        try:
            return self._registry.store.since(kind, revision)
        except ExpiredError:
            current = self._registry.store.revision
            raise status.expired(f"too old resource version: {revision} ({current})") from None

    # -- watches --

    async def _watch(self, asked: Asked, target: Target, form: Form) -> AsyncIterator[bytes]:
        first = True
        async for event in self._events(asked, target):
            value = {"kind": target.kind.kind, "apiVersion": target.kind.api_version, **event.object}
            if event.type != "BOOKMARK" or form.name:
                value = tables.rendered_event(form, target.kind, event.type, value, self._now(), first=first)
            first = False
            yield dumped({"type": event.type, "object": value}) + b"\n"

    async def _events(self, asked: Asked, target: Target) -> AsyncIterator[Event]:
        kind, store = target.kind, self._registry.store
        loop = asyncio.get_running_loop()
        until = loop.time() + (_number(asked, "timeoutSeconds") or LONGEST)
        watcher = Watcher(
            kind, target.namespace, _chosen(kind, asked, target), bookmarks=asked.is_true("allowWatchBookmarks")
        )
        unread: asyncio.Queue[Event] = asyncio.Queue(MOST_UNREAD)
        full = False

        def told(change: Change) -> None:
            nonlocal full
            event = watcher.changed(change)
            if event is not None and not full:
                full = unread.full()
                if not full:
                    unread.put_nowait(event)

        try:
            initial = self._initial(asked, target, watcher)
        except status.ApiStatusError as error:
            yield Event("ERROR", error.to_json())
            return
        stop = store.follow(kind, told)
        try:
            for event in initial:
                yield event
            while not full and (left := until - loop.time()) > 0:
                told_next = await _next(unread, min(left, BOOKMARK_EVERY)) or watcher.bookmark(store.revision)
                if told_next is not None:
                    yield told_next
        finally:
            stop()

    def _initial(self, asked: Asked, target: Target, watcher: Watcher) -> list[Event]:
        """What is told at once; nothing changes before the client is followed."""
        revision = _number(asked, "resourceVersion")
        all_ = asked.is_true("sendInitialEvents")
        store = self._registry.store
        if revision > store.revision:
            self._wait_for_nothing(asked)
        if all_ or (not revision and asked.one("sendInitialEvents") == ""):
            return list(watcher.initial(store.all(target.kind, target.namespace), store.revision, end=all_))
        missed = (watcher.changed(change) for change in self._since(target.kind, revision or store.revision))
        return [event for event in missed if event is not None]


async def _next(unread: asyncio.Queue[Event], seconds: float) -> Event | None:
    """The next event; None if there is none in that time."""
    try:
        async with asyncio.timeout(seconds):
            return await unread.get()
    except TimeoutError:
        return None


def _chosen(kind: Kind, asked: Asked, target: Target) -> Callable[[Object], bool]:
    by_label = selectors.parsed(asked.one("labelSelector"))
    by_field = field_selectors.parsed(kind, asked.one("fieldSelector"))

    def matches(value: Object) -> bool:
        meta = value["metadata"]
        named = not target.name or meta["name"] == target.name
        return named and selectors.matches(by_label, meta.get("labels")) and by_field.matches(value)

    return matches


def _listed(kind: Kind, found: Iterable[Object], revision: int) -> Object:
    items = [{key: inner for key, inner in each.items() if key not in ("kind", "apiVersion")} for each in found]
    meta = {"resourceVersion": str(revision)}
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": items}


def _options(asked: Asked, request: Request) -> Any:
    """Those of the body, or of the URL."""
    sent = value_of(request)
    if sent:
        return sent
    found: Object = {}
    if asked.one("gracePeriodSeconds"):
        found["gracePeriodSeconds"] = _number(asked, "gracePeriodSeconds")
    if asked.one("propagationPolicy"):
        found["propagationPolicy"] = asked.one("propagationPolicy")
    return found or None


def _number(asked: Asked, name: str) -> int:
    """A parameter that is a number; 0 where it is not there. Raises ApiStatusError (400)."""
    text = asked.one(name)
    if not text:
        return 0
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise status.bad_request(f'{name}: Invalid value: "{text}": it is no number')
    return int(text)


def _key(value: Object) -> tuple[str, str]:
    meta = value["metadata"]
    return meta.get("namespace", ""), meta["name"]


def _token(revision: int, last: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([revision, *last]).encode()).decode()


def _read_token(text: str) -> tuple[int, tuple[str, str]]:
    try:
        revision, namespace, name = json.loads(base64.urlsafe_b64decode(text.encode()))
        return int(revision), (str(namespace), str(name))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise status.bad_request("continue key is not valid") from None
