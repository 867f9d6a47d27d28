"""Drives the controllers: follows the store, asks them key by key, and does what they say. The only shell among them.

All happens on one event loop, and a turn (ask, then write) is never interrupted: what a controller saw is what its
writes meet, and no key is handled twice at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Protocol

from fairlead.lab.controllers.queue import Queue
from fairlead.lab.controllers.steps import (
    NAME,
    Again,
    Bind,
    Controller,
    Create,
    Delete,
    Key,
    Replace,
    Step,
    Tell,
    Write,
)
from fairlead.lab.registry.events import News, Recorder
from fairlead.lab.registry.kinds import EVENT, Kind
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Change, Object, Store

log = logging.getLogger(__name__)


class Writer(Protocol):
    """What is needed of the registry."""

    def create(self, kind: Kind, namespace: str, obj: Object) -> Object:
        """Make an object."""

    def replace(self, kind: Kind, namespace: str, name: str, obj: Object, *, subresource: str = "") -> Object:
        """Change one."""

    def delete(self, kind: Kind, namespace: str, name: str, options: Object) -> Object:
        """Delete one."""

    def bind(self, namespace: str, name: str, binding: Object) -> Object:
        """Give a pod to a node."""


class Runner:
    """Some controllers over one store."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        controllers: Sequence[Controller],
        now: Callable[[], datetime],
        recorder: Recorder,
    ) -> None:
        self._store = store
        self._writer = writer
        self._controllers = {controller.name: controller for controller in controllers}
        self._now = now
        self._recorder = recorder
        self._queue = Queue[tuple[str, Key]]()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Drive them until cancelled."""
        with ExitStack() as stack:
            for stop in self.start():
                stack.callback(stop)
            while True:
                if self.turn():
                    await asyncio.sleep(0)  # others have their turns between ours
                    continue
                self._news.clear()
                await self._wait(self._queue.next_time())

    def start(self) -> list[Callable[[], None]]:
        """Begin to follow the store, with all that there is; what is returned ends that."""
        stops = []
        for controller in self._controllers.values():
            for key in controller.first:
                self._queue.add((controller.name, key))
            for kind in controller.keys:
                for value in self._store.all(kind):
                    self._changed(controller, Change(0, kind, None, value))
                stops.append(self._store.follow(kind, partial(self._changed, controller)))
        return stops

    def turn(self) -> bool:
        """Ask about the next key, and do what is said; False if all have to wait."""
        taken = self._queue.take(self._now())
        if taken is None:
            return False
        controller, key = self._controllers[taken[0]], taken[1]
        try:
            self._do(controller, key, controller.decide(self._store, key, self._now()))
        except ApiStatusError as error:
            level = logging.DEBUG if error.reason == "Conflict" else logging.INFO
            log.log(level, "%s %s: %s", controller.name, "/".join(key), error.message)
            self._queue.failed(taken, self._now())
        except Exception:
            # One object that a controller cannot make sense of must not end the cluster for all others.
            log.exception("%s %s", controller.name, "/".join(key))
            self._queue.failed(taken, self._now())
        else:
            self._queue.succeeded(taken)
        return True

    def next_time(self) -> datetime | None:
        """When a turn is due if nothing changes; None if never."""
        return self._queue.next_time()

    def _changed(self, controller: Controller, change: Change) -> None:
        try:
            keys = list(controller.keys[change.kind](self._store, change))
        except Exception:  # whoever made the change is not to blame
            log.exception("%s %s", controller.name, change.kind.plural)
            return
        for key in keys:
            self._queue.add((controller.name, key))
        self._news.set()

    async def _wait(self, until: datetime | None) -> None:
        seconds = None if until is None else max(0.0, (until - self._now()).total_seconds())
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass  # a time that was asked for

    def _do(self, controller: Controller, key: Key, steps: Iterable[Step]) -> None:
        for step in steps:
            try:
                self._one(controller, key, step)
            except ApiStatusError as error:
                if not isinstance(step, Tell | Again) and error.reason != "Conflict":
                    self._refused(controller, key, step, error)
                raise

    def _one(self, controller: Controller, key: Key, step: Step) -> None:
        if isinstance(step, Again):
            self._queue.at((controller.name, key), step.at)
        elif isinstance(step, Tell):
            self._tell(controller, step)
        else:
            made = self._write(step)
            if step.told is not None:
                name = (made or step.value)["metadata"]["name"]
                self._tell(controller, step.told._replace(message=step.told.message.replace(NAME, name)))

    def _write(self, step: Write) -> Object | None:
        meta = step.value["metadata"]
        namespace = meta.get("namespace", "")
        match step:
            case Create(kind, value):
                return self._writer.create(kind, namespace, value)
            case Replace(kind, value, subresource):
                return self._writer.replace(kind, namespace, meta["name"], value, subresource=subresource)
            case Bind(value, node):
                self._writer.bind(namespace, meta["name"], {"target": {"kind": "Node", "name": node}})
                return value
            case Delete(kind):
                try:
                    return self._writer.delete(kind, namespace, meta["name"], step.options)
                except ApiStatusError as error:
                    if error.reason != "NotFound":
                        raise
                    return None  # as it should be

    def _refused(self, controller: Controller, key: Key, write: Write, error: ApiStatusError) -> None:
        """Let the controller say so; where that is refused, too, the log has it."""
        try:
            for step in controller.refused(self._store, key, self._now(), write, error):
                self._one(controller, key, step)
        except ApiStatusError as another:
            log.info("%s %s: %s", controller.name, "/".join(key), another.message)

    def _tell(self, controller: Controller, tell: Tell) -> None:
        news = News(controller.name, tell.about, tell.reason, tell.message, warning=tell.warning, action=tell.action)
        event = self._recorder.note(self._store, news, self._now())
        if event is None:
            return
        meta = event["metadata"]
        try:
            if "resourceVersion" in meta:
                self._writer.replace(EVENT, meta["namespace"], meta["name"], event)
            else:
                self._writer.create(EVENT, meta["namespace"], event)
        except ApiStatusError as error:
            log.debug("event %s of %s: %s", tell.reason, tell.about["metadata"]["name"], error.message)
