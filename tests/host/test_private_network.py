"""The handle of a private network, with an agent that a test plays."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fairlead.errors import MachineError
from fairlead.host.private import network as module
from fairlead.host.private import wire
from fairlead.host.private.network import PrivateNetwork
from fairlead.kit.tasks import Background, stop
from fairlead.policy.namespace_advice import SETTINGS
from tests.support.loop import LOOPS, run_on

NAMESPACES = ("ns-user", "ns-net", "ns-mnt")


class Agent:
    """Answers what it is asked by hand. ``process`` lives until ``end``."""

    def __init__(self, link: socket.socket) -> None:
        link.setblocking(False)
        self.link = link
        self.asked: list[dict[str, Any]] = []
        read, self._life = os.pipe()
        self.process = os.posix_spawn("/bin/cat", ["cat"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, read, 0)])
        os.close(read)

    async def hear(self) -> dict[str, Any]:
        return (await self.hear_all())[0]

    async def hear_all(self) -> tuple[dict[str, Any], list[int]]:
        async with asyncio.timeout(10):
            while True:
                try:
                    said, descriptors = wire.receive(self.link)
                except BlockingIOError:
                    await asyncio.sleep(0)
                else:
                    self.asked.append(said)
                    return said, descriptors

    def quiet(self) -> bool:
        """Whether nobody asks."""
        try:
            self.link.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        return False

    def say(self, said: dict[str, Any], descriptors: int = 0) -> None:
        given = [os.open(os.devnull, os.O_RDWR) for _ in range(descriptors)]
        wire.send(self.link, said, given)
        for each in given:
            os.close(each)

    def give(self, count: int) -> None:
        made = [socket.socket() for _ in range(count)]
        wire.send(self.link, {}, [sock.fileno() for sock in made])
        for sock in made:
            sock.close()

    def make(self) -> None:
        """The network stands."""
        sock, (file, other) = socket.socket(), os.pipe()
        names = ["tcp4", *NAMESPACES]
        wire.send(self.link, {"made": names}, [sock.fileno(), file, file, file])
        sock.close()
        os.close(file)
        os.close(other)

    def end(self) -> None:
        self.link.close()
        if self._life:
            os.close(self._life)
            self._life = 0


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@asynccontextmanager
async def standing(*, made: bool = True) -> AsyncIterator[tuple[PrivateNetwork, Agent]]:
    before = descriptors()
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    near.setblocking(False)
    agent = Agent(far)
    network = PrivateNetwork(agent.process, near)
    try:
        if made:
            agent.make()
            await network.made()
        yield network, agent
    finally:
        agent.end()
        await network.close()
        assert descriptors() == before


def play(body: Callable[[PrivateNetwork, Agent], Awaitable[None]], *, made: bool = True) -> None:
    for loop in LOOPS:

        async def main() -> None:
            async with asyncio.timeout(20), standing(made=made) as (network, agent):
                await body(network, agent)

        run_on(loop, main())


def test_what_was_made_is_sorted_and_no_childs() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        assert list(network.sockets) == ["tcp4"]
        assert not network.sockets["tcp4"].get_inheritable()

    play(body)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"failed": "unshare", "errno": errno.EINVAL, "text": "Invalid argument"}, "no user namespaces"),
        ({"failed": "nft", "errno": 0, "text": ""}, "the program nft is needed"),
    ],
)
def test_what_this_machine_forbids_is_an_error(said: dict[str, Any], what: str) -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        agent.say(said)
        with pytest.raises(MachineError, match=what):
            await network.made()

    play(body, made=False)


def test_an_agent_that_is_killed_before_it_is_done() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        agent.end()
        with pytest.raises(MachineError, match="that makes the private network was killed"):
            await network.made()
        await network.gone()

    play(body, made=False)


def test_a_network_for_which_there_is_no_room() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        agent.say({"made": ["tcp4", *NAMESPACES]}, 2)  # of four the kernel has let us have two
        with pytest.raises(MachineError, match="may open too few files"):
            await network.made()

    play(body, made=False)


def test_an_agent_that_is_killed_later() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        async with Background() as tasks:
            asked = tasks.start(failure(network.left()), name="ask")
            await agent.hear()
            agent.end()
            assert "was killed" in await asked
            await network.gone()
            assert "was killed" in await failure(network.outgoing(socket.AF_INET))
            assert "was killed" in await failure(network.change_rules("x"))
            await network.end_rest()  # which has nothing to do any more

    play(body)


async def failure(work: Awaitable[object]) -> str:
    with pytest.raises(MachineError) as caught:
        await work
    return caught.value.what


async def refusal(work: Awaitable[object]) -> int | None:
    with pytest.raises(OSError, match="Too many") as caught:
        await work
    return caught.value.errno


def test_sockets_are_fetched_eight_at_a_time_and_each_given_once() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        async with Background() as tasks:
            first = tasks.start(network.outgoing(socket.AF_INET), name="first")
            assert await agent.hear() == {"sockets": [int(socket.AF_INET)] * 8}
            agent.give(8)
            got = [await first] + [await network.outgoing(socket.AF_INET) for _ in range(7)]
            assert agent.quiet()
            assert len({sock.fileno() for sock in got}) == 8
            assert not any(sock.get_inheritable() for sock in got)
            for sock in got:
                sock.close()

    play(body)


def test_a_crowd_fetches_no_more_than_it_takes() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        async with Background() as tasks:
            asked = [tasks.start(network.outgoing(socket.AF_INET), name="ask") for _ in range(20)]
            for _ in range(3):
                await agent.hear()
                agent.give(8)
            for each in asked:
                (await each).close()
            assert agent.quiet()
            assert len(network._pools[socket.AF_INET]) == 4

    play(body)


def test_without_room_for_more_descriptors_it_is_asked_once() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        async with Background() as tasks:
            asked = tasks.start(refusal(network.outgoing(socket.AF_INET)), name="ask")
            await agent.hear()
            agent.give(0)  # the kernel has dropped them all
            assert await asked == errno.EMFILE
            assert agent.quiet()

    play(body)


def test_the_answer_to_who_does_not_wait_any_more_is_nobody_elses() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        async with Background() as tasks:
            left = tasks.start(network.left(), name="left")
            await agent.hear()
            await stop(left)
            ended = tasks.start(network.end_rest(), name="end")
            assert await agent.hear() == {"end": None}
            agent.say({"left": ["vim (pid 7)"]})
            for _ in range(20):
                await asyncio.sleep(0)
            assert not ended.done()
            agent.say({})
            await ended

    play(body)


def test_sockets_for_who_does_not_wait_any_more_are_closed() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        async with Background() as tasks:
            first = tasks.start(network.outgoing(socket.AF_INET), name="first")
            await agent.hear()
            await stop(first)
            before = descriptors()
            second = tasks.start(network.change_rules("add"), name="second")
            assert await agent.hear() == {"rules": "add"}
            agent.give(8)
            agent.say({})
            await second
            assert descriptors() == before

    play(body)


def test_what_nobody_asked_for_is_passed_over() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        before = descriptors()
        agent.say({"left": []}, 3)
        for _ in range(20):
            await asyncio.sleep(0)
        async with Background() as tasks:
            left = tasks.start(network.left(), name="left")
            await agent.hear()
            agent.say({"left": ["vim (pid 7)"]})
            assert await left == ["vim (pid 7)"]
        assert descriptors() == before

    play(body)


def test_rules_that_nft_does_not_take() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        async with Background() as tasks:
            asked = tasks.start(failure(network.change_rules("nonsense")), name="ask")
            await agent.hear()
            agent.say({"failed": "nft", "errno": 1, "text": "Error: syntax error\nnonsense\n^^^^"})
            assert "nft: Error: syntax error nonsense ^^^^" in await asked

    play(body)


def test_a_file_is_given_as_it_is() -> None:
    async def body(network: PrivateNetwork, agent: Agent) -> None:
        async with Background() as tasks:
            for data in b"a long one\n", b"short\n", b"":
                showing = tasks.start(network.show("resolv", data), name="show")
                said, descriptors = await agent.hear_all()
                assert said == {"show": "resolv"}
                assert os.pread(descriptors[0], 100, 0) == data
                os.close(descriptors[0])
                agent.say({})
                await showing

    play(body)


def test_the_end_waits_for_the_agent() -> None:
    async def main() -> None:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        near.setblocking(False)
        agent = Agent(far)
        network = PrivateNetwork(agent.process, near)
        agent.make()
        await network.made()
        async with Background() as tasks:
            over = tasks.start(network.close(), name="close")
            with pytest.raises(EOFError):
                await agent.hear()
            assert not over.done()
            agent.end()
            await over
        with pytest.raises(ProcessLookupError):
            os.kill(agent.process, 0)

    for loop in LOOPS:
        run_on(loop, main())


def test_the_advice_has_what_this_machine_says(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []

    def advice(step: str, number: int, text: str, settings: dict[str, str], python: str) -> MachineError:
        seen.append(settings)
        return MachineError(f"{step} {number} {text} {python}")

    monkeypatch.setattr(module, "advice", advice)
    error = module._advice({"failed": "map", "errno": 1, "text": "no"})
    assert error.what.startswith("map 1 no /")
    assert seen[0].keys() == set(SETTINGS)
    assert seen[0]["user/max_user_namespaces"].isdecimal()
