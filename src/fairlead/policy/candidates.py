"""The pods that new connections may go to, and what is said of the others."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from typing import NamedTuple

from fairlead.model.objects import EndpointSlice, Pod, Service
from fairlead.model.target import Backend, PodRef, TargetPort
from fairlead.policy.endpoints import ready_endpoints
from fairlead.policy.podchoice import order
from fairlead.policy.ports import port_in, service_port_name


class Moved(NamedTuple):
    """How the pods behind a target changed."""

    new: tuple[PodRef, ...] = ()
    """Take new connections from now on."""
    left: tuple[tuple[PodRef, str], ...] = ()
    """Take no new ones any more, with the reason; connections they have may go on."""
    gone: tuple[tuple[PodRef, str], ...] = ()
    """Run no more, with the reason: nothing can reach them."""

    def __bool__(self) -> bool:
        return bool(self.new or self.left or self.gone)


def of_named(pod: Pod | None, port: TargetPort) -> tuple[Backend, ...]:
    """``pod/NAME`` needs to run, no more: also while it is not ready or is being deleted."""
    if pod is None or not pod.running:
        return ()
    number = port_in(port, pod)
    return () if number is None else (Backend(pod.ref, number),)


def of_pods(pods: Iterable[Pod], port: TargetPort, service: Service | None = None) -> tuple[Backend, ...]:
    """Every ready pod; if none is, the running one that kubectl would take."""
    usable = []
    for pod in pods:
        number = port_in(port, pod, service) if pod.running and pod.node else None
        if number is not None:
            usable.append((pod, number))
    ready = tuple(Backend(pod.ref, number) for pod, number in usable if pod.ready and pod.deleted_at is None)
    if ready or not usable:
        return ready
    best = order(pod for pod, _ in usable)[0]
    return tuple(Backend(pod.ref, number, fallback=True) for pod, number in usable if pod is best)


def of_service(
    pods: Collection[Pod],
    port: TargetPort,
    service: Service,
    slices: Iterable[EndpointSlice] | None,
    ended: Container[str] = (),
) -> tuple[Backend, ...]:
    """What the slices call ready, less the pods already known to end or not to run.

    ``ended`` are the uids of pods whose end was seen, also of those that are in ``pods`` no more. The slices know the
    number of a named port in each pod; of a headless service kubectl takes the service's own number, and so do we.
    Without slices (None: not allowed to read them) or where these lag behind, the pods' own Ready condition counts.
    """
    name = service_port_name(port, service)
    if name is None:
        return ()
    known = {pod.uid: pod for pod in pods}
    found = []
    for ref, number in ready_endpoints(slices or (), name, port.remote):
        pod = known.get(ref.uid)
        if ref.uid not in ended if pod is None else pod.running and pod.deleted_at is None:
            found.append(Backend(ref, port.service_port or number if service.headless else number))
    return tuple(found) or of_pods(pods, port, service)


def compare(
    before: Iterable[PodRef],
    after: Iterable[PodRef],
    known: Iterable[PodRef],
    pods: Iterable[Pod],
    reasons: Mapping[str, str],
) -> Moved:
    """Tell what moved between two sets of candidates.

    ``known`` are the pods that ever were candidates and still ran before; ``pods`` are all that exist now, and
    ``reasons`` say by uid why others do not any more.
    """
    was, now = dict.fromkeys(before), dict.fromkeys(after)
    living = {pod.ref: pod for pod in pods}
    gone = []
    for ref in dict.fromkeys([*known, *was]):
        pod = living.get(ref)
        if ref not in now and (pod is None or pod.finished):
            gone.append((ref, reasons.get(ref.uid, "deleted") if pod is None else state(pod)))
    ended = {ref for ref, _ in gone}
    left = tuple((ref, state(living[ref])) for ref in was if ref not in now and ref not in ended)
    return Moved(tuple(ref for ref in now if ref not in was), left, tuple(gone))


def state(pod: Pod) -> str:
    """Say in a few words why a pod is not one for new connections."""
    if pod.deleted_at is not None:
        # How its containers ended is no reason then: somebody ended them.
        return "deleted" if pod.finished else "terminating"
    if pod.finished:
        return f"{pod.phase} ({pod.waiting})" if pod.waiting else pod.phase
    if not pod.running:
        return f"{pod.phase or 'not started'} ({pod.waiting})" if pod.waiting else pod.phase or "not started"
    if pod.ready:
        return "not among the endpoints"
    return f"not ready ({pod.waiting})" if pod.waiting else "not ready"


def nothing_runs(target: str, selector: str, pods: Collection[Pod], port: TargetPort) -> str:
    """Say why there is no candidate."""
    if selector:
        # One that was deleted and has ended is there for a moment more, and says nothing of why no other follows it.
        pods = [pod for pod in pods if not (pod.finished and pod.deleted_at is not None)]
    if not pods:
        return f"no pod matches {selector} (scaled to 0?)" if selector else f"{target} does not exist"
    pod = order(pods)[0]
    if pod.running:
        return f"no pod of {target} has a port {port.spec.remote}"
    more = f", and {len(pods) - 1} more like it" if len(pods) > 1 else ""
    return f"pod {pod.name} is {state(pod)}{more}"
