"""What is to be done next for a pod: a function of what it says, of what is known of it, and of the time.

Kubernetes documentation, Pod Lifecycle: init containers one after the other, those of them that are sidecars (KEP-753)
until the end; then all others; restarts as restartPolicy says, with a pause that grows. Sidecars end last.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from fairlead.lab.kubelet.facts import Container, Facts, Object

FIRST_PAUSE, MOST_PAUSE = 10.0, 300.0
"""Seconds between an end and the next start, from the second restart on; each is twice the one before."""
STEADY = 600.0
"""Seconds after which a container that ran counts as well again."""


class RunSandbox(NamedTuple):
    """Make the pod's network and what holds it."""


class Start(NamedTuple):
    """Start a container."""

    name: str
    init: bool


class Stop(NamedTuple):
    """End a container that runs: the stop signal, and SIGKILL after ``grace`` seconds."""

    name: str
    grace: float


class StopSandbox(NamedTuple):
    """End all of it."""


class Finish(NamedTuple):
    """Nothing is left, and its end was asked for: the object goes."""


Action: TypeAlias = RunSandbox | Start | Stop | StopSandbox | Finish


class Decision(NamedTuple):
    """What to do now, and when to look again if nothing happens before."""

    actions: tuple[Action, ...] = ()
    wake: datetime | None = None


def decide(pod: Object, facts: Facts, now: datetime) -> Decision:
    """The next step."""
    if "deletionTimestamp" in pod["metadata"]:
        return _end(pod, facts, float(pod["metadata"].get("deletionGracePeriodSeconds", 0)), finish=True)
    if phase(pod, facts) in ("Succeeded", "Failed"):
        return _end(pod, facts, grace_of(pod), finish=False)
    if not facts.sandbox:
        return Decision((RunSandbox(),))
    due = [_start(pod, facts, spec, now, init=False) for spec in pod["spec"]["containers"]]
    for spec in pod["spec"].get("initContainers", ()):
        container = facts.of(spec["name"])
        step = _start(pod, facts, spec, now, init=True)
        if is_sidecar(spec):
            if not container.runs or not container.started:
                return step
        elif not container.done:
            return step
    sidecars = [_start(pod, facts, spec, now, init=True) for spec in _sidecars(pod)]
    return _together([*sidecars, *due])


def phase(pod: Object, facts: Facts) -> str:
    """Pending, Running, Succeeded or Failed: the status of the pod as a whole."""
    policy = pod["spec"].get("restartPolicy", "Always")
    for spec in pod["spec"].get("initContainers", ()):
        container = facts.of(spec["name"])
        if not is_sidecar(spec) and not container.done:
            failed = container.now is not None and not container.runs
            return "Failed" if failed and policy == "Never" else "Pending"
    containers = [facts.of(spec["name"]) for spec in pod["spec"]["containers"]]
    if any(container.now is None for container in containers):
        return "Pending"
    if policy == "Always" or any(container.runs for container in containers):
        return "Running"
    if all(container.done for container in containers):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def pause(container: Container) -> float:
    """Seconds that a restart waits (CrashLoopBackOff, ImagePullBackOff)."""
    # What ran is started again at once for the first time; what could not be started is not.
    doublings = container.failures - (1 if container.trouble[0] else 2)
    return min(MOST_PAUSE, FIRST_PAUSE * 2.0 ** min(doublings, 10)) if doublings >= 0 else 0.0


def ended(container: Container, now: datetime) -> None:
    """Count an end: what ran for long is as new."""
    ran = (now - container.now.started).total_seconds() if container.now is not None else 0.0
    container.failures = 1 if ran >= STEADY else container.failures + 1


def is_sidecar(spec: Object) -> bool:
    """Whether an init container is to run until the end of the pod (KEP-753)."""
    return spec.get("restartPolicy") == "Always"


def grace_of(pod: Object) -> float:
    """Seconds that its containers have to end."""
    return float(pod["spec"].get("terminationGracePeriodSeconds", 30))


def _sidecars(pod: Object) -> Iterator[Object]:
    return (spec for spec in pod["spec"].get("initContainers", ()) if is_sidecar(spec))


def _start(pod: Object, facts: Facts, spec: Object, now: datetime, *, init: bool) -> Decision:
    container = facts.of(spec["name"])
    if container.runs:
        return Decision()
    last = container.tried or (container.now.finished if container.now is not None else None)
    if last is not None:
        if container.trouble == ("", "") and not _again(pod, spec, container, init=init):
            return Decision()
        due = last + timedelta(seconds=pause(container))
        if now < due:
            return Decision(wake=due)
    return Decision((Start(spec["name"], init),))


def _again(pod: Object, spec: Object, container: Container, *, init: bool) -> bool:
    """Whether a container that has ended is started again."""
    policy = pod["spec"].get("restartPolicy", "Always")
    if init and not is_sidecar(spec):
        return not container.done and policy != "Never"
    return is_sidecar(spec) or policy == "Always" or (policy == "OnFailure" and not container.done)


def _end(pod: Object, facts: Facts, grace: float, *, finish: bool) -> Decision:
    if facts.running:
        sidecars = {spec["name"] for spec in _sidecars(pod)}
        others = [name for name in facts.running if name not in sidecars]
        return Decision(tuple(Stop(name, grace) for name in others or facts.running))
    if facts.sandbox:
        return Decision((StopSandbox(),))
    return Decision((Finish(),) if finish else ())


def _together(decisions: list[Decision]) -> Decision:
    wakes = [each.wake for each in decisions if each.wake is not None]
    return Decision(tuple(action for each in decisions for action in each.actions), min(wakes, default=None))
