"""A list of objects, kept current.

List, then watch from the list's resource version, for ever. What a re-list does not name is gone. The stream is
resumed from the last resource version seen; if the server says that this is too old (410), or answers nonsense, the
list is taken anew, by a watch that begins with it where the server can do that (watch-list, KEP-3157). A stream on
which nothing arrives, not even a bookmark, is given up and resumed. Who may not watch, polls.

The cache keeps its last known state through every failure.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from fairlead.errors import ApiError, FairleadError, ForbiddenError, GoneError, NotFoundError, ProtocolError
from fairlead.kit import log
from fairlead.kube.resources import Getter
from fairlead.model.cache import Cache, Change, Keyed
from fairlead.policy.backoff import Backoff

T = TypeVar("T", bound=Keyed)

_Initial: TypeAlias = dict[tuple[str, str], T] | None
"""The list that a watch begins with, by namespace and name, as far as it came; None once it is whole."""

LOG = log.get(__name__)


class Server(Getter, Protocol):
    """The part of the API server's client that is needed here."""

    def lines(
        self, path: str, query: Sequence[tuple[str, str]] = ()
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a watch stream, split in lines of bounded length."""


class Timing(NamedTuple):
    """Seconds; the defaults suit every server, tests have their own clock."""

    inactivity: float = 90.0
    """Bookmarks come about once a minute (watch cache); what is silent for longer hangs."""
    initial: float = 10.0
    """Silence during the initial list of a watch: an old server that takes it for a plain watch never ends it."""
    watch: tuple[float, float] = (300.0, 600.0)
    """How long a watch is asked to last, as client-go does, so that long runs move between API servers."""
    poll: float = 5.0
    """Between lists where watching is forbidden."""
    watch_again: float = 600.0
    """Where watching was forbidden, it is tried again after this time: rights change."""
    short: float = 1.0
    """A watch that ends sooner counts as a failure, so that a server cannot make us spin."""


PAGE = "500"
"""Objects a page, as client-go asks."""
MAX_OBJECTS = 100_000
"""Objects kept, whether a list or a watch brings them: a bound on what a server can make us hold."""
_INITIAL_END = "k8s.io/initial-events-end"
_UNSUPPORTED = (400, 405, 422)
"""Statuses of servers that do not know sendInitialEvents, or have it switched off."""


class Reflector(Generic[T]):
    """Keeps ``cache`` equal to what the server has at ``path``; ``synced`` once that was known at all.

    ``single`` is the name of the one object wanted: it is read with get where listing is forbidden. ``on_change`` gets
    the changes of each event or list, and is called for the first list even if that is empty. ``on_trouble`` gets each
    error that makes it start again, and None when it is current again. ``on_polling`` is called once with the refusal
    if watching is forbidden, ``on_crowded`` once if there are more than MAX_OBJECTS; the others are not known then.
    """

    def __init__(
        self,
        server: Server,
        path: str,
        read: Callable[[object], T],
        *,
        selector: str = "",
        field_selector: str = "",
        single: str = "",
        on_change: Callable[[list[Change[T]]], None] = lambda _: None,
        on_trouble: Callable[[FairleadError | None], None] = lambda _: None,
        on_polling: Callable[[FairleadError], None] = lambda _: None,
        on_crowded: Callable[[], None] = lambda: None,
        timing: Timing | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.cache: Cache[T] = Cache(MAX_OBJECTS)
        self.synced = False
        self._server = server
        self._path = path
        self._read = read
        self._query = [("labelSelector", selector)] if selector else []
        if field_selector:
            self._query.append(("fieldSelector", field_selector))
        self._single = single
        self._object_path = path
        if single:
            self._path, _, _ = path.rpartition("/")
            self._query = [("fieldSelector", f"metadata.name={single}")]
        self._on_change = on_change
        self._on_trouble = on_trouble
        self._on_polling = on_polling
        self._on_crowded = on_crowded
        self._timing = timing or Timing()
        self._chance = chance
        self._backoff = Backoff()
        self._version = ""
        self._watch_list = True
        self._polling_since: float | None = None
        self._said_polling = self._said_crowded = False
        self._may_list = True
        self._kicked = False
        self._reading = False
        self._doubted = False
        self._gone_at: float | None = None
        self._scope: asyncio.Timeout | None = None
        self._troubled = False

    async def prime(self) -> None:
        """Read everything once, as kubectl does at its start; raises what the server answers."""
        if self._single:
            self._replace([self._read(await self._server.get(self._object_path))])
        else:
            await self._list()

    @property
    def current(self) -> bool:
        """Whether nothing is known to have gone wrong since it last knew what there is."""
        return not self._troubled

    def kick(self) -> None:
        """Start again at once: the network is back, or what is known is doubted. Harmless at any time."""
        self._kicked = True
        self._backoff.reset()
        if self._scope is not None and not self._scope.expired():
            self._scope.reschedule(asyncio.get_running_loop().time())

    def relist(self) -> None:
        """Take the whole list anew at once: an object that it names was found to be gone.

        One that is being taken goes on to its end first: it may be a long one, and doubts may come often.
        """
        self._doubted = True
        if self._reading:
            self._kicked = True
        else:
            self.kick()

    async def run(self) -> None:
        """Keep current for ever. May be cancelled, and run again: it goes on from the last state."""
        while True:
            # Of what did not fit, a watch would not tell that it does by now.
            if self._doubted or self.cache.crowded:
                self._version = ""
            self._kicked = self._doubted = False
            started = asyncio.get_running_loop().time()
            try:
                await self._turn(started)
            except GoneError as error:
                LOG.decision("%s: %s: listing again", self._path, error.what)
                self._version = ""
                # At once, unless the server says so again and again.
                if self._gone_at is not None and started - self._gone_at < self._timing.inactivity:
                    await self._failed(error)
                self._gone_at = started
            except TimeoutError:
                if not self._kicked:
                    LOG.decision("%s: nothing arrived: watching again", self._path)
                await self._pace(started)
            except FairleadError as error:
                await self._failed(error)
            else:
                await self._pace(started)

    async def _turn(self, now: float) -> None:
        """One list or one watch, to its end."""
        if self._polling(now):
            await self._read_all(self._list() if self._may_list else self._get())
            self._recovered()
            await self._pause(self._timing.poll)
            return
        if not self._version and not self._watch_list:
            await self._read_all(self._list())
            self._recovered()
            if self._polling(now):
                return
            if not self._version:
                raise ProtocolError(f"the API server sent a list of {self._path} without a resource version")
        if self._kicked:
            return
        try:
            await self._watch()
        except ForbiddenError as error:
            self._poll(error)
        except ApiError as error:
            if not self._version and self._watch_list and error.code in _UNSUPPORTED:
                self._watch_list = False
                await self._turn(now)
            elif error.code == 405:
                self._poll(error)
            else:
                raise

    def _polling(self, now: float) -> bool:
        return self._polling_since is not None and now - self._polling_since < self._timing.watch_again

    def _poll(self, error: FairleadError) -> None:
        self._polling_since = asyncio.get_running_loop().time()
        if not self._said_polling:
            self._said_polling = True
            self._on_polling(error)

    async def _read_all(self, reading: Awaitable[None]) -> None:
        """Wait for a list, or TimeoutError when kicked: the answer to what was asked before that may never come."""
        self._reading = True
        try:
            async with asyncio.timeout(None) as self._scope:
                await reading
        finally:
            self._reading = False
            self._scope = None

    async def _get(self) -> None:
        """Read the single object, which may have gone."""
        try:
            found = [self._read(await self._server.get(self._object_path))]
        except NotFoundError:
            found = []
        self._replace(found)

    async def _list(self) -> None:
        """Read all pages. One that expires on the way (410) is followed by the whole list in one answer."""
        try:
            items, version = await self._pages(PAGE)
        except GoneError:
            items, version = await self._pages("")
        except ForbiddenError as error:
            if not self._single:
                raise
            self._may_list = False
            self._poll(error)
            await self._get()
            return
        self._version = version
        self._replace(items)

    async def _pages(self, limit: str) -> tuple[list[T], str]:
        items: list[T] = []
        query = [*self._query, *([("limit", limit)] if limit else [])]
        token = ""
        while True:
            page = await self._server.get(self._path, [*query, *([("continue", token)] if token else [])])
            entries = page.get("items")
            items.extend(map(self._read, entries if isinstance(entries, list) else ()))
            meta = _mapping(page, "metadata")
            token = str(meta.get("continue") or "")
            if not token or len(items) > MAX_OBJECTS:
                return items, str(meta.get("resourceVersion") or "")

    async def _watch(self) -> None:
        """Follow one stream to its end; without a resource version it begins with the list."""
        low, high = self._timing.watch
        seconds = str(int(low + (high - low) * self._chance()))
        query = [*self._query, ("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", seconds)]
        initial: _Initial[T] = None
        if self._version:
            query.append(("resourceVersion", self._version))
        else:
            query += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]
            initial = {}
        try:
            async with asyncio.timeout(None) as self._scope:
                self._expect(initial)
                async with self._server.lines(self._path, query) as lines:
                    if initial is None:
                        self._recovered()
                    async for line in lines:
                        initial = self._take(line, initial)
                        self._expect(initial)
        except TimeoutError:
            if initial is not None and not self._kicked:
                self._watch_list = False
            raise
        finally:
            self._scope = None
        if initial is not None:
            # It ended in the middle of its list: nothing of it counts.
            raise ProtocolError(f"the API server ended the list of {self._path} half-way")

    def _expect(self, initial: object) -> None:
        """Give the next line its time, unless somebody asked to start again."""
        if self._scope is not None and not self._kicked:
            limit = self._timing.inactivity if initial is None else self._timing.initial
            self._scope.reschedule(asyncio.get_running_loop().time() + limit)

    def _take(self, line: bytes, initial: _Initial[T]) -> _Initial[T]:
        """Apply one event; returns the collected initial list while that lasts."""
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            raise ProtocolError(f"the API server sent a broken event of {self._path}") from None
        kind, body = (event.get("type"), _mapping(event, "object")) if isinstance(event, dict) else (None, {})
        if kind == "ERROR":
            raise _status_error(body)
        if kind == "BOOKMARK":
            return self._bookmark(body, initial)
        if kind not in ("ADDED", "MODIFIED", "DELETED"):
            raise ProtocolError(f"the API server sent an event of unknown type {kind!r}"[:200])
        item = self._read(body)
        if initial is not None:
            if kind == "DELETED":
                initial.pop((item.namespace, item.name), None)
            elif len(initial) <= MAX_OBJECTS or (item.namespace, item.name) in initial:
                initial[item.namespace, item.name] = item
            return initial
        self._version = item.resource_version
        self._changed(self.cache.drop(item) if kind == "DELETED" else self.cache.put(item))
        return None

    def _bookmark(self, body: Mapping[str, Any], initial: _Initial[T]) -> _Initial[T]:
        meta = _mapping(body, "metadata")
        if initial is not None and _mapping(meta, "annotations").get(_INITIAL_END) != "true":
            return initial
        self._version = str(meta.get("resourceVersion") or "") or self._version
        if initial is not None:
            self._replace(list(initial.values()))
            self._recovered()
        return None

    def _replace(self, items: Sequence[T]) -> None:
        changes = self.cache.replace(items)
        first, self.synced = not self.synced, True
        self._changed(changes, first=first)

    def _changed(self, changes: list[Change[T]], *, first: bool = False) -> None:
        if changes or first:
            self._on_change(changes)
        if self.cache.crowded and not self._said_crowded:
            self._said_crowded = True
            self._on_crowded()

    def _recovered(self) -> None:
        if self._troubled:
            self._troubled = False
            self._on_trouble(None)

    async def _failed(self, error: FairleadError) -> None:
        """Say it, and wait before the next turn; a 429 says how long."""
        self._troubled = True
        self._on_trouble(error)
        if isinstance(error, ProtocolError) or (isinstance(error, ApiError) and error.code != 429):
            # What was answered may be about the version itself, such as one that the server has yet to reach.
            self._version = ""
        pause = self._backoff.failed(asyncio.get_running_loop().time(), self._chance())
        asked = error.retry_after if isinstance(error, ApiError) else None
        pause = max(pause, min(asked or 0.0, 60.0))
        LOG.decision("%s: %s; again in %.1f s", self._path, error.what, pause)
        await self._pause(pause)

    async def _pace(self, started: float) -> None:
        now = asyncio.get_running_loop().time()
        if now - started < self._timing.short and not self._kicked:
            await self._pause(self._backoff.failed(now, self._chance()))

    async def _pause(self, seconds: float) -> None:
        """Sleep, until kicked at the latest."""
        if self._kicked:
            return
        try:
            async with asyncio.timeout(seconds) as self._scope:
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            pass
        finally:
            self._scope = None


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _status_error(status: Mapping[str, Any]) -> ApiError:
    """Make the error of an ERROR event, whose object is a Status."""
    code, reason = status.get("code"), str(status.get("reason") or "")
    message = str(status.get("message") or "the watch failed")[:1000]
    known = code if isinstance(code, int) else 0
    made = GoneError if known == 410 or reason in ("Expired", "Gone") else ApiError
    return made(message, code=known, reason=reason, message=message)
