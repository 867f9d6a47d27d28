"""Where the connections of one local port go: a pod for each of them, and what became of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from fairlead.dial.connection import Connection
from fairlead.kit import log
from fairlead.model.events import ConnectionFailed, Event, Note
from fairlead.model.objects import Stopped
from fairlead.model.target import Backend, PodRef, TargetPort
from fairlead.policy.advice import explain, explain_stopped
from fairlead.policy.choose import Choice, least_used
from fairlead.policy.refusal import dial_was_refused
from fairlead.protocol.portforward import Outcome

LOG = log.get(__name__)

RETRY = 1.0
"""Seconds between two attempts while connections wait for something that nobody announces."""


class Pods(Protocol):
    """The pods behind a target, as ``dial.backends.Backends`` keeps them."""

    @property
    def target(self) -> str:
        """As its user knows it."""

    def ready(self, port: TargetPort) -> tuple[Backend, ...]:
        """Candidates for a new connection."""

    def why_not(self, port: TargetPort) -> str:
        """Why there are none."""

    def stopped(self, pod: PodRef) -> Stopped | None:
        """The container of this pod that does not run, or that ended and only runs again."""

    def doubt(self, pod: PodRef) -> None:
        """Look whether this pod is still there."""


class Route:
    """The ``Target`` of all connections that one local port accepts."""

    def __init__(
        self,
        pods: Pods,
        port: TargetPort,
        *,
        local: int,
        choice: Choice,
        in_use: Counter[PodRef],
        report: Callable[[Event], None],
        server_up: Callable[[], bool],
        on_error: Callable[[], None] = lambda: None,
        on_answer: Callable[[PodRef | None], None] = lambda pod: None,
    ) -> None:
        self.local = local
        """The local port's number, 0 for standard input and output."""
        self.on_over: Callable[[bool], None] = lambda ok: None
        """Called when a connection is over, with whether it ended cleanly."""
        self._counted: dict[Connection, PodRef] = {}
        self._pods = pods
        self._port = port
        self._choice = choice
        self._in_use = in_use
        self._report = report
        self._server_up = server_up
        self._on_error = on_error
        self._on_answer = on_answer
        self._waiting: dict[Connection, None] = {}
        self._retry: asyncio.TimerHandle | None = None
        self._fallback: PodRef | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def busy(self) -> bool:
        """Whether connections are on it, or wait for it."""
        return bool(self._counted or self._waiting)

    def choose(self, tried: frozenset[Backend], connection: Connection) -> Backend | None:
        """Pick a ready pod that was not tried yet; the running one that kubectl would take if none is ready."""
        candidates = self._pods.ready(self._port)
        if tried:
            # A detour for this connection: whom its client keeps to is another question.
            others = [backend for backend in candidates if backend not in tried]
            backend = others[least_used(others, self._in_use, 0)] if others else None
        else:
            backend = self._choice.pick(candidates, self._in_use, client=connection.client, now=self._loop.time())
        self._count_out(connection)
        if backend is None:
            return None
        LOG.decision("port %d: a connection goes to pod %s, port %d", self.local, backend.pod.name, backend.port)
        self._counted[connection] = backend.pod
        self._in_use[backend.pod] += 1
        if not backend.fallback:
            self._fallback = None
        elif self._fallback != backend.pod:
            self._fallback = backend.pod
            self._report(Note(f"no pod of {self._pods.target} is ready; using {backend.pod.name}, which runs"))
        return backend

    def has_another(self, tried: frozenset[Backend]) -> bool:
        """Whether there is a candidate that was not tried yet."""
        return any(backend not in tried for backend in self._pods.ready(self._port))

    def wait_for_backend(self, connection: Connection) -> None:
        """Dial again when something changed, and now and then."""
        if connection not in self._waiting and LOG.isEnabledFor(log.DECISION):
            LOG.decision("port %d: a connection waits: %s", self.local, self.why_waiting(connection))
        self._waiting[connection] = None
        if self._retry is None:
            self._retry = self._loop.call_later(RETRY, self._again)

    def stop_waiting(self, connection: Connection) -> None:
        """It has a place, or is over."""
        self._waiting.pop(connection, None)

    def why_waiting(self, connection: Connection) -> str:
        """The reason that a connection is given which waited in vain."""
        if not self._server_up():
            return "the API server does not answer"
        if connection.backend is not None:
            return f"the API server gave no connection to pod {connection.backend.pod.name} in time"
        return self._pods.why_not(self._port)

    def answered(self, connection: Connection) -> None:
        """Bytes came back: the way is proved."""
        self._on_answer(connection.backend.pod if connection.backend else None)

    def failed(self, connection: Connection, backend: Backend | None, words: str) -> None:
        """One line for one failed connection."""
        pod = backend.pod.name if backend else ""
        remote = backend.port if backend else self._port.remote
        advice = explain(words, port=remote)
        stopped = self._pods.stopped(backend.pod) if backend and dial_was_refused(words) else None
        if backend and stopped:
            advice = explain_stopped(stopped, backend.pod, advice)
        LOG.decision("port %d: pod %s, port %d refused: %r", self.local, pod or "(none)", remote, words)
        self._report(ConnectionFailed(self.local, remote, pod, words, advice.meaning, advice.remedy, self._pods.target))
        if connection.outcome is Outcome.ERROR:
            self._on_error()
        if backend is not None:
            self._pods.doubt(backend.pod)

    def over(self, connection: Connection, backend: Backend | None) -> None:
        """Count it out."""
        self._count_out(connection)
        self.on_over(not connection.was_reset)

    def wake(self) -> None:
        """Pods changed, or the server is back: whoever waits tries again."""
        waiting, self._waiting = self._waiting, {}
        for connection in waiting:
            connection.dial()

    def close(self) -> None:
        """End what is open, as a reset: it is cut off, not complete."""
        if self._retry is not None:
            self._retry.cancel()
        for connection in [*self._counted, *self._waiting]:
            connection.cut()

    def _again(self) -> None:
        self._retry = None
        self.wake()

    def _count_out(self, connection: Connection) -> None:
        pod = self._counted.pop(connection, None)
        if pod is not None:
            self._in_use[pod] -= 1
            if not self._in_use[pod]:
                del self._in_use[pod]
