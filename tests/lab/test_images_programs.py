"""The programs that stand in for images: what they answer, and that they start fast."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import fairlead
from fairlead.lab.images.programs import ask, kuard, nginx, web
from fairlead.lab.images.programs.web import Request
from tests.support.world import within

pytestmark = pytest.mark.lab

SOURCES = str(Path(fairlead.__file__).parent.parent)
START = 5.0
"""Seconds, on a busy machine."""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def running(program: str, port: int, *words: str, before: str = "pass") -> Iterator[subprocess.Popen[str]]:
    path = f"import sys; sys.path.insert(0, {SOURCES!r})"
    text = f"{path}; import fairlead.lab.images.programs.{program} as p; {before}; sys.exit(p.main())"
    words = (sys.executable, "-IS", "-c", text, *words)
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        within(START, lambda: _listens(port) or process.poll() is not None, program, pause=0.005)
        yield process
    finally:
        process.kill()
        process.communicate()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def get(
    port: int, path: str, method: str = "GET", body: str | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response, data


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """nginx with a folder of its own."""
    port = free_port()
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/a.conf").write_text(f"server {{\n  listen 127.0.0.1:{port} default_server;\n}}\n")
    before = f"p.ROOT = {str(tmp_path / 'html')!r}; p.CONFIGURATION = {str(tmp_path / 'conf.d')!r}"
    with running("nginx", port, "-g", "daemon off;", before=before):
        yield port, tmp_path / "html"


def test_nginx_serves_its_page_and_files(site: tuple[int, Path]) -> None:
    port, folder = site
    response, page = get(port, "/")
    assert (response.status, response.headers["Server"], response.headers["Content-Type"]) == (
        200,
        "nginx-stand-in",
        "text/html",
    )
    assert page == nginx.PAGE == (folder / "index.html").read_bytes()
    assert get(port, "/", **{"If-None-Match": response.headers["ETag"]})[0].status == 304
    (folder / "index.html").write_text("mine")
    (folder / "a b.json").write_text("{}")
    assert get(port, "/?x=1")[1] == b"mine"
    response, data = get(port, "/a%20b.json")
    assert (response.headers["Content-Type"], data) == ("application/json", b"{}")
    response, data = get(port, "/", "HEAD")
    assert (response.headers["Content-Length"], data) == ("4", b"")
    (folder / "sub").mkdir()
    response, _ = get(port, "/sub")
    assert (response.status, response.headers["Location"]) == (301, "/sub/")
    for path, code in (("/sub/", 403), ("/no", 404), ("/../../etc/passwd", 400), ("/%2e%2e/%2e%2e/etc/passwd", 400)):
        assert get(port, path)[0].status == code
    assert get(port, "/", "POST", "x")[0].status == 405


def test_a_connection_is_used_again_and_nonsense_ends_it(site: tuple[int, Path]) -> None:
    port, _ = site
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/")
        assert connection.getresponse().read() == nginx.PAGE
    connection.close()
    with socket.create_connection(("127.0.0.1", port), 10) as sock, sock.makefile("rb") as file:
        sock.sendall(b"nonsense\r\n\r\n")
        assert file.read().startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_it_ends_when_it_is_told_to(number: signal.Signals) -> None:
    port = free_port()
    with running("kuard", port, f"--address=:{port}") as process:
        process.send_signal(number)
        assert process.wait(5) == 0


def test_starting_takes_less_than_a_tenth_of_a_second_of_work() -> None:
    port = free_port()
    with running("kuard", port, f"--address=:{port}") as process:
        ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    assert sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") < 0.1


def test_an_address_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running("kuard", port, f"--address=:{port}") as process:
            out, _ = process.communicate(timeout=5)
    assert process.returncode == 1
    assert f"0.0.0.0:{port}" in out or f":::{port}" in out


def test_kuard_s_pages() -> None:
    port = free_port()
    with running("kuard", port, f"--address=:{port}"):
        assert get(port, "/healthy")[1] == get(port, "/ready")[1] == b"ok"
        assert socket.gethostname().encode() in get(port, "/")[1]
        assert b"PATH=" in get(port, "/env")[1] or b"LC_CTYPE" in get(port, "/env")[1]
        assert get(port, "/no")[0].status == 404
        form = get(port, "/dns")[1]
        assert b'<form action="/dns">' in form
        assert b"<option selected>A</option>" in form
        response, data = get(port, "/dns/api", "POST", json.dumps({"type": "NONSENSE", "name": "x"}))
        assert (response.status, json.loads(data)) == (200, {"result": "Invalid DNS type: NONSENSE"})
        assert get(port, "/dns/api", "POST", "[]")[0].status == 400


def test_kuard_shows_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kuard, "lookup", lambda kind, name: f"{kind} of <{name}>")
    page = kuard.answer(Request("GET", "/dns", "type=SRV&name=a%22b", {}, b"", "")).body.decode()
    assert "<pre>SRV of &lt;a&quot;b&gt;</pre>" in page
    assert 'value="a&quot;b"' in page
    assert "<option selected>SRV</option>" in page


def test_echo_over_http_and_tcp() -> None:
    port = free_port()
    with running("echo", port, f"-listen=:{port}"):
        told = json.loads(get(port, "/a?b=c", "POST", "hello", **{"X-Y": "z"})[1])
        assert (told["method"], told["path"], told["query"], told["body"], told["headers"]["x-y"]) == (
            "POST",
            "/a",
            "b=c",
            "hello",
            "z",
        )
        with socket.create_connection(("127.0.0.1", port), 10) as sock, sock.makefile("rb") as file:
            sock.sendall(b"GE")
            sock.shutdown(socket.SHUT_WR)
            assert file.read() == b"GE"
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            sock.sendall(b"hi\n")
            assert sock.recv(10) == b"hi\n"


def test_echo_with_a_text_of_its_own() -> None:
    port = free_port()
    with running("echo", port, f"-listen=:{port}", "-text=hello there"):
        assert get(port, "/")[1] == b"hello there\n"


# -- without sockets --


def test_names_that_are_asked_for_in_turn() -> None:
    search = ["default.svc.cluster.local", "cluster.local"]
    assert ask.candidates("web", search, 5) == ["web.default.svc.cluster.local", "web.cluster.local", "web"]
    assert ask.candidates("a.b", search, 1)[0] == "a.b"
    assert ask.candidates("web.", search, 5) == ["web"]


def test_an_answer_in_words() -> None:
    name = b"\3web\7example\0"
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 5, 4) + bytes((10, 96, 0, 20))
    alias = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 5, 2) + b"\xc0\x10"
    reply = b"\0\1\x85\0\0\1\0\2\0\0\0\0" + name + b"\0\1\0\1" + record + alias
    lines = ask.text(reply, "web.example", "A").splitlines()
    assert lines[0] == ";; status: NOERROR"
    assert lines[-2:] == ["web.example.\t5\tIN\tA\t10.96.0.20", "web.example.\t5\tIN\tCNAME\texample."]


@pytest.mark.parametrize("cut", range(12, 30))
def test_an_answer_that_is_cut_off(cut: int) -> None:
    reply = (
        b"\0\1\x85\0\0\1\0\1\0\0\0\0"
        + b"\3web\0\0\1\0\1"
        + b"\xc0\x0c"
        + struct.pack("!HHIH", 1, 1, 5, 4)
        + b"\1\2\3\4"
    )[:cut]
    with pytest.raises(ValueError, match="cannot be read"):
        ask.text(reply, "web", "A")


def test_a_name_that_points_forward_is_none() -> None:
    reply = b"\0\1\x85\0\0\1\0\0\0\0\0\0" + b"\xc0\x0c\0\1\0\1"
    with pytest.raises(ValueError, match="leads nowhere"):
        ask.text(reply, "web", "A")


def test_forms_and_dates() -> None:
    assert web.fields("a=1&b=%41+b&a=2&=x") == {"a": "1", "b": "A b"}
    assert web.unquoted("/%e4%b8%ad%zz") == "/\u4e2d%zz"
    assert web.date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_time_is_not_spent_on_imports() -> None:
    """What would make a start slow is not imported."""
    text = (
        f"import sys; sys.path.insert(0, {SOURCES!r}); import fairlead.lab.images.programs.nginx; print(*sys.modules)"
    )
    began = time.monotonic()
    loaded = subprocess.run(
        [sys.executable, "-IS", "-c", text], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"http.server", "email", "asyncio", "ssl", "subprocess"} & set(loaded), time.monotonic() - began
