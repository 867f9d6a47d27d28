"""The floor client: what API server, kubelet and runtime do for a client that costs next to nothing.

Plain SPDY over TLS, frames built beforehand, no local sockets: a forwarder on this machine cannot do better for long.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench import frames
from bench.door import Door, Pipe
from bench.errors import BenchError
from bench.load import END_OF_ANSWER, LIMIT, REQUEST, SINK, SMALL, SOURCE

UPLOAD_FRAME = 256 * 1024
"""Bytes of payload in one DATA frame of an upload."""


class Lane:
    """One upgraded connection."""

    def __init__(self, door: Door) -> None:
        self._pipe = Pipe(door)
        self.sock = self._pipe.sock
        self.send = self._pipe.send
        self.close = self._pipe.close
        self.script = frames.Script()
        self._walk = frames.Walk()

    def receive(self) -> set[int]:
        """One read; the data streams that got bytes."""
        return self._walk.feed(self._pipe.receive())

    def received(self, stream: int) -> int:
        """Bytes that came on a data stream."""
        return self._walk.received.get(stream, 0)

    def wait(self, stream: int, total: int) -> None:
        """Read until a stream has ``total`` bytes."""
        while self.received(stream) < total:
            self.receive()

    def answer_length(self) -> int:
        """Bytes of the answer to the small request: asked once, so that afterwards counting is enough."""
        stream, opening = self.script.open(SMALL, REQUEST)
        self.send(opening)
        answer = b""
        while END_OF_ANSWER not in answer:  # the replies to the two streams may come behind it
            answer += bytes(self._pipe.receive())
        self._walk.feed(memoryview(answer))
        self.send(frames.end(stream))
        return self.received(stream)


class Floor:
    """Measures, with lanes that are open before the clock starts."""

    def __init__(self, door: Door, burst_lanes: int) -> None:
        self._door = door
        self._burst_lanes = burst_lanes

    @contextmanager
    def _lanes(self, count: int) -> Iterator[list[Lane]]:
        with ExitStack() as closing:
            lanes = []
            for _ in range(count):
                lanes.append(Lane(self._door))
                closing.callback(lanes[-1].close)
            yield lanes

    def download(self, total: int, streams: int) -> float:
        """Seconds that ``total`` bytes take, each stream on a lane of its own."""
        with self._lanes(streams) as lanes:
            share = total // streams
            began = time.perf_counter()
            left: dict[Lane, int] = {}
            for lane in lanes:
                stream, opening = lane.script.open(SOURCE, b"%d\n" % share)
                lane.send(opening)
                left[lane] = stream
            if streams == 1:
                lanes[0].wait(left[lanes[0]], share)
                return time.perf_counter() - began
            for lane in _as_they_come(lanes):
                lane.receive()
                if lane in left and lane.received(left[lane]) >= share:
                    del left[lane]
                if not left:
                    break
            return time.perf_counter() - began

    def upload(self, total: int) -> float:
        """Seconds until the pod has counted ``total`` bytes, a multiple of frames.BLOCK."""
        with self._lanes(1) as (lane,):
            stream, opening = lane.script.open(SINK, b"%d\n" % total)
            block = frames.upload_block(stream, UPLOAD_FRAME)
            began = time.perf_counter()
            lane.send(opening)
            for _ in range(total // frames.BLOCK):
                lane.send(block)
            lane.wait(stream, len(b"%d\n" % total))
            return time.perf_counter() - began

    def sequential(self, count: int) -> list[float]:
        """Seconds of each of ``count`` small requests, one after the other on one lane."""
        with self._lanes(1) as (lane,):
            length = lane.answer_length()
            openings = [lane.script.open(SMALL, REQUEST) for _ in range(count)]
            times = []
            for stream, opening in openings:
                began = time.perf_counter()
                lane.send(opening)
                lane.wait(stream, length)
                lane.send(frames.end(stream))
                times.append(time.perf_counter() - began)
            return times

    def burst(self, count: int, width: int) -> float:
        """Seconds that ``count`` small requests take, ``width`` at once, on a few lanes."""
        with self._lanes(self._burst_lanes) as lanes:
            length = lanes[0].answer_length()
            openings = {lane: _openings(lane, count) for lane in lanes}
            began = time.perf_counter()
            started = done = 0
            while started < min(count, width):
                lane = lanes[started % len(lanes)]
                lane.send(next(openings[lane])[1])
                started += 1
            for lane in _as_they_come(lanes):
                ended = [stream for stream in lane.receive() if lane.received(stream) == length]
                done += len(ended)
                out = [frames.end(stream) for stream in ended]
                for _ in range(min(len(ended), count - started)):
                    out.append(next(openings[lane])[1])
                    started += 1
                if out:
                    lane.send(b"".join(out))
                if done == count:
                    break
            return time.perf_counter() - began


def _openings(lane: Lane, count: int) -> Iterator[tuple[int, bytes]]:
    return iter([lane.script.open(SMALL, REQUEST) for _ in range(count)])


def _as_they_come(lanes: list[Lane]) -> Iterator[Lane]:
    """The lane that can be read, for ever."""
    with selectors.EpollSelector() as waiting:
        for lane in lanes:
            waiting.register(lane.sock, selectors.EVENT_READ, lane)
        while True:
            ready = waiting.select(LIMIT)
            if not ready:
                raise BenchError(f"the floor client had no answer for {LIMIT:.0f} s")
            for key, _ in ready:
                yield key.data
