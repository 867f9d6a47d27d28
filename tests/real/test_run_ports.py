"""Localhost is one for both sides: what listens inside is on the laptop's, what listens there answers inside."""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.inside import Echo, Greeter, greeting
from tests.support.run_user import Inside, RunUser
from tests.support.running import free_port, listens
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]
SEEN = 0.2
"""Seconds from listen() inside to a listener on the laptop's localhost: promised."""
SOON = 2.0
BOTH = ["127.0.0.1", "::1"]
REFUSED = "ECONNREFUSED"


def own_addresses() -> list[str]:
    """One of each family that the machine has, beside the loopback's."""
    said = subprocess.run(["ip", "-o", "addr", "show", "scope", "global"], capture_output=True, text=True, check=True)
    found = re.findall(r" inet6? ([0-9a-f.:]+)/", said.stdout)
    return [next(address for address in found if (":" in address) is six) for six in (False, True) if _has(found, six)]


def _has(found: list[str], six: bool) -> bool:
    return any((":" in address) is six for address in found)


OWN = own_addresses()


@pytest.fixture
def listening(inside: Inside) -> Iterator[Inside]:
    """The run, in which nothing listens at the end."""
    yield inside
    inside.call("close_all")


def outside(number: int, word: str, host: str = "127.0.0.1", limit: float = SOON) -> None:
    """Wait until this is what the laptop's localhost says."""
    within(limit, lambda: greeting(host, number) == word, f"{word} on {host} {number}", pause=0.005)


def gone(number: int) -> None:
    """Wait until nobody listens on the laptop's localhost."""
    within(SOON, lambda: not listens("127.0.0.1", number) and not listens("::1", number), "gone", pause=0.005)


def answers(inside: Inside, host: str, number: int, word: str) -> None:
    """Wait until this is what is said inside."""
    within(
        SOON, lambda: inside.call("greeting", host, number) == word, f"{word} inside at {host} {number}", pause=0.005
    )


# -- what listens inside --


@pytest.mark.alone
def test_it_is_there_in_no_time_and_gone_with_its_program(inside: Inside) -> None:
    took = []
    for _ in range(7):
        number, began = inside.call("listen", "web")
        outside(number, "web")
        took.append(time.monotonic() - began)
        inside.call("close", "web")
        gone(number)
    assert statistics.median(took) < SEEN, took


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::", *OWN])
def test_whatever_address_it_listens_on(host: str, listening: Inside) -> None:
    """And under both of localhost's."""
    number, _ = listening.call("listen", "web", host)
    for each in BOTH:
        outside(number, "web", each)


def test_which_ports_a_user_may_listen_on(listening: Inside) -> None:
    """As outside: a namespace of one's own changes nothing of that."""
    setting = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    assert listening.call("text", str(setting)) == setting.read_text()


def test_a_real_server_and_curl(listening: Inside, user: RunUser) -> None:
    page = user.home / "page.html"
    page.write_text("<h1>served</h1>")
    number = free_port()
    listening.call("start", "server", [str(user.python), "-m", "http.server", str(number), "--bind", "127.0.0.1"])
    within(10, lambda: listens("127.0.0.1", number), "the server")
    for host in ("localhost", "127.0.0.1", "[::1]"):
        got = subprocess.run(
            ["curl", "-sS", f"http://{host}:{number}/page.html"], capture_output=True, text=True, check=True
        )
        assert got.stdout == "<h1>served</h1>"
    listening.call("stop", "server")
    gone(number)
    page.unlink()


def test_a_port_that_is_taken_here(listening: Inside) -> None:
    """Said once; each side has its own. Once it is free, it is what is inside."""
    with Greeter("theirs") as theirs:
        answers(listening, "127.0.0.1", theirs.port, "theirs")
        listening.call("listen", "ours", "127.0.0.1", theirs.port)
        assert listening.call("greeting", "127.0.0.1", theirs.port) == "ours"
        for host in ("::1", *OWN):
            assert listening.call("greeting", host, theirs.port) == REFUSED
        said = listening.wait_line(f"port {theirs.port} inside is not on this machine's localhost".capitalize())
        assert "in use by" in said
        assert greeting("127.0.0.1", theirs.port) == "theirs"
        theirs.server_close()
        outside(theirs.port, "ours", limit=10)
    assert len([line for line in listening.err if f"{theirs.port} inside is not" in line]) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_that_a_connection_leads_to(host: str, app: World, listening: Inside) -> None:
    """Who talks to port N of a service, or of the laptop, keeps nobody from listening on port N inside."""
    app.apply(app.service("high", [port(8181, "echo")], app="app"))
    within(SOON, lambda: listening.call("addresses", "high"), "its name")
    listening.call("hold", "service", "high", 8181)
    listening.call("listen", "as the service", host, 8181)
    with Greeter("theirs") as theirs:
        answers(listening, "127.0.0.1", theirs.port, "theirs")
        listening.call("listen", "ours", host, theirs.port)
        assert listening.call("greeting", "127.0.0.1", theirs.port) == "ours"


def test_two_runs_have_a_port_each(app: World, listening: Inside, user: RunUser) -> None:
    """Each reaches its own; the first one's is on the laptop's localhost."""
    number = free_port()
    listening.call("listen", "first", "127.0.0.1", number)
    outside(number, "first")
    with Inside(user, [f"--namespace={app.namespace}"], alone=False) as second:
        answers(second, "127.0.0.1", number, "first")
        second.call("listen", "second", "127.0.0.1", number)
        assert second.call("greeting", "127.0.0.1", number) == "second"
        assert listening.call("greeting", "127.0.0.1", number) == "first"
        second.wait_line(f"{number} inside is not on this machine's localhost")
        assert greeting("127.0.0.1", number) == "first"
        assert second.call("pod", "app", 80) == listening.call("pod", "app", 80) == "app"
        second.call("close", "second")
        answers(second, "127.0.0.1", number, "first")


# -- what listens on the laptop --


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::", *OWN])
def test_the_laptops_own_servers(host: str, listening: Inside) -> None:
    """Those that come while it runs, and go."""
    with Greeter("laptop", host) as server:
        places = [place for place in (*BOTH, *OWN) if greeting(place, server.port) == "laptop"]
        for place in (*BOTH, *OWN):
            answers(listening, place, server.port, "laptop" if place in places else REFUSED)
        if not {*BOTH}.isdisjoint(places):
            assert listening.call("greeting", "localhost", server.port) == "laptop", "the other address is refused"
    assert places
    for place in places:
        answers(listening, place, server.port, REFUSED)


def test_servers_that_were_there_before(app: World, user: RunUser) -> None:
    """At once: the first thing that a command does may be to ask one."""
    with (
        Greeter("before") as four,
        Greeter("six", "::1") as six,
        Echo("datagram") as udp,
        Inside(user, [f"--namespace={app.namespace}"], alone=False) as running,
    ):
        assert running.call("greeting", "127.0.0.1", four.port) == "before"
        assert running.call("greeting", "localhost", four.port) == "before"
        assert running.call("greeting", "::1", six.port) == "six"
        assert running.call("echo", "127.0.0.1", udp.port, "x") == "datagram x"


@pytest.mark.parametrize("host", [*BOTH, *OWN])
def test_where_nobody_listens(host: str, listening: Inside) -> None:
    """Refused, as outside, and by the kernel: a program that waits for its server sees it come."""
    number = free_port()
    assert greeting(host, number) == REFUSED
    assert listening.call("greeting", host, number) == REFUSED
    assert listening.call("echo", host, number, "anybody?") == REFUSED


@pytest.mark.parametrize("host", [*BOTH, *OWN])
def test_datagrams(host: str, listening: Inside) -> None:
    """To the laptop's own programs; one inside comes first."""
    with Echo("laptop", host) as server:
        assert listening.call("echo", host, server.port, "1") == "laptop 1"
        listening.call("listen_udp", "ours", host, server.port)
        assert listening.call("echo", host, server.port, "2") == "ours 2"
        listening.call("close", "ours")
        assert listening.call("echo", host, server.port, "3") == "laptop 3"
