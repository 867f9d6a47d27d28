"""What leaves in one write with something else: each write costs API server, kubelet and runtime about as much."""

from __future__ import annotations

import asyncio

from fairlead.dial import lane as lane_module
from fairlead.dial.lane import NO_HURRY
from fairlead.protocol.spdy import frames
from tests.support.scene import Scene, play

DATA = 3
"""The data stream of the first connection; its error stream is 1, and the next connection has 5 and 7."""


def writes_of(it: Scene) -> list[bytes]:
    """What the first lane writes from now on, each write for itself."""
    written: list[bytes] = []
    transport = it.made[0][1]
    transport.write = lambda data: written.append(bytes(data))  # type: ignore[method-assign]
    return written


def end_of(stream: int) -> bytes:
    return frames.data(stream, b"", fin=True)


def test_the_end_of_a_program_that_has_its_answer_waits_for_company_and_not_for_long() -> None:
    async def main(it: Scene) -> None:
        connection, _ = await it.connect(b"question")
        it.accept(DATA)
        it.hear(frames.data(DATA, b"answer"))
        written = writes_of(it)
        connection.send_eof()
        await asyncio.sleep(NO_HURRY * 0.9)
        assert written == []
        await asyncio.sleep(NO_HURRY * 0.2)
        assert written == [end_of(DATA)]
        await asyncio.sleep(NO_HURRY * 2)
        assert len(written) == 1

    play(main)


def test_that_end_leaves_with_what_comes_first() -> None:
    async def main(it: Scene) -> None:
        first, _ = await it.connect(b"question")
        _, other = await it.connect(b"question")
        it.accept(DATA, DATA + 4)
        it.hear(frames.data(DATA, b"answer"))
        written = writes_of(it)
        first.send_eof()
        other.say(b"more")
        await asyncio.sleep(NO_HURRY * 2)
        assert written == [end_of(DATA) + frames.data(DATA + 4, b"more")]

    play(main)


def test_an_end_that_its_server_waits_for_leaves_at_once() -> None:
    async def main(it: Scene) -> None:
        connection, _ = await it.connect(b"question")
        it.accept(DATA)
        written = writes_of(it)
        connection.send_eof()
        await asyncio.sleep(0)
        assert written == [end_of(DATA)]

    play(main)


def test_what_is_small_is_gathered_and_keeps_its_place_before_what_is_large() -> None:
    async def main(it: Scene) -> None:
        _, program = await it.connect(b"question")
        it.accept(DATA)
        written = writes_of(it)
        for word in (b"a", b"b"):
            program.say(word)
        assert written == []
        large = bytes(lane_module.SMALL + 1)
        program.say(large)
        small = frames.data(DATA, b"a") + frames.data(DATA, b"b")
        assert written == [small, frames.data(DATA, large)]
        program.say(b"c")
        await asyncio.sleep(0.001)
        assert written[2:] == [frames.data(DATA, b"c")]

    play(main)


def test_a_write_that_took_everything_along_leaves_an_end_to_its_company() -> None:
    """The write at the end of the turn has nothing left to do, and so does not send the end alone."""

    async def main(it: Scene) -> None:
        connection, program = await it.connect(b"question")
        it.accept(DATA)
        it.hear(frames.data(DATA, b"answer"))
        written = writes_of(it)
        large = bytes(lane_module.SMALL + 1)
        program.say(b"a")
        program.say(large)
        connection.send_eof()
        await asyncio.sleep(NO_HURRY * 0.9)
        assert written == [frames.data(DATA, b"a"), frames.data(DATA, large)]
        await asyncio.sleep(NO_HURRY * 0.2)
        assert written[2:] == [end_of(DATA)]

    play(main)
