"""One API server as a run reaches it: its client, whether it answers, and lanes to its pods."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fairlead.dial.lane import Lane, LaneOwner
from fairlead.dial.podstreams import PodStreams
from fairlead.dial.pool import Lanes
from fairlead.dial.waymemory import FileMemory
from fairlead.kit.tasks import Background
from fairlead.kube.client import ApiServer
from fairlead.kube.reachability import Reachability
from fairlead.model.target import PodRef
from fairlead.net.descriptors import limit, require_spare
from fairlead.policy.lanes import MAX_PER_SERVER


class Cluster:
    """``lanes`` are at most ``per_pod`` to one pod; ``on_lane_lost`` hears of each that ended by itself."""

    def __init__(
        self,
        server: ApiServer,
        tasks: Background,
        env: Mapping[str, str],
        *,
        per_pod: int,
        on_lost: Callable[[str], None],
        on_back: Callable[[float], None],
        on_lane_lost: Callable[[PodRef, str], None],
    ) -> None:
        self.server = server
        self._on_back = on_back
        connector = server.connector
        self.reach = Reachability(
            tasks,
            connector.probe,
            server.answers,
            where=connector.where,
            on_lost=on_lost,
            on_back=self._back,
        )
        memory = FileMemory(str(server.config.server), env)
        self._streams = PodStreams(server, memory, tls=server.config.server.secure)
        self.lanes = Lanes(
            tasks,
            self._open_lane,
            limit=per_pod,
            # Idle lanes are kept for a while: they must not take what the next connections need.
            total=min(MAX_PER_SERVER, limit() // 4),
            suspect=self.reach.suspect,
            on_lost=on_lane_lost,
        )

    async def _open_lane(self, pod: PodRef, owner: LaneOwner) -> Lane:
        await self.reach.wait_up()
        require_spare()
        return await self._streams.open_lane(pod, owner)

    def _back(self, after: float) -> None:
        self.server.forget_connections()
        self._on_back(after)
