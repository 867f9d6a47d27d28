"""What a list of pods says of one: how many containers are ready, and in one word how it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from fairlead.lab.registry import ages, times
from fairlead.lab.registry.values import Object, at

NONE = "<none>"
_ENDED = ("Succeeded", "Failed")


class Summary(NamedTuple):
    """Of one pod."""

    ready: str
    status: str
    restarts: str


class _Restarts(NamedTuple):
    number: int = 0
    last: datetime | None = None

    def and_of(self, status: Object) -> _Restarts:
        ended = _time(at(status, "lastState", "terminated", "finishedAt"))
        last = max((time for time in (self.last, ended) if time), default=None)
        return _Restarts(self.number + int(status.get("restartCount") or 0), last)

    def told(self, now: datetime) -> str:
        if not self.number or not self.last:
            return str(self.number)
        return f"{self.number} ({ages.told((now - self.last).total_seconds())} ago)"


def _time(stamp: Any) -> datetime | None:
    try:
        return times.read(stamp)
    except (TypeError, ValueError):
        return None


def _conditions(pod: Object) -> Iterator[Object]:
    return iter(at(pod, "status", "conditions") or ())


def _holds(pod: Object, name: str) -> bool:
    return any(each.get("type") == name and each.get("status") == "True" for each in _conditions(pod))


def summary(pod: Object, now: datetime) -> Summary:
    """How a pod is."""
    phase = at(pod, "status", "phase") or ""
    word = at(pod, "status", "reason") or phase
    if any(each.get("type") == "PodScheduled" and each.get("reason") == "SchedulingGated" for each in _conditions(pod)):
        word = "SchedulingGated"
    starting = _Starting(pod)
    total = len(at(pod, "spec", "containers") or ()) + len(starting.sidecars)
    ready, restarts = starting.ready, starting.restarts
    word = starting.word or word
    if not starting.word or _holds(pod, "Initialized"):
        more, word, restarts = _running(pod, word, starting.sidecar_restarts)
        ready += more
    if at(pod, "metadata", "deletionTimestamp"):
        if at(pod, "status", "reason") == "NodeLost":
            word = "Unknown"
        elif phase not in _ENDED:
            word = "Terminating"
    return Summary(f"{ready}/{total}", word, restarts.told(now))


class _Starting:
    """The init containers: those that run to their end, and those that stay (sidecars)."""

    def __init__(self, pod: Object) -> None:
        containers = at(pod, "spec", "initContainers") or ()
        self.sidecars = {each.get("name") for each in containers if each.get("restartPolicy") == "Always"}
        self.ready = 0
        self.word = ""
        """What the first that is not done is at; "" if all are."""
        self.restarts = self.sidecar_restarts = _Restarts()
        for index, status in enumerate(at(pod, "status", "initContainerStatuses") or ()):
            is_sidecar = status.get("name") in self.sidecars
            self.restarts = self.restarts.and_of(status)
            if is_sidecar:
                self.sidecar_restarts = self.sidecar_restarts.and_of(status)
            if at(status, "state", "terminated", "exitCode") == 0:
                continue
            if is_sidecar and status.get("started"):
                self.ready += bool(status.get("ready"))
                continue
            self.word = f"Init:{_not_done(status) or f'{index}/{len(containers)}'}"
            break


def _not_done(status: Object) -> str:
    ended, waits = at(status, "state", "terminated"), at(status, "state", "waiting", "reason")
    if ended:
        return _end(ended)
    return waits if waits and waits != "PodInitializing" else ""


def _end(ended: Object) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode') or 0}"


def _running(pod: Object, word: str, restarts: _Restarts) -> tuple[int, str, _Restarts]:
    """The containers: how many are ready, what the first that has something to tell is at, and the restarts."""
    ready, failed = 0, ""
    for status in reversed(at(pod, "status", "containerStatuses") or ()):
        restarts = restarts.and_of(status)
        ended, waits = at(status, "state", "terminated"), at(status, "state", "waiting", "reason")
        if waits:
            word = waits
        elif ended:
            word = _end(ended)
            if ended.get("exitCode"):
                failed = word
        elif status.get("ready") and at(status, "state", "running") is not None:
            ready += 1
    if word == "Completed":  # Of one container; the others may still be at it.
        if ready and _holds(pod, "Ready"):
            word = "Running"
        elif failed:
            word = failed
        elif ready:
            word = "NotReady"
    return ready, word, restarts


def gates(pod: Object) -> str:
    """How many readiness gates are open."""
    found = at(pod, "spec", "readinessGates") or ()
    if not found:
        return NONE
    return f"{sum(_holds(pod, str(gate.get('conditionType'))) for gate in found)}/{len(found)}"
