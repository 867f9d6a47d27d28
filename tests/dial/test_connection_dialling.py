"""A connection is dialled: refused, refused everywhere, or tried on another pod."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fairlead.dial.connection import KEPT, State
from fairlead.errors import ApiError, CredentialsError, ForbiddenError
from fairlead.protocol.spdy import frames
from tests.support.dialled import app, backend, expect_reset, rig, serving
from tests.support.podprograms import echo
from tests.support.scene import Scene, play


def test_a_refused_dial_resets_that_connection_only(run: Any) -> None:
    async def main() -> None:
        async with serving(echo) as it:
            alive = await it.echoed(b"one")
            it.aim.backends = [backend(1)]
            reader, writer = await it.connect()
            await expect_reset(reader, writer)
            assert len(it.aim.failures) == 1
            assert "failed to connect to localhost:1" in it.aim.failures[0]
            alive[1].write(b"two")
            assert await alive[0].readexactly(3) == b"two"
            alive[1].close()

    run(main())


def test_a_refused_dial_is_tried_on_another_pod_with_its_first_bytes(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(echo) as port:
            it.aim.backends = [backend(1, "a"), backend(port, "b")]
            reader, writer = await it.connect()
            writer.write(b"first bytes")
            assert await reader.readexactly(11) == b"first bytes"
            writer.close()
            assert it.aim.failures == []
            assert it.pod.dialled == [1, port]

    run(main())


def test_a_reset_without_words_is_never_tried_again(run: Any) -> None:
    async def main() -> None:
        async with rig() as it:
            it.pod.reset.add(7)
            it.aim.backends = [backend(7, "a"), backend(8, "b")]
            reader, writer = await it.connect()
            writer.write(b"an order")
            await expect_reset(reader, writer)
            assert it.pod.dialled == [7]

    run(main())


@pytest.mark.parametrize(("said", "again"), [(KEPT, True), (KEPT + 1, False)])
def test_a_refused_dial_is_tried_on_another_pod_only_while_all_that_was_said_is_kept(said: int, again: bool) -> None:
    async def main(it: Scene) -> None:
        it.aim.backends = [backend(80, "a"), backend(80, "b")]
        connection, program = await it.connect(bytes(said - 1))
        it.accept(1, 3)
        assert program.say(b"x")
        refused = b"failed to connect to localhost:80: connection refused"
        it.hear(frames.data(3, fin=True), frames.data(1, refused, fin=True))
        await asyncio.sleep(1)
        assert len(it.made) == (2 if again else 1)
        assert connection.state is (State.OPEN if again else State.OVER)
        assert it.aim.failures == ([] if again else [refused.decode()])

    play(main)


def test_without_the_right_to_forward_the_connection_fails_with_the_servers_words(run: Any) -> None:
    async def main() -> None:
        async with rig() as it:
            it.broken = ForbiddenError("you may not create pods/portforward")
            it.aim.backends = [backend(80)]
            reader, writer = await it.connect()
            await expect_reset(reader, writer)
            assert it.aim.failures == ["you may not create pods/portforward"]

    run(main())


def test_the_reason_why_no_lane_can_be_had_is_told(run: Any) -> None:
    async def main() -> None:
        async with rig(wait=0.2) as it:
            it.aim.backends = [backend(80)]
            for error, seconds in ((CredentialsError("the token has expired"), 0.1), (ApiError("no node"), 1.0)):
                it.broken = error
                began = asyncio.get_running_loop().time()
                reader, writer = await it.connect()
                await expect_reset(reader, writer)
                assert asyncio.get_running_loop().time() - began < seconds
                assert it.aim.failures[-1] == error.what

    run(main())
