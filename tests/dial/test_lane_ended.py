"""What a lane leaves behind: its buffers are half a MiB, and are not left to the garbage collector."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Iterator
from typing import Any, cast
from unittest.mock import Mock
from weakref import ref

import pytest

from fairlead.dial.lane import Lane, LaneOwner, Rider
from fairlead.net.buffer import ReadBuffer
from fairlead.net.carrier import PlainCarrier
from tests.support.loop import LOOPS, run_on
from tests.support.podserver import PodServer
from tests.support.tlsfiles import certificates


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("ended_by", ["us", "the server"])
@pytest.mark.parametrize("loop", LOOPS)
def test_the_buffers_of_a_lane_end_with_it(loop: str, ended_by: str) -> None:
    async def main() -> None:
        made = certificates()
        context = ssl.create_default_context(cadata=made.ca.decode())
        async with PodServer(made.server_context()) as pod:
            lane = Lane(ReadBuffer(), cast("LaneOwner", Mock()), lambda lane: PlainCarrier(lane.session_receive))
            running = asyncio.get_running_loop()
            transport, _ = await running.create_connection(
                lambda: lane, "127.0.0.1", pod.port, ssl=context, server_hostname="localhost"
            )
            lane.start(lane.add(cast("Rider", Mock()), 80), b"hello")
            await lane.prove(5.0)
            held: list[ref[Any]] = [ref(transport.get_extra_info("ssl_object")), ref(lane.session)]
            del transport
            if ended_by == "us":
                lane.close()
            else:
                pod.cut()
            await lane.gone
            for _ in range(5):
                await asyncio.sleep(0.01)  # what the loop does behind connection_lost
            assert [each() for each in held] == [None, None]

    run_on(loop, main())
