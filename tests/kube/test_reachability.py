"""When the API server counts as lost, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fairlead.errors import ConfigError, FairleadError, MachineError, NoAnswerError, UnreachableError
from fairlead.kit.tasks import Background
from fairlead.kube.client import ApiServer
from fairlead.kube.reachability import PROBE_EVERY, Reachability
from fairlead.policy.url import parse_url
from tests.support.apiserver import Answer, Exchange, ScriptedServer
from tests.support.clusters import config_for
from tests.support.loop import now, run, run_virtual
from tests.support.proxies import RecordingProxy

REFUSED = UnreachableError("the server cannot be reached: connection refused")
SILENT = "lost: the server accepts connections and does not answer"


class Watched:
    """A ``Reachability`` before a server with switches, and what it told."""

    def __init__(self, tasks: Background) -> None:
        self.failure: FairleadError | None = None
        """Of a connect."""
        self.refusal: FairleadError | None = None
        """Of a question."""
        self.answering = asyncio.Event()
        """Cleared, it hangs: what is asked is answered when it goes on."""
        self.answering.set()
        self.told: list[str] = []
        self.connects: list[float] = []
        self.questions: list[float] = []
        self.open = 0
        self.reach = Reachability(
            tasks,
            self._connect,
            self._ask,
            where="the server",
            on_lost=lambda reason: self.told.append(f"lost: {reason}"),
            on_back=lambda after: self.told.append(f"back after {after:g}"),
            chance=lambda: 0.0,
        )

    async def _connect(self, timeout: float) -> None:
        self.connects.append(now())
        if self.failure is not None:
            raise self.failure

    async def _ask(self, timeout: float) -> None:
        self.questions.append(now())
        self.open += 1
        assert self.open == 1
        try:
            async with asyncio.timeout(timeout):
                await self.answering.wait()
        except TimeoutError:
            raise UnreachableError("no answer") from None
        finally:
            self.open -= 1
        if self.refusal is not None:
            raise self.refusal


def scene(main: Callable[[Watched], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with Background() as tasks:
            await main(Watched(tasks))

    run_virtual(inside())


def test_lost_and_back_are_told_once_each() -> None:
    async def main(it: Watched) -> None:
        it.failure = REFUSED
        it.reach.suspect("a lane broke")
        it.reach.suspect("another one")
        await asyncio.sleep(3 * PROBE_EVERY - 1)
        assert not it.reach.up
        assert it.connects == [0, 2, 4]
        assert it.questions == [], "nobody is there to be asked"
        it.failure = None
        await it.reach.wait_up()
        assert it.told == [f"lost: {REFUSED.what}", f"back after {3 * PROBE_EVERY:g}"]

    scene(main)


def test_it_is_away_since_it_was_last_heard() -> None:
    """A lane knows that only after some pings; what was heard before the last time that it was back counts no more."""

    async def main(it: Watched) -> None:
        await asyncio.sleep(100)
        it.failure = REFUSED
        it.reach.suspect("a lane broke", now() - 9)
        it.reach.suspect("another one, that was heard last", now() - 8)
        it.reach.suspect("a connect failed")
        await asyncio.sleep(1)
        it.failure = None
        await it.reach.wait_up()
        assert it.told[-1] == f"back after {8 + PROBE_EVERY:g}"
        it.failure = REFUSED
        it.reach.suspect("a connect failed")
        await asyncio.sleep(PROBE_EVERY + 1)
        it.failure = None
        await it.reach.wait_up()
        assert it.told[-1] == f"back after {PROBE_EVERY:g}"

    scene(main)


def test_a_server_that_answers_is_not_lost() -> None:
    async def main(it: Watched) -> None:
        it.reach.suspect("a lane broke")
        await asyncio.sleep(10)
        assert it.told == []
        assert it.connects == it.questions == [0]

    scene(main)


def test_a_storm_of_suspicions_asks_every_two_seconds() -> None:
    async def main(it: Watched) -> None:
        for _ in range(600):
            it.reach.suspect("a lane broke")
            await asyncio.sleep(0.1)
        assert it.told == []
        assert 29 <= len(it.questions) <= 31

    scene(main)


def test_a_server_that_hangs_is_lost_within_two_seconds_and_back_at_once() -> None:
    async def main(it: Watched) -> None:
        it.answering.clear()
        it.reach.suspect("a ping was missed")
        await asyncio.sleep(PROBE_EVERY + 0.01)
        assert it.told == [SILENT]
        await asyncio.sleep(20.5)
        it.answering.set()
        woken = now()
        await it.reach.wait_up()
        assert now() - woken < 0.01
        assert len(it.told) == 2

    scene(main)


def test_a_server_that_hangs_is_asked_less_and_less_and_is_never_without_a_question() -> None:
    async def main(it: Watched) -> None:
        it.answering.clear()
        it.reach.suspect("a ping was missed")
        for _ in range(300):
            await asyncio.sleep(1)
            assert it.open == 1
        pauses = [round(b - a) for a, b in zip(it.questions, it.questions[1:], strict=False)]
        assert pauses[:5] == [8, 8, 8, 8, 16]
        assert set(pauses[5:]) == {24}
        assert len(it.connects) == 150
        assert it.told == [SILENT]

    scene(main)


def test_a_question_that_fails_at_once_is_asked_again_less_and_less() -> None:
    """As from a load balancer that has nobody behind it."""

    async def main(it: Watched) -> None:
        it.refusal = NoAnswerError("the server closed the connection without an answer")
        it.reach.suspect("a lane broke")
        await asyncio.sleep(0.01)
        assert it.told == [f"lost: {it.refusal.what}"]
        await asyncio.sleep(120)
        assert it.questions == [0, 2, 4, 8, 16, 32, 56, 80, 104]
        it.refusal = None
        await it.reach.wait_up()
        assert now() == 128

    scene(main)


def test_a_connect_that_succeeds_again_asks_at_once() -> None:
    async def main(it: Watched) -> None:
        it.refusal = NoAnswerError("the server closed the connection without an answer")
        it.reach.suspect("a lane broke")
        await asyncio.sleep(59)
        it.failure = REFUSED
        await asyncio.sleep(2)
        it.failure = it.refusal = None
        began = now()
        await it.reach.wait_up()
        assert now() - began < PROBE_EVERY

    scene(main)


def test_what_was_asked_before_the_network_went_is_asked_again() -> None:
    async def main(it: Watched) -> None:
        it.answering.clear()
        it.reach.suspect("a ping was missed")
        await asyncio.sleep(3)
        it.failure = REFUSED
        await asyncio.sleep(2)
        assert it.open == 0
        it.failure = None
        it.answering.set()
        await it.reach.wait_up()
        assert now() == 6
        assert it.told == [SILENT, "back after 6"]

    scene(main)


@pytest.mark.parametrize("error", [MachineError("all files are open"), ConfigError("the key cannot be read")])
@pytest.mark.parametrize("where", ["failure", "refusal"])
def test_what_is_not_the_servers_fault_says_nothing_about_it(where: str, error: FairleadError) -> None:
    async def main(it: Watched) -> None:
        setattr(it, where, error)
        it.reach.suspect("a lane broke")
        await asyncio.sleep(10)
        assert it.reach.up
        assert it.told == []
        assert it.connects == [0]

    scene(main)


def test_a_lost_server_is_not_back_because_there_are_no_descriptors() -> None:
    async def main(it: Watched) -> None:
        it.failure = REFUSED
        it.reach.suspect("a lane broke")
        await asyncio.sleep(1)
        it.failure = MachineError("all files are open")
        await asyncio.sleep(10)
        assert not it.reach.up
        assert len(it.told) == 1

    scene(main)


def test_a_suspicion_after_it_was_back_is_looked_into() -> None:
    async def main(it: Watched) -> None:
        it.failure = REFUSED
        it.reach.suspect("a lane broke")
        await asyncio.sleep(1)
        it.failure = None
        await it.reach.wait_up()
        it.answering.clear()
        it.reach.suspect("a lane broke")
        await asyncio.sleep(2 * PROBE_EVERY + 0.01)
        assert it.told[2:] == [SILENT]

    scene(main)


# -- a server behind a proxy that lives, on the real clock --


class Behind:
    """A scripted server behind a CONNECT proxy, watched by a ``Reachability``."""

    def __init__(self) -> None:
        self.answering = asyncio.Event()
        self.told: list[str] = []
        self.changed = asyncio.Event()

    def _tell(self, what: str) -> None:
        self.told.append(what)
        self.changed.set()

    async def _answer(self, exchange: Exchange) -> Answer:
        await self.answering.wait()
        return Answer(401)

    async def wait_told(self, count: int) -> str:
        async with asyncio.timeout(10):
            while len(self.told) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.told[-1]

    async def run(self, main: Callable[[Reachability, RecordingProxy], Awaitable[None]]) -> None:
        async with ScriptedServer(self._answer) as server, RecordingProxy("http", server.port) as proxy:
            address = parse_url(f"http://127.0.0.1:{proxy.port}", what="the proxy", schemes=("http",))
            async with ApiServer(config_for(server, proxy=address)) as api, Background() as tasks:
                reach = Reachability(
                    tasks,
                    api.connector.probe,
                    api.answers,
                    where=api.connector.where,
                    on_lost=self._tell,
                    on_back=lambda _: self._tell("back"),
                )
                await main(reach, proxy)


def test_a_server_that_hangs_behind_a_proxy() -> None:
    it = Behind()

    async def main(reach: Reachability, proxy: RecordingProxy) -> None:
        reach.suspect("a ping was missed")
        assert (await it.wait_told(1)).endswith("accepts connections and does not answer")
        it.answering.set()
        assert await it.wait_told(2) == "back"
        assert {hop.kind for hop in proxy.hops} == {"http"}

    run(it.run(main))


def test_a_server_that_a_proxy_does_not_find() -> None:
    it = Behind()
    it.answering.set()

    async def main(reach: Reachability, proxy: RecordingProxy) -> None:
        yes, proxy.answer = proxy.answer, b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
        reach.suspect("a lane broke")
        assert "it refused: 503 Service Unavailable" in await it.wait_told(1)
        proxy.answer = yes
        assert await it.wait_told(2) == "back"

    run(it.run(main))
