"""Much at once through a private network: bytes, and questions to its nameserver."""

from __future__ import annotations

import random
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.reversename
import pytest

from fairlead.protocol.dns import framed
from tests.support import podapp
from tests.support.direct import create
from tests.support.dnsmessages import ask, lines, read, reply_to
from tests.support.run_user import NAMESERVER, Inside
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]
GIB = 1 << 30
P = podapp.BASE
SERVICES = 50
QUERIES, SOCKETS = 1000, 50
WEB = "www.example.test 60 A 192.0.2.80"


@pytest.fixture(scope="module")
def many(app: World, inside: Inside) -> dict[str, str]:
    """Names of services with their addresses."""
    made = [app.service(f"many-{number}", [port(80, name="http")], app="app") for number in range(SERVICES)]
    create(app, made)
    app.apply(app.service("bulk", [port(P + podapp.SOURCE), port(P + podapp.SINK)], app="app"))
    found = {item["metadata"]["name"]: item["spec"]["clusterIP"] for item in app.get("services")["items"]}
    within(5, lambda: all(inside.call("addresses", name) for name in found), "all names")
    return found


def test_a_gibibyte_each_way(many: dict[str, str], inside: Inside) -> None:
    inside.call("both_ways", ("bulk", P + podapp.SOURCE), ("bulk", P + podapp.SINK), GIB, limit=120)


def upstream(query: bytes) -> bytes:
    """The answer of one who knows one name."""
    known = dns.message.from_wire(query).question[0].name.to_text(True) == WEB.split()[0]
    return reply_to(query, *([WEB] if known else []), rcode=0 if known else 3)


class Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        query, sock = self.request
        sock.sendto(upstream(query), self.client_address)


class Stream(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while size := self.rfile.read(2):
            self.wfile.write(framed(upstream(self.rfile.read(int.from_bytes(size, "big")))))


@contextmanager
def laptops_nameserver() -> Iterator[None]:
    """The one that the user's resolv.conf names."""
    where = (NAMESERVER, 53)
    with socketserver.UDPServer(where, Datagram) as udp, socketserver.ThreadingTCPServer(where, Stream, False) as tcp:
        tcp.allow_reuse_address = True
        tcp.request_queue_size = 100
        tcp.server_bind()
        tcp.server_activate()
        threads = [threading.Thread(target=each.serve_forever, args=(0.01,)) for each in (udp, tcp)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            udp.shutdown()
            tcp.shutdown()
            for thread in threads:
                thread.join()


Expected = tuple[int, list[str]]
"""The code, and the records of an answer."""


def question(number: int, chance: random.Random, many: dict[str, str], namespace: str) -> tuple[bytes, Expected]:
    """One of every kind; its identity is its number."""
    name, address = chance.choice(list(many.items()))
    full = f"{name}.{namespace}.svc.cluster.local"
    back = dns.reversename.from_address(address).to_text(True)
    asked, kind, expected = chance.choice(
        [
            (full, "A", [f"{full} 5 A {address}"]),
            (full.upper(), "A", [f"{full.upper()} 5 A {address}"]),
            (f"{name}.{namespace}", "A", [f"{name}.{namespace} 5 A {address}"]),
            (full, "AAAA", []),
            (back, "PTR", [f"{back} 5 PTR {full}."]),
            (f"no-{name}.{namespace}.svc.cluster.local", "A", None),
            (WEB.split()[0], "A", [WEB]),
            ("nobody.example.test", "A", None),
        ]
    )
    wrong = expected is None
    return ask(asked, kind, ident=number), (dns.rcode.NXDOMAIN if wrong else dns.rcode.NOERROR, expected or [])


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_thousand_queries(transport: str, app: World, many: dict[str, str], inside: Inside) -> None:
    """From 50 sockets over UDP, or one after the other over one TCP connection, answered in any order."""
    chance = random.Random(transport)
    asked = [question(number, chance, many, app.namespace) for number in range(QUERIES)]
    queries = [query.hex() for query, _ in asked]
    with laptops_nameserver():
        answers = inside.call("ask_udp", queries, SOCKETS) if transport == "udp" else inside.call("ask_tcp", queries)
    found: dict[int, Expected] = {}
    for answer in map(bytes.fromhex, answers):
        message = read(answer)
        found[message.id] = (message.rcode(), lines(message.answer))
    assert found == {number: expected for number, (_, expected) in enumerate(asked)}
    if transport == "udp":
        assert [read(bytes.fromhex(answer)).id for answer in answers] == list(range(QUERIES))


def test_services_of_dns_alone(app: World, inside: Inside, many: dict[str, str]) -> None:
    """SRV of a port with a name."""
    name = f"many-7.{app.namespace}.svc.cluster.local"
    (answer,) = inside.call("ask_udp", [ask(f"_http._tcp.{name}", "SRV").hex()], 1)
    assert lines(read(bytes.fromhex(answer)).answer) == [f"_http._tcp.{name} 5 SRV 0 100 80 {name}."]
