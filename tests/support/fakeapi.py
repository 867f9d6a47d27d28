"""An API server in memory, with the switches that break it; it speaks the client's two calls, ``get`` and ``lines``."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fairlead.errors import ApiError, FairleadError, ForbiddenError, GoneError, NotFoundError, UnreachableError

Query = Sequence[tuple[str, str]]
Object = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request, as the server saw it."""

    at: float
    verb: str
    path: str
    query: dict[str, str]


@dataclass
class Stream:
    """One open watch; ``lines`` is what it has still to send, None is its end."""

    path: str
    query: dict[str, str]
    lines: asyncio.Queue[bytes | FairleadError | None] = field(default_factory=asyncio.Queue)
    hung: bool = False

    def send(self, kind: str, body: Object) -> None:
        if not self.hung:
            self.lines.put_nowait(json.dumps({"type": kind, "object": body}).encode())


class FakeApi:
    """Objects by the path of their collection; every change gets the next resource version."""

    def __init__(self) -> None:
        self.version = 100
        self.objects: dict[str, dict[str, Object]] = {}
        self.documents: dict[str, Object] = {}
        """Discovery, by path."""
        self.history: list[tuple[int, str, str, Object, Object | None]] = []
        self.streams: list[Stream] = []
        self.asked: list[Asked] = []
        self.forbidden: set[tuple[str, str]] = set()
        """(verb, last part of a collection's path)."""
        self.down = False
        self.failures: list[FairleadError] = []
        """Raised by the next requests, in order."""
        self.watch_list = "on"
        """``on``; ``invalid`` refuses it with 422; ``silent`` takes it for a plain watch, as old servers do."""
        self.oldest = 0
        """Watches from before this version get 410."""
        self.gone_as_event = False
        self.swallow = 0
        """How many of the next events no stream ever sends."""
        self.twice = False
        """Send each event twice."""
        self.hang_new = False
        """New streams are accepted and stay silent."""
        self.bookmarks: float | None = None
        """Seconds between bookmarks."""
        self.page = 500
        self.expire_pages = 0
        self._continued: dict[str, list[Object]] = {}

    # What tests do to the cluster.

    def put(self, collection: str, item: Object) -> Object:
        """Create or update."""
        item = copy.deepcopy(item)
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        stored = self.objects.setdefault(collection, {})
        meta = item["metadata"]
        # Of all namespaces together, a name alone is not enough.
        key = meta["name"] if "/namespaces/" in collection else f"{meta['namespace']}/{meta['name']}"
        old = stored.get(key)
        stored[key] = item
        self._event("ADDED" if old is None else "MODIFIED", collection, item, old)
        return item

    def delete(self, collection: str, name: str) -> None:
        item = self.objects[collection].pop(name)
        self.version += 1
        item = copy.deepcopy(item)
        item["metadata"]["resourceVersion"] = str(self.version)
        self._event("DELETED", collection, item, item)

    def cut(self, partial: bytes = b"") -> None:
        """End every stream, perhaps in the middle of a line."""
        for stream in self.streams:
            if partial:
                stream.lines.put_nowait(partial)
            stream.lines.put_nowait(None)

    def fail_streams(self, error: FairleadError) -> None:
        for stream in self.streams:
            stream.lines.put_nowait(error)

    def hang(self) -> None:
        """Open streams never say another word."""
        for stream in self.streams:
            stream.hung = True

    def compact(self) -> None:
        """Forget all history: every later resume gets 410."""
        self.version += 1
        self.oldest = self.version

    def count(self, verb: str, part: str = "") -> int:
        return sum(1 for each in self.asked if each.verb == verb and part in each.path)

    def verbs(self) -> Counter[tuple[str, str]]:
        return Counter((each.verb, _plural(each.path)) for each in self.asked)

    # What clients ask.

    async def get(self, path: str, query: Query = ()) -> Object:
        await asyncio.sleep(0)
        asked = dict(query)
        collection, _, name = path.rpartition("/")
        if path in self.documents:
            self._admit("get", path, path, asked)
            return copy.deepcopy(self.documents[path])
        single = path.count("/") == (7 if path.startswith("/apis/") else 6)
        verb = "get" if single else "list"
        self._admit(verb, collection if single else path, path, asked)
        if single:
            found = self.objects.get(collection, {}).get(name)
            if found is None:
                raise not_found(_plural(collection), name)
            return copy.deepcopy(found)
        return self._list(path, asked)

    @asynccontextmanager
    async def lines(self, path: str, query: Query = ()) -> AsyncIterator[AsyncIterator[bytes]]:
        await asyncio.sleep(0)
        asked = dict(query)
        self._admit("watch", path, path, asked)
        initial = asked.get("sendInitialEvents") == "true"
        if initial and self.watch_list == "invalid":
            raise ApiError("sendInitialEvents: Forbidden", code=422, reason="Invalid")
        stream = Stream(path, asked, hung=self.hang_new)
        since = int(asked.get("resourceVersion") or self.version)
        if since < self.oldest:
            error = GoneError("too old resource version", code=410, reason="Expired")
            if not self.gone_as_event:
                raise error
            stream.send("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
        elif initial:
            self._initial(stream)
        else:
            for version, kind, collection, item, old in self.history:
                if version > since and collection == path:
                    self._offer(stream, kind, item, old)
        self.streams.append(stream)
        try:
            yield self._flow(stream)
        finally:
            self.streams.remove(stream)

    async def _flow(self, stream: Stream) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(self.bookmarks):
                    line = await stream.lines.get()
            except TimeoutError:
                if not stream.hung:
                    yield json.dumps({"type": "BOOKMARK", "object": bookmark(self.version)}).encode()
                continue
            if line is None:
                return
            if isinstance(line, FairleadError):
                raise line
            yield line

    def _initial(self, stream: Stream) -> None:
        for item in self._matching(stream.path, stream.query):
            stream.send("ADDED", item)
        if self.watch_list == "on":
            stream.send("BOOKMARK", bookmark(self.version, end=True))

    def _list(self, path: str, query: dict[str, str]) -> Object:
        token = query.get("continue", "")
        if token:
            if self.expire_pages:
                self.expire_pages -= 1
                raise GoneError("the continue token is too old", code=410, reason="Expired")
            items = self._continued.pop(token)
        else:
            items = self._matching(path, query)
        size = min(self.page, int(query["limit"])) if "limit" in query else len(items)
        meta: Object = {"resourceVersion": str(self.version)}
        if len(items) > size:
            meta["continue"] = str(len(self._continued) + 1)
            self._continued[meta["continue"]] = items[size:]
        return {"kind": "List", "metadata": meta, "items": copy.deepcopy(items[:size])}

    def _matching(self, path: str, query: dict[str, str]) -> list[Object]:
        stored = self.objects.get(path, {})
        return [stored[name] for name in sorted(stored) if _selected(stored[name], query)]

    def _event(self, kind: str, collection: str, item: Object, old: Object | None) -> None:
        self.history.append((self.version, kind, collection, item, old))
        if self.swallow:
            self.swallow -= 1
            return
        for stream in self.streams:
            if stream.path == collection:
                for _ in range(2 if self.twice else 1):
                    self._offer(stream, kind, item, old)

    def _offer(self, stream: Stream, kind: str, item: Object, old: Object | None) -> None:
        """Send an event as a selector changes it: what matches no more is deleted, what newly matches is added."""
        matches = _selected(item, stream.query)
        matched = old is not None and _selected(old, stream.query)
        if kind == "MODIFIED" and matches != matched:
            kind = "ADDED" if matches else "DELETED"
        if matches or matched:
            stream.send(kind, item)

    def _admit(self, verb: str, collection: str, path: str, query: dict[str, str]) -> None:
        self.asked.append(Asked(asyncio.get_running_loop().time(), verb, path, query))
        if self.down:
            raise UnreachableError("connection refused")
        if self.failures:
            raise self.failures.pop(0)
        if (verb, _plural(collection)) in self.forbidden:
            raise ForbiddenError(f"may not {verb} {_plural(collection)}", code=403, reason="Forbidden")


def not_found(plural: str, name: str) -> NotFoundError:
    return NotFoundError(f'{plural} "{name}" not found', code=404, reason="NotFound")


def bookmark(version: int, *, end: bool = False) -> Object:
    notes = {"annotations": {"k8s.io/initial-events-end": "true"}} if end else {}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": str(version), **notes}}


def _plural(path: str) -> str:
    return path.rpartition("/")[2]


def _selected(item: Object, query: dict[str, str]) -> bool:
    meta = item["metadata"]
    where, _, wanted = query.get("fieldSelector", "").partition("=")
    found: Any = item
    for step in where.split(".") if where else ():
        found = found.get(step, {})
    if where and found != wanted:
        return False
    labels = meta.get("labels") or {}
    terms = [term for term in query.get("labelSelector", "").split(",") if "=" in term]
    return all(labels.get(term.split("=")[0]) == term.split("=")[1] for term in terms)


async def until(condition: Callable[[], object], *, limit: float = 3600.0) -> None:
    """Let the loop run until a condition holds; TimeoutError after ``limit`` seconds on its clock."""
    async with asyncio.timeout(limit):
        while not condition():
            await asyncio.sleep(0.01)


def names(items: Iterable[Any]) -> list[str]:
    return sorted(item.name for item in items)
