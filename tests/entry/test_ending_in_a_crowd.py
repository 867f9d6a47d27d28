"""The listener ends while connections are accepted that nobody has taken yet: they are cut off, not ended."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import pytest

from fairlead.entry.listener import Group, Listeners, bind
from fairlead.kit.tasks import Background
from fairlead.net.buffer import ReadBuffer
from tests.support.loop import LOOPS, run_on

CROWD = 20


@pytest.mark.parametrize("loop_name", LOOPS)
@pytest.mark.parametrize("cancelled", [False, True], ids=["closed", "the run failed"])
def test_whoever_was_accepted_and_not_taken_is_reset(loop_name: str, cancelled: bool) -> None:
    """A clean end would be taken for a server that has nothing to say."""

    async def main() -> list[socket.socket]:
        listeners, bound = Listeners(ReadBuffer(), print), bind(0, [Group((ipaddress.ip_address("127.0.0.1"),), False)])
        clients = [socket.create_connection(("127.0.0.1", bound.port)) for _ in range(CROWD)]
        async with Background() as tasks:
            await listeners.serve(bound, lambda local: None, tasks)
            while not listeners._accepted:
                await asyncio.sleep(0)
            if cancelled:
                # As a task group does with all of its tasks when one fails, before any of these began.
                for task in asyncio.all_tasks() - {asyncio.current_task()}:
                    task.cancel()
                await asyncio.sleep(0)
            await listeners.close(1.0)
        return clients

    for client in run_on(loop_name, main()):
        with client, pytest.raises(ConnectionResetError):
            client.settimeout(5)
            client.recv(1)
