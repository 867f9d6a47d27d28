"""The pods of ``simulated``: the far end of each lane, and the programs behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING

from fairlead.protocol.portforward import Pair, Pairing
from fairlead.protocol.spdy.session import Role, Session, StreamListener

if TYPE_CHECKING:
    from tests.support.simulated import World
    from tests.support.simulated_wire import Wire

APPS = ("echo", "echo", "pour", "pour", "sink", "half", "early", "refuse", "refuse", "error", "reset", "cut", "deaf")
"""What may run behind a port, as often as it stands here."""


class App:
    """A program in a pod, reached by one pair of streams."""

    def __init__(self, rng: Random, server: Server, pair: Pair, half: Half, kind: str) -> None:
        self.kind = kind
        self.sent = bytearray()
        self.half = half
        self.complete = False
        """It has ended its half cleanly."""
        self._rng = rng
        self.server = server
        self._pair = pair

    @property
    def gone(self) -> bool:
        return self.half.was_reset or self.server.wire.gone

    async def run(self) -> None:
        rng, pairing, session = self._rng, self.server.pairing, self.server.session
        if self.kind in ("refuse", "reset"):
            await asyncio.sleep(rng.random() * 0.1)
            text = f"failed to connect to localhost:{self._pair.port} inside namespace: connection refused"
            pairing.failed(self._pair, text if self.kind == "refuse" else "")
            self.server.flush()
            return
        await self._talk()
        if self.gone:
            return
        if self.kind == "error":
            pairing.failed(self._pair, "broken pipe")
        elif self.kind == "cut":
            session.fin(self._pair.data_stream)
            self.complete = True
            self.server.flush()
            await asyncio.sleep(rng.random() * 3)
            session.reset(self._pair.data_stream)
        else:
            self.complete = True
            if self.kind == "half":
                session.fin(self._pair.data_stream)
                self.server.flush()
                await self._until_fin()
            if not self.gone:
                pairing.succeeded(self._pair)
        self.server.flush()

    async def _talk(self) -> None:
        if self.kind == "echo":
            done = 0
            while not self.gone:
                if done < len(self.half.got):
                    done += self._send(bytes(self.half.got[done : done + 5000]))
                    await asyncio.sleep(self._rng.random() * 0.02)
                elif self.half.fin:
                    break
                else:
                    await self.half.changed()
        elif self.kind == "sink":
            await self._until_fin()
            self._send(b"%d" % len(self.half.got))
        else:
            for _ in range(self._rng.randrange(12)):
                self._send(self._rng.randbytes(self._rng.choice((1, 100, 5000, 30000))))
                await asyncio.sleep(self._rng.choice((0, 0.01, 1)))

    def _send(self, data: bytes) -> int:
        if self.gone:
            return 0
        self.sent += data
        self.server.session.send_data(self._pair.data_stream, data)
        self.server.flush()
        return len(data)

    async def _until_fin(self) -> None:
        while not (self.gone or self.half.fin):
            await self.half.changed()


class Half:
    """What arrives on one stream of the server."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.fin = self.was_reset = False
        self._change = asyncio.Event()

    async def changed(self) -> None:
        self._change.clear()
        await self._change.wait()

    def touch(self) -> None:
        self._change.set()

    def on_reply(self, headers: Mapping[str, str]) -> None: ...

    def on_data(self, data: memoryview) -> None:
        self.got += data
        self.touch()

    def on_fin(self) -> None:
        self.fin = True
        self.touch()

    def on_reset(self, status: int) -> None:
        self.was_reset = True
        self.touch()


class Server:
    """The far end of a lane."""

    def __init__(self, world: World, wire: Wire) -> None:
        self.wire = wire
        self.session = Session(Role.SERVER, self)
        self.pairing = Pairing(self.session, self._on_pair)
        self._world = world
        self._halves: dict[int, Half] = {}

    def receive(self, data: bytes) -> None:
        self.session.receive(memoryview(data))
        self.flush()

    def lost(self) -> None:
        for half in self._halves.values():
            half.touch()

    def flush(self) -> None:
        self.wire.arrive(self.session.take_outgoing())

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        half = self._halves[stream] = Half()
        if self._world.kind_of(int(headers["port"])) == "deaf":
            return half
        return half if self.pairing.opened(stream, headers, self._world.loop.time()) else None

    def on_pong(self, ident: int) -> None: ...

    def on_goaway(self, last_good: int, status: int) -> None: ...

    def _on_pair(self, pair: Pair) -> None:
        app = App(self._world.rng, self, pair, self._halves[pair.data_stream], self._world.kind_of(pair.port))
        self._world.apps.setdefault(pair.port, []).append(app)
        self._world.tasks.start(app.run(), name=f"app {pair.port}")
