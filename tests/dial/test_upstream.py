"""Asking the laptop's nameservers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import dns.flags
import pytest

from fairlead.dial.upstream import MOST_OPEN, SILENT, Upstream
from fairlead.kit.tasks import Background
from fairlead.policy.resolv import ResolvConf
from tests.support.dnsmessages import ask, lines, read, reply_to
from tests.support.loop import LOOPS, now, run_on, run_virtual
from tests.support.nameserver import Answer, Nameserver, known, nothing

T = TypeVar("T")
SITE = "www.example.com"
QUERY = ask(SITE, size=1232)
FOUND = f"{SITE} 30 A 192.0.2.1"


def upstream(*servers: Nameserver, options: tuple[str, ...] = ()) -> Upstream:
    conf = ResolvConf(tuple(server.address for server in servers), options=options)
    return Upstream(lambda: conf, port=servers[0].port)


async def several(stack: AsyncExitStack, *answers: Answer) -> list[Nameserver]:
    """Nameservers on one port of several addresses."""
    first = await stack.enter_async_context(Nameserver(answers[0]))
    others = [Nameserver(each, address=f"127.0.0.{n}", port=first.port) for n, each in enumerate(answers[1:], 2)]
    return [first, *[await stack.enter_async_context(other) for other in others]]


async def settled(work: Coroutine[Any, Any, T]) -> T:
    return await asyncio.wait_for(work, 10)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("tcp", [False, True])
def test_a_query_is_passed_on_as_it_is(loop: str, tcp: bool) -> None:
    async def main() -> None:
        async with Nameserver(known(FOUND), tcp=known(FOUND, "b 1 A 192.0.2.2")) as server:
            answer = await settled(upstream(server).ask(QUERY, tcp=tcp))
            assert read(answer).id == 4711
            assert lines(read(answer).answer)[:1] == [FOUND]
            assert len(read(answer).answer) == 1 + tcp
            assert server.queries[0][2:] == QUERY[2:]

    run_on(loop, main())


def test_every_query_has_an_id_and_a_port_of_its_own() -> None:
    async def main() -> None:
        async with Nameserver(known(FOUND)) as server:
            asking = upstream(server)
            for _ in range(20):
                assert await asking.ask(QUERY, tcp=False)
            assert len({query[:2] for query in server.queries}) > 15
            assert len(set(server.sources)) > 15

    run_virtual(main())


def test_what_does_not_answer_the_query_is_not_heard() -> None:
    def liar(query: bytes) -> list[bytes]:
        other = bytes((query[0] ^ 1,)) + query[1:]
        wrong = reply_to(query, "www.example.org 30 A 192.0.2.66").replace(b"\3com", b"\3org")
        return [b"", reply_to(other, FOUND), wrong, query, reply_to(query, FOUND)]

    async def main() -> None:
        async with Nameserver(liar, tcp=lambda query: liar(query)[1:]) as server:
            for tcp in False, True:
                assert lines(read(await upstream(server).ask(QUERY, tcp=tcp)).answer) == [FOUND]
            assert now() == 0

    run_virtual(main())


@pytest.mark.parametrize("options", [(), ("timeout:1", "attempts:3"), ("attempts:1",)])
def test_who_does_not_answer_is_asked_again_and_then_the_next(options: tuple[str, ...]) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            servers = await several(stack, nothing, nothing)
            asking = upstream(*servers, options=options)
            conf = ResolvConf(options=options)
            assert await asking.ask(QUERY, tcp=False) is None
            assert [len(server.queries) for server in servers] == [conf.attempts] * 2
            assert now() == pytest.approx(2 * conf.attempts * conf.timeout)

    run_virtual(main())


def test_who_did_not_answer_is_asked_last_for_a_while() -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            silent, other = await several(stack, nothing, known(FOUND))
            asking = upstream(silent, other)
            assert await asking.ask(QUERY, tcp=False)
            assert now() == pytest.approx(5)
            assert await asking.ask(QUERY, tcp=False)
            assert now() == pytest.approx(5)
            await asyncio.sleep(SILENT)
            assert await asking.ask(QUERY, tcp=False)
            assert (len(silent.queries), len(other.queries)) == (2, 3)

    run_virtual(main())


def test_where_nobody_listens_the_next_is_asked_at_once() -> None:
    async def main() -> None:
        async with Nameserver(known(FOUND), tcp=known(FOUND)) as server:
            conf = ResolvConf(("127.0.0.9", "fe80::1%no-such-link", "127.0.0.1"))
            for tcp in False, True:
                assert await Upstream(lambda: conf, port=server.port).ask(QUERY, tcp=tcp)
        assert await Upstream(lambda: conf, port=server.port).ask(QUERY, tcp=False) is None
        assert await Upstream(lambda: conf, port=server.port).ask(QUERY, tcp=True) is None
        assert now() == 0

    run_virtual(main())


@pytest.mark.parametrize("rcode", [2, 4, 5])
def test_who_cannot_tell_is_not_the_last_word(rcode: int) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            unable, other = await several(stack, known(rcode=rcode), known(FOUND))
            assert read(await upstream(unable, other).ask(QUERY, tcp=False)).rcode() == 0
            assert read(await upstream(unable).ask(QUERY, tcp=False)).rcode() == rcode
            assert len(unable.queries) == 2

    run_virtual(main())


def test_no_such_name_is_an_answer() -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            servers = await several(stack, known(rcode=3), known(FOUND))
            assert read(await upstream(*servers).ask(QUERY, tcp=False)).rcode() == 3
            assert not servers[1].queries

    run_virtual(main())


def test_in_turn() -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            servers = await several(stack, known(FOUND), known(FOUND), known(FOUND))
            asking = upstream(*servers, options=("rotate",))
            for _ in range(6):
                assert await asking.ask(QUERY, tcp=False)
            assert [len(server.queries) for server in servers] == [2, 2, 2]

    run_virtual(main())


def test_an_answer_that_was_cut_is_passed_on_to_who_came_by_udp() -> None:
    def cut(query: bytes) -> list[bytes]:
        return [reply_to(query, flags=int(dns.flags.TC))]

    async def main() -> None:
        async with Nameserver(cut, tcp=known(FOUND)) as server:
            assert read(await upstream(server).ask(QUERY, tcp=False)).flags & dns.flags.TC
            assert not read(await upstream(server).ask(QUERY, tcp=True)).flags & dns.flags.TC
            assert not read(await upstream(server, options=("use-vc",)).ask(QUERY, tcp=False)).flags & dns.flags.TC

    run_virtual(main())


def test_a_long_answer_over_tcp() -> None:
    texts = [f"{SITE} 30 TXT {'x' * 200}{n}" for n in range(200)]

    async def main() -> None:
        async with Nameserver(nothing, tcp=known(*texts)) as server:
            answer = await upstream(server).ask(ask(SITE, "TXT"), tcp=True)
            assert len(answer or b"") > 40000
            assert len(lines(read(answer).answer)) == 200

    run_virtual(main())


def test_other_nameservers_are_asked_from_one_query_to_the_next() -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            servers = await several(stack, known(FOUND), known(FOUND))
            confs = [ResolvConf((server.address,)) for server in servers]
            asking = Upstream(lambda: confs.pop(0), port=servers[0].port)
            assert await asking.ask(QUERY, tcp=False)
            assert await asking.ask(QUERY, tcp=False)
            assert [len(server.queries) for server in servers] == [1, 1]

    run_virtual(main())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("tcp", [False, True])
def test_who_is_gone_leaves_nothing(loop: str, tcp: bool) -> None:
    """The check that nothing is left open is that of every test."""

    async def main() -> None:
        async with Nameserver(nothing, tcp=nothing) as server, Background() as tasks:
            asking = upstream(server)
            asked = [tasks.start(asking.ask(QUERY, tcp=tcp), name="ask") for _ in range(10)]
            await settled(server.asked.wait())
            for each in asked:
                each.cancel()
            await asyncio.wait(asked)
            assert asking._open == 0

    run_on(loop, main())


def test_no_more_wait_than_there_is_room_for() -> None:
    async def main() -> None:
        async with Nameserver(nothing) as server, Background() as tasks:
            asking = upstream(server)
            for _ in range(MOST_OPEN):
                tasks.start(asking.ask(QUERY, tcp=False), name="ask")
            await server.asked.wait()
            assert await asking.ask(QUERY, tcp=False) is None
            assert now() == 0

    run_virtual(main())
