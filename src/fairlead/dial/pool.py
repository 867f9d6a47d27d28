"""All lanes behind one API server, keyed by pod: opens, shares, watches and closes them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Set
from math import inf
from typing import NamedTuple, Protocol

from fairlead.dial.lane import Lane, Rider
from fairlead.errors import FairleadError, NotFoundError, UnreachableError
from fairlead.kit import log
from fairlead.kit.tasks import Background
from fairlead.model.target import PodRef
from fairlead.policy.lanes import MAX_PER_SERVER, Take, place
from fairlead.policy.silence import Other, Verdict, doubtful, judge

PATIENCE = 0.5
"""Seconds a connection waits for a lane of its own before it shares a quiet one: many times what a lane takes."""
RECENT = 0.5
"""Seconds over which it is counted how many connections end."""
FEW = 4
"""Connections that must have ended within RECENT to tell how long they last."""
REST = 2.0
"""Seconds in which no further lane to a pod is asked for, after one was refused."""
LOOK_AGAIN = 0.1
"""Seconds until a connection whose patience is over looks again for a lane that it may share."""
SEE_OFF, SEE_OFF_AT_MOST = 5.0, 60.0
"""Seconds for which a connection is silent before it is asked whether its pod, which takes no new ones, still exists;
twice as long each time that it does: a pod may serve on for hours."""
PROOF_TIMEOUT = 5.0
"""Seconds in which a fresh lane to the same pod must answer; otherwise nothing is learned of the silent one."""
WITNESS_TIMEOUT = 1.0
"""Seconds in which a lane that is there already may answer instead: asking it again and again costs next to nothing."""

_log = log.get(__name__)


class Passenger(Rider, Protocol):
    """A connection that asks for a place."""

    def on_lane(self, lane: Lane) -> None:
        """Take this lane now: add yourself before returning."""

    def on_no_lane(self, error: FairleadError) -> None:
        """No lane can be had to this pod."""


class _Waiting(NamedTuple):
    passenger: Passenger
    since: float


class _PodLanes:
    def __init__(self) -> None:
        self.lanes: list[Lane] = []
        self.opening = 0
        self.waiting: list[_Waiting] = []
        self.warm = 0
        """Idle lanes that are kept however long."""
        self.patience: asyncio.TimerHandle | None = None
        self.closed_until = 0.0
        """No further lane is asked for before this moment, on the loop's clock."""
        self.proving = False
        self.leaving: asyncio.Task[None] | None = None
        """Looks after the connections that are left, while it takes no new ones."""
        self.gone = False
        """Another pod has its name."""
        self.ended: deque[float] = deque(maxlen=64)
        """When connections ended of late."""
        self._most = 0
        self._most_at = 0.0

    def present(self, waiting: int) -> int:
        """Connections on lanes, and ``waiting`` more."""
        return sum(lane.load or 0 for lane in self.lanes) + waiting

    def most(self, waiting: int, now: float) -> int:
        """The most connections at once of late, ``present`` ones counted."""
        count = self.present(waiting)
        if count >= self._most or now - self._most_at > RECENT:
            self._most, self._most_at = count, now
        return self._most

    def lifetime(self, now: float) -> float:
        """How long connections last on average, in seconds (Little's law); infinity when too few ended of late."""
        while self.ended and now - self.ended[0] > RECENT:
            self.ended.popleft()
        if len(self.ended) < FEW:
            return inf
        return self.present(len(self.waiting)) * (now - self.ended[0]) / len(self.ended)


class Lanes:
    """The pool.

    ``open_lane`` makes one lane to a pod, or raises a FairleadError. There are ``limit`` lanes to a pod at most, and
    ``total`` in all. ``suspect`` is called when something failed that
    may mean that the API server cannot be reached, with when it was last heard of, on the loop's clock, if that is
    known; ``on_lost`` for each lane that ended and was not closed here.
    """

    def __init__(
        self,
        tasks: Background,
        open_lane: Callable[[PodRef, Lanes], Awaitable[Lane]],
        *,
        limit: int,
        total: int = MAX_PER_SERVER,
        suspect: Callable[[str, float | None], None],
        on_lost: Callable[[PodRef, str], None] = lambda pod, reason: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._tasks = tasks
        self._open_lane = open_lane
        self._limit = limit
        self._total = total
        self._suspect = suspect
        self._on_lost = on_lost
        self._sleep = sleep
        self._pods: dict[PodRef, _PodLanes] = {}
        self._pod_of: dict[Lane, PodRef] = {}
        self._opening_total = 0
        self._closing = False
        self._loop = asyncio.get_running_loop()

    # -- places --

    def board(self, passenger: Passenger, pod: PodRef) -> None:
        """Give ``passenger`` a place on a lane to ``pod``, now or as soon as there is one."""
        state = self._pods.setdefault(pod, _PodLanes())
        if state.leaving is not None:
            state.leaving.cancel()  # it is back
            state.leaving = None
        if not self._seat(state, passenger, len(state.waiting), patient=True, pod=pod):
            state.waiting.append(_Waiting(passenger, self._loop.time()))
            if state.patience is None:
                state.patience = self._loop.call_later(PATIENCE, self._out_of_patience, pod)

    def leave(self, passenger: Passenger, pod: PodRef) -> None:
        """``passenger`` waits no longer."""
        state = self._pods.get(pod)
        if state is not None:
            state.waiting = [entry for entry in state.waiting if entry.passenger is not passenger]

    def _seat(self, state: _PodLanes, passenger: Passenger, waiting: int, *, patient: bool, pod: PodRef) -> bool:
        now = self._loop.time()
        choice = place(
            state.lanes,
            opening=state.opening,
            waiting=waiting,
            most=state.most(waiting + 1, now),
            lifetime=state.lifetime(now),
            limit=self._limit if now >= state.closed_until else 0,
            budget=self._total - len(self._pod_of) - self._opening_total,
            patient=patient,
        )
        if isinstance(choice, Take):
            lane = state.lanes[choice.lane]
            passenger.on_lane(lane)
            return True
        for _ in range(choice.more):
            self._begin(pod, state)
        return False

    def _serve_waiting(self, pod: PodRef) -> None:
        state = self._pods.get(pod)
        if state is None:
            return
        now = self._loop.time()
        while state.waiting:
            entry = state.waiting[0]
            patient = now - entry.since < PATIENCE
            if not self._seat(state, entry.passenger, len(state.waiting) - 1, patient=patient, pod=pod):
                break
            # ``on_lane`` may have called ``leave`` for other passengers, never for the one that it seats.
            state.waiting.remove(entry)
        if state.patience is not None:
            state.patience.cancel()
            state.patience = None
        if state.waiting:
            due = state.waiting[0].since + PATIENCE - now
            state.patience = self._loop.call_later(due if due > 0 else LOOK_AGAIN, self._out_of_patience, pod)

    def _out_of_patience(self, pod: PodRef) -> None:
        state = self._pods.get(pod)
        if state is not None:
            state.patience = None
            self._serve_waiting(pod)

    # -- lanes --

    async def warm(self, pod: PodRef) -> None:
        """Have a lane to ``pod`` and keep one open; raises what opening it raised."""
        state = self._pods.setdefault(pod, _PodLanes())
        state.warm = 1
        if not state.lanes:
            lane = await self._open(pod, state)
            self._add(pod, state, lane)

    def moved(self, before: Set[PodRef], now: Set[PodRef]) -> None:
        """Connections of one kind go to other pods than before."""
        for pod in before - now:
            self.forget(pod)
        for pod in now - before:
            self.meet(pod)

    def meet(self, pod: PodRef) -> None:
        """The pod exists, so that an earlier one of its name is no more, whatever is answered to that name."""
        for other, state in self._pods.items():
            if other != pod and (other.namespace, other.name) == (pod.namespace, pod.name):
                state.gone = True

    def forget(self, pod: PodRef) -> None:
        """The pod takes no new connections: its idle lanes close now, the others when they are idle.

        What is silent on these is reset once the pod is gone.
        """
        state = self._pods.get(pod)
        if state is not None:
            state.warm = 0
            for lane in list(state.lanes):
                if not lane.riders:
                    lane.close()
            if state.lanes and state.leaving is None:
                state.leaving = self._tasks.start(self._see_off(pod, state), name=f"see off {pod.name}")
            self._tidy(pod, state)

    async def _see_off(self, pod: PodRef, state: _PodLanes) -> None:
        """Reset what a pod leaves behind when it ends and nobody tells its connections.

        A runtime takes the pod's network down while it dials there, and then waits for packets that never come; it
        answers pings on the lane meanwhile.
        """
        pause = SEE_OFF
        try:
            while state.lanes:
                for lane in state.lanes:
                    lane.spoke = False
                await self._sleep(pause)
                silent = [lane for lane in state.lanes if lane.riders and not lane.spoke]
                if silent and (state.gone or await self._is_gone(pod)):
                    for lane in silent:
                        lane.kill("the pod is gone")
                pause = min(2 * pause, SEE_OFF_AT_MOST)
        finally:
            if state.leaving is asyncio.current_task():
                state.leaving = None
            self._tidy(pod, state)

    async def _is_gone(self, pod: PodRef) -> bool:
        """Whether the API server knows it no more."""
        try:
            async with asyncio.timeout(PROOF_TIMEOUT):
                lane = await self._made(pod)
        except NotFoundError:
            return True
        except (FairleadError, TimeoutError, ConnectionError) as error:
            self._undecided(pod, error)
            return False
        lane.close()
        return False

    def _tidy(self, pod: PodRef, state: _PodLanes) -> None:
        """Keep no record of a pod that has nothing here."""
        if not (
            state.lanes or state.opening or state.waiting or state.warm or state.proving or state.leaving is not None
        ):
            self._pods.pop(pod, None)

    def quiet(self) -> None:
        """Read nothing more: what a busy server still sends would take the time that an end has."""
        for state in self._pods.values():
            for lane in state.lanes:
                lane.quiet()

    async def close(self, timeout: float) -> None:
        """Close every lane, and wait up to ``timeout`` seconds for their last bytes to leave; open no more."""
        self._closing = True
        lanes = [lane for state in self._pods.values() for lane in state.lanes]
        for state in self._pods.values():
            if state.patience is not None:
                state.patience.cancel()
        for lane in lanes:
            lane.close()
        if lanes:
            await asyncio.wait([lane.gone for lane in lanes], timeout=timeout)
        for lane in lanes:
            lane.abandon()

    def _begin(self, pod: PodRef, state: _PodLanes) -> None:
        # Counted here and not in the task, so that the next decision knows of it.
        self._count(state, 1)
        self._tasks.start(self._open_behind(pod, state), name=f"open lane to {pod.name}")

    async def _open_behind(self, pod: PodRef, state: _PodLanes) -> None:
        try:
            lane = await self._made(pod)
        except FairleadError as error:
            self._count(state, -1)
            self._opening_failed(pod, state, error)
        except BaseException:
            self._count(state, -1)
            raise
        else:
            self._count(state, -1)
            self._add(pod, state, lane)

    async def _open(self, pod: PodRef, state: _PodLanes) -> Lane:
        self._count(state, 1)
        try:
            return await self._made(pod)
        finally:
            self._count(state, -1)

    async def _made(self, pod: PodRef) -> Lane:
        try:
            return await self._open_lane(pod, self)
        except UnreachableError as error:
            self._suspect(error.what, None)
            raise

    def _count(self, state: _PodLanes, change: int) -> None:
        state.opening += change
        self._opening_total += change

    def _add(self, pod: PodRef, state: _PodLanes, lane: Lane) -> None:
        if self._closing:
            lane.kill("")
            return
        if lane.closed:
            self._opening_failed(pod, state, UnreachableError("the connection to the pod broke while it was opened"))
            return
        _log.request("lane %d to %s is open", len(state.lanes) + 1, pod.name)
        self._pods.setdefault(pod, state)
        state.lanes.append(lane)
        self._pod_of[lane] = pod
        self._serve_waiting(pod)

    def _opening_failed(self, pod: PodRef, state: _PodLanes, error: FairleadError) -> None:
        if state.opening:
            return
        if any(lane.load is not None or lane.held for lane in state.lanes):
            # What refused a further lane will refuse the next one, too: share what there is, and ask again later.
            state.closed_until = self._loop.time() + REST
            self._serve_waiting(pod)
            return
        waiting, state.waiting = state.waiting, []
        self._tidy(pod, state)
        for entry in waiting:
            entry.passenger.on_no_lane(error)

    # -- what lanes tell --

    def rider_done(self, lane: Lane) -> None:
        """One place more: serve whoever waits."""
        pod = self._pod_of.get(lane)
        if pod is None:
            return
        state = self._pods[pod]
        state.ended.append(self._loop.time())
        if state.waiting:
            self._serve_waiting(pod)

    def lane_unused(self, lane: Lane) -> None:
        """Close it, unless it is kept warm."""
        state = self._pods[self._pod_of[lane]]
        if len(state.lanes) > state.warm:
            lane.close()

    def lane_closed(self, lane: Lane, reason: str) -> None:
        """Forget it; whoever waits gets another."""
        pod = self._pod_of.pop(lane, None)
        if pod is None:
            return
        state = self._pods[pod]
        state.lanes.remove(lane)
        self._tidy(pod, state)
        if state.waiting:
            self._serve_waiting(pod)
        if reason:
            self._suspect(reason, lane.heard_at)
            self._on_lost(pod, reason)

    def lane_missed_ping(self, lane: Lane) -> None:
        """Unused and silent is dead; used and silent is asked about on another lane to the same pod."""
        pod = self._pod_of.get(lane)
        if pod is None:
            return
        silence = lane.silence()
        match judge(silence):
            case Verdict.DEAD:
                lane.kill("no answer to a ping")
            case Verdict.ASK:
                if doubtful(silence):
                    self._suspect("no answer to a ping", lane.heard_at)
                state = self._pods[pod]
                if not state.proving:
                    state.proving = True
                    self._tasks.start(self._prove(pod, state), name=f"prove {pod.name}")

    async def _prove(self, pod: PodRef, state: _PodLanes) -> None:
        try:
            other = await self._ask_other(pod, state)
        finally:
            state.proving = False
        for lane in [lane for lane in state.lanes if lane.suspect]:
            if judge(lane.silence(other)) is Verdict.DEAD:
                why = "the pod is gone" if other is Other.GONE else "another one does"
                lane.kill(f"the connection to the pod is dead: it does not answer, and {why}")
        self._tidy(pod, state)

    async def _ask_other(self, pod: PodRef, state: _PodLanes) -> Other:
        witness = min(
            (lane for lane in state.lanes if lane.load is not None),
            key=lambda lane: (lane.bulk, lane.load),
            default=None,
        )
        if witness is not None:
            try:
                await witness.prove(WITNESS_TIMEOUT)
            except (TimeoutError, ConnectionError):
                pass
            else:
                return Other.ANSWERED
        fresh: Lane | None = None
        try:
            async with asyncio.timeout(PROOF_TIMEOUT):
                fresh = await self._open(pod, state)
                await fresh.prove(PROOF_TIMEOUT)
        except NotFoundError:
            return Other.GONE
        except (TimeoutError, ConnectionError) as error:
            # Nobody who only does not read is in its way: a server that hangs shows itself so.
            self._suspect("a new connection to the pod does not answer", None)
            return self._undecided(pod, error)
        except FairleadError as error:
            return self._undecided(pod, error)
        else:
            self._add(pod, state, fresh)
            fresh = None
            return Other.ANSWERED
        finally:
            if fresh is not None:
                fresh.kill("no answer to a ping")

    def _undecided(self, pod: PodRef, error: Exception) -> Other:
        why = str(error) or type(error).__name__
        _log.decision("whether a silent lane to %s is dead cannot be asked now: %s", pod.name, why)
        return Other.UNDECIDED
