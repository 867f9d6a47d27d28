"""The pods behind one target: found as kubectl finds them, then kept current.

Through an outage of the API server the last known state stays. ``pod/NAME`` means that name: a pod that comes back
under it is the same target, and where it cannot come back the target is lost, or its owner is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from fairlead.dial.sources import Sources
from fairlead.errors import FairleadError, LostError, NotFoundError, NotRunningError, UsageError
from fairlead.kit import log
from fairlead.kit.tasks import Background
from fairlead.kube.reflector import Reflector, Server, Timing
from fairlead.kube.resources import Resource, target_word
from fairlead.model.objects import Pod, Stopped
from fairlead.model.target import Backend, PodRef, TargetPort, TargetSpec
from fairlead.policy.backoff import Backoff
from fairlead.policy.candidates import Moved, compare, nothing_runs, of_named, of_pods, of_service
from fairlead.policy.comeback import Comeback, comeback, what_now
from fairlead.policy.endings import Endings
from fairlead.policy.podchoice import order
from fairlead.policy.ports import ignored_targets, resolve

LOG = log.get(__name__)

LOOK_AGAIN = 5.0
"""Seconds between two looks at the workload while none of its pods runs."""
DOUBT_EVERY = 5.0
"""Seconds between lists that are taken because connections fail; most fail for a reason that no list shows."""


class Rules(NamedTuple):
    """How one target is kept."""

    pod_running_timeout: float = 60.0
    """Seconds to wait at the start for a pod that runs."""
    follow: bool = False
    """When ``pod/NAME`` can never come back, go on with its owner."""
    exit_on_loss: bool = False
    """Keep to the pod that kubectl would take, and end with it."""


class Backends:
    """Made by ``resolve``; ``run`` keeps it current and must run while it is used.

    ``on_moved`` is told every change of the pods, also an empty one where they are as before and cannot be used, or can
    be again; ``on_note`` gets sentences that a user should know.
    """

    ports: tuple[TargetPort, ...] = ()
    """The target's ports, in the order of its spec, as resolved in ``chosen``."""
    chosen: PodRef
    """The pod that kubectl would have taken at the start."""

    def __init__(
        self,
        server: Server,
        spec: TargetSpec,
        namespace: str,
        rules: Rules,
        *,
        on_moved: Callable[[Moved], None],
        on_note: Callable[[str], None],
        timing: Timing | None = None,
    ) -> None:
        self.target = str(spec)
        self._spec = spec
        self._rules = rules
        self._on_moved = on_moved
        self._on_note = on_note
        self._sources = Sources(server, namespace, on_change=self._changed, on_note=on_note, timing=timing)
        self._started = False
        self._doubt_again = 0.0
        self._fresh: Reflector[Pod] | None = None
        self._departed: Pod | None = None
        self._last: Pod | None = None
        self._owner: tuple[Resource, str] | None = None
        self._lost: LostError | None = None
        self._turn = asyncio.Event()
        self._pulse = asyncio.Event()
        self._endings = Endings()
        self._pods: list[Pod] = []
        self._memo: dict[TargetPort, tuple[Backend, ...]] = {}
        self._candidates: tuple[PodRef, ...] = ()
        self._known: tuple[PodRef, ...] = ()

    @classmethod
    async def resolve(
        cls,
        server: Server,
        spec: TargetSpec,
        namespace: str,
        rules: Rules | None = None,
        *,
        on_moved: Callable[[Moved], None] = lambda _: None,
        on_note: Callable[[str], None] = lambda _: None,
        timing: Timing | None = None,
    ) -> Backends:
        """Find the target and its ports, and wait until a pod runs.

        Raises NotFoundError, UsageError, NoSuchPortError, NotRunningError and what the server answers, in kubectl's
        words where it has any.
        """
        self = cls(server, spec, namespace, rules or Rules(), on_moved=on_moved, on_note=on_note, timing=timing)
        await self._sources.read(spec.kind, spec.name)
        try:
            async with asyncio.timeout(self._rules.pod_running_timeout):
                await self._wait_for_start()
        except TimeoutError:
            raise self._not_running() from None
        for note in ignored_targets(self.ports, self._sources.service):
            on_note(note)
        self._remember("")
        self._started = True
        return self

    @property
    def affinity(self) -> float | None:
        """Seconds for which the service wants a client to keep its pod (sessionAffinity); None if it does not."""
        service = self._sources.service
        return None if service is None else service.affinity_seconds

    def ready(self, port: TargetPort) -> tuple[Backend, ...]:
        """Return the candidates for a new connection to one of ``ports``; empty if nothing runs."""
        found = self._memo.get(port)
        if found is None:
            found = self._memo[port] = self._find(port)
        return found

    @property
    def leaving(self) -> bool:
        """Whether the pods went for good: ``run`` is about to raise LostError, or to go on with the owner's pods."""
        return self._lost is not None or self._departed is not None

    def why_not(self, port: TargetPort) -> str:
        """Say why ``ready`` is empty."""
        sources, last = self._sources, self._last
        if sources.withdrawn:
            return sources.withdrawn
        if sources.single and last is not None and self._ended(last):
            owner = target_word(last.owner.kind, last.owner.name) if last.owner is not None else ""
            return what_now(last, owner, there=sources.pod(last.name) is not None)
        return nothing_runs(self.target, sources.selector, self._pods, port)

    def stopped(self, pod: PodRef) -> Stopped | None:
        """Return the container of ``pod`` that does not run, or that ended and only runs again, if there is one."""
        known = self._sources.pod(pod.name)
        return known.stopped if known is not None and known.uid == pod.uid else None

    def kick(self) -> None:
        """Ask the API server again at once: the network is back."""
        self._sources.kick()
        if self._fresh is not None:
            self._fresh.kick()

    def doubt(self, pod: PodRef) -> None:
        """Look again whether a pod is still there: a connection to it failed. Cheap to call for each of many."""
        known, now = self._sources.pod(pod.name), asyncio.get_running_loop().time()
        if known is not None and known.uid == pod.uid and now >= self._doubt_again:
            self._doubt_again = now + DOUBT_EVERY
            self._sources.pods.relist()

    async def run(self) -> None:
        """Keep current for ever; raises LostError when the target can never be reached again."""
        while True:
            async with Background() as tasks:
                self._sources.start(tasks)
                tasks.start(self._learn_owner(), name=f"owner of {self.target}")
                tasks.start(self._look_again(), name=f"selector of {self.target}")
                await self._turn.wait()
            self._turn.clear()
            if self._lost is not None:
                raise self._lost
            if self._departed is not None:
                await self._depart(self._departed)
            elif self._sources.reselected:
                await self._change_pods(self._sources.reselect(), f"no longer selected by {self.target}")

    def _ended(self, pod: Pod) -> bool:
        """Whether nothing runs under the name of a pod that ran."""
        current = self._sources.pod(pod.name)
        return current is None or current.finished

    # The start.

    async def _wait_for_start(self) -> None:
        if self._can_start():
            return
        async with Background() as tasks:
            limit = self._rules.pod_running_timeout
            self._on_note(f"waiting up to {limit:g} s for {self.target}: {self._why_not_yet()}")
            tasks.start(self._sources.pods.run(), name=f"watch pods of {self.target}")
            while not self._can_start():
                await self._pulse.wait()

    def _why_not_yet(self) -> str:
        pods = order(self._sources.pods.cache)
        if not pods:
            return "there is no pod yet"
        return f"pod {pods[0].name} is {pods[0].phase}" + (f" ({pods[0].waiting})" if pods[0].waiting else "")

    def _can_start(self) -> bool:
        """Resolve the ports in the pod that kubectl would take, and tell whether that runs."""
        pod = next(iter(order(self._sources.pods.cache)), None)
        if pod is None:
            return False
        if not self.ports or self.chosen != pod.ref:
            # Before the pod runs, so that a wrong port is said at once.
            self.ports, self.chosen = resolve(self._spec.ports, pod, self._sources.service), pod.ref
        if pod.finished and not (self._sources.single and comeback(pod) is Comeback.OWNER):
            raise self._not_running()
        return pod.running

    def _not_running(self) -> NotRunningError:
        pods = order(self._sources.pods.cache)
        if not pods:
            what = f"pods with {self._sources.selector}" if self._sources.selector else self.target
            return NotRunningError("timed out waiting for the condition", remedy=f"there was no sign of {what}")
        words = f"unable to forward port because pod is not running. Current status={pods[0].phase}"
        return NotRunningError(words, remedy=f"pod {pods[0].name}: {pods[0].waiting}" if pods[0].waiting else "")

    # The current state.

    def _find(self, port: TargetPort) -> tuple[Backend, ...]:
        sources = self._sources
        if self._rules.exit_on_loss:
            pod = sources.pod(self.chosen.name)
            return (Backend(self.chosen, port.remote),) if pod and pod.ref == self.chosen and pod.running else ()
        if sources.single:
            return of_named(sources.pod(sources.single), port)
        if sources.withdrawn:
            return ()
        if sources.service is None:
            return of_pods(self._pods, port)
        return of_service(self._pods, port, sources.service, sources.slices, self._endings)

    def _remember(self, vanished: str) -> None:
        """Take the state as the one that later changes are told against; ``vanished``: why pods are there no more."""
        self._endings.look(self._sources.pods.cache, self._sources.slices or (), why=vanished)
        self._pods = self._endings.applied(list(self._sources.pods.cache))
        self._memo.clear()
        self._candidates = tuple(dict.fromkeys(backend.pod for port in self.ports for backend in self.ready(port)))
        living = {pod.ref for pod in self._pods if not pod.finished}
        # A pod that never was a candidate has no connection that its end could touch.
        self._known = tuple(ref for ref in dict.fromkeys((*self._known, *self._candidates)) if ref in living)
        if self._sources.single:
            self._last = self._sources.pod(self._sources.single) or self._last

    def _changed(self) -> None:
        """Something moved: tell it, and wake whoever waits."""
        if self._sources.reselected:
            # Other pods are meant: what moved is told once those are known.
            self._turn.set()
        elif self._started and self._fresh is None:
            before, known, last = self._candidates, self._known, self._last
            # The stream of a selector ends in the same way for a pod that lost its labels.
            self._remember("deleted" if self._sources.single else "deleted or relabelled")
            moved = compare(before, self._candidates, known, self._pods, self._endings.gone)
            if self._sources.withdrawn:
                # They run as before: that there is no way to them is not the pods' news.
                moved = moved._replace(left=())
            self._judge(moved, last)
            if moved or before != self._candidates:
                self._on_moved(moved)
        self._wake()

    def _wake(self) -> None:
        pulse, self._pulse = self._pulse, asyncio.Event()
        pulse.set()

    def _judge(self, moved: Moved, last: Pod | None) -> None:
        """See whether a pod that went was all there was, for ever."""
        ended = {ref for ref, _ in moved.gone}
        if self._rules.exit_on_loss:
            if self.chosen in ended:
                self._lose(LostError("lost connection to pod"))
            return
        if not self._sources.single or last is None or last.ref not in ended:
            return
        if self._ended(last) and comeback(last) is Comeback.NEVER:
            self._departed = last
            self._turn.set()

    # What ends or changes the target.

    def _lose(self, error: LostError) -> None:
        self._lost = error
        self._turn.set()
        self._wake()

    async def _look_again(self) -> None:
        """While nothing runs, see now and then whether other pods are meant by now."""
        while not self._sources.reselected:
            if self._candidates:
                await self._pulse.wait()
                continue
            await asyncio.sleep(LOOK_AGAIN)
            await self._sources.look_again()
        self._turn.set()

    async def _learn_owner(self) -> None:
        """Find the owner while it exists: a rollout may delete the ReplicaSet together with its last pod."""
        pod = self._last
        if self._owner is None and pod is not None and pod.owner is not None and comeback(pod) is Comeback.NEVER:
            try:
                self._owner = await self._sources.top_owner(pod.owner)
            except FairleadError as error:
                LOG.decision("the owner of %s: %s", pod.name, error.what)

    async def _depart(self, pod: Pod) -> None:
        """A pod went whose name never comes back: follow its owner, or say what that is and end."""
        await self._learn_owner()
        kind = pod.owner.kind if pod.owner is not None else "owner"
        words = f"pod {pod.name} is gone, and its {kind} never makes that name again"
        if self._owner is None:
            raise self._end(LostError(words))
        instead = target_word(self._owner[0].kind, self._owner[1])
        if not self._rules.follow:
            raise self._end(LostError(words, remedy=f"forward to {instead}, which lasts, or add --follow"))
        try:
            fresh = await self._ask_again(*self._owner)
        except (NotFoundError, UsageError) as error:
            raise self._end(LostError(f"{words}; {error.what}")) from None
        self._on_note(f"pod {pod.name} is gone: following {instead}")
        await self._change_pods(fresh, "gone")

    def _end(self, error: LostError) -> LostError:
        self._lose(error)
        return error

    async def _ask_again(self, resource: Resource, name: str) -> Reflector[Pod]:
        backoff, loop = Backoff(), asyncio.get_running_loop()
        while True:
            try:
                return await self._sources.follow(resource, name)
            except (NotFoundError, UsageError):
                raise
            except FairleadError as error:
                LOG.decision("%s: %s", target_word(resource.kind, name), error.what)
                await asyncio.sleep(backoff.failed(loop.time(), 0.0))

    async def _change_pods(self, fresh: Reflector[Pod], reason: str) -> None:
        """Go over to other pods once they are known; until then the old ones serve."""
        self._fresh = fresh
        async with Background() as tasks:
            tasks.start(fresh.run(), name=f"first pods of {self.target}")
            while not fresh.synced:
                await self._pulse.wait()
        self._fresh = self._departed = None
        before = self._candidates
        self._sources.adopt(fresh)
        self._remember(reason)
        now = set(self._candidates)
        moved = Moved(
            new=tuple(ref for ref in self._candidates if ref not in before),
            left=tuple((ref, reason) for ref in before if ref not in now),
        )
        self._on_moved(moved)
        self._wake()
