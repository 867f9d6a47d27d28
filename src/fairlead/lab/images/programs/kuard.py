"""What runs where a pod asks for kuard, the demonstration of "Kubernetes: Up and Running": the pages of it that help
to look at a pod from outside, and the DNS queries that are made from within it."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable

from fairlead.lab.images.programs.ask import TYPES, lookup
from fairlead.lab.images.programs.web import Request, Response, Server, escaped, fields

NAME = "kuard-stand-in"
_PAGES = (("/", "Request"), ("/env", "Server Env"), ("/dns", "DNS Query"), ("/healthy", "Liveness"),
          ("/ready", "Readiness"))  # fmt: skip
_STYLE = (
    "body{font-family:sans-serif;max-width:60em;margin:2em auto}nav a{margin-right:1em}"
    "pre{background:#eee;padding:1em;overflow:auto}"
)


def main() -> int:
    """On port 8080, or that of ``--address=:PORT``."""
    port = 8080
    for word in sys.argv[1:]:
        if word.startswith("--address="):
            port = int(word.rpartition(":")[2])
    print(f"{NAME}: serving on HTTP on :{port}", flush=True)
    return Server([port], answer, log, NAME).run()


def answer(request: Request) -> Response:
    """A page."""
    page = _ANSWERS.get(request.path.rstrip("/") or "/")
    return page(request) if page else Response(404, b"404 page not found\n", "text/plain; charset=utf-8")


def log(request: Request, response: Response) -> None:
    """A line for each request."""
    now = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime())
    print(f"{now} {request.client} {request.method} {request.path} {response.code}", flush=True)


def _home(request: Request) -> Response:
    lines = [f"{request.method} {request.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return _page(
        "Request",
        f"<p>Host: <b>{escaped(socket.gethostname())}</b>, addresses: {escaped(', '.join(_addresses()))}</p>"
        f"<h2>Your request</h2><p>from {escaped(request.client)}</p><pre>{escaped(chr(10).join(lines))}</pre>",
    )


def _env(request: Request) -> Response:
    rows = "\n".join(f"{name}={value}" for name, value in sorted(os.environ.items()))
    words = " ".join(sys.argv)
    return _page("Server Env", f"<p>Command line: <code>{escaped(words)}</code></p><pre>{escaped(rows)}</pre>")


def _env_api(request: Request) -> Response:
    return _json({"commandLine": sys.argv, "env": dict(os.environ)})


def _dns(request: Request) -> Response:
    """The form, and below it what was asked for with it."""
    asked = fields(request.body.decode("utf-8", "replace") if request.method == "POST" else request.query)
    kind, name = asked.get("type", "A"), asked.get("name", "")
    choices = "".join(f"<option{' selected' if each == kind else ''}>{each}</option>" for each in TYPES)
    form = (
        f'<form action="/dns"><label>DNS Type: <select name="type">{choices}</select></label> '
        f'<label>Name: <input name="name" value="{escaped(name)}" autofocus></label> <button>Query</button></form>'
    )
    found = f"<pre>{escaped(lookup(kind, name))}</pre>" if name else ""
    return _page("DNS Query", f"<p>Asked by the server, from within its pod.</p>{form}{found}")


def _dns_api(request: Request) -> Response:
    try:
        asked = json.loads(request.body)
        return _json({"result": lookup(str(asked["type"]), str(asked["name"]))})
    except (ValueError, KeyError, TypeError):
        return Response(400, b'the body is to be {"type": "A", "name": "nginx"}\n', "text/plain")


def _ok(request: Request) -> Response:
    return Response(200, b"ok", "text/plain; charset=utf-8")


def _page(title: str, body: str) -> Response:
    links = "".join(f'<a href="{path}">{name}</a>' for path, name in _PAGES)
    head = f'<meta charset="utf-8"><title>KUAR Demo: {title}</title><style>{_STYLE}</style>'
    note = "<p><small>The stand-in for kuard of Fairlead's lab.</small></p>"
    page = f"<html><head>{head}</head><body><nav>{links}</nav><h1>{title}</h1>{body}{note}</body></html>\n"
    return Response(200, f"<!DOCTYPE html>\n{page}".encode(), "text/html; charset=utf-8")


def _json(value: object) -> Response:
    return Response(200, json.dumps(value).encode(), "application/json")


def _addresses() -> list[str]:
    try:
        return sorted({str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None)})
    except OSError:
        return []


_ANSWERS: dict[str, Callable[[Request], Response]] = {
    "/": _home, "/-": _home, "/env": _env, "/env/api": _env_api, "/dns": _dns, "/dns/api": _dns_api, "/healthy": _ok,
    "/ready": _ok,
}  # fmt: skip
