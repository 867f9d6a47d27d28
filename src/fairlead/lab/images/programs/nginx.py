"""What runs where a pod asks for nginx: not nginx, but a web server that serves the same folder and a page of its own.

It understands no configuration but the ports in ``listen`` of ``/etc/nginx/conf.d/*.conf``, where there is any.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator

from fairlead.lab.images.programs.web import Request, Response, Server, date, unquoted

NAME = "nginx-stand-in"
ROOT = "/usr/share/nginx/html"
CONFIGURATION = "/etc/nginx/conf.d"
PAGE = b"""<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx!</h1>
<p>Not quite: this is the stand-in for nginx of Fairlead's lab. What you see proves that the way to this pod works.</p>
<p>Files in <code>/usr/share/nginx/html</code> are served as they are.</p>
</body>
</html>
"""
_KINDS = {
    ".html": "text/html", ".htm": "text/html", ".css": "text/css", ".txt": "text/plain", ".json": "application/json",
    ".js": "application/javascript", ".png": "image/png", ".jpg": "image/jpeg", ".svg": "image/svg+xml",
    ".ico": "image/x-icon", ".xml": "text/xml",
}  # fmt: skip
_LISTEN = re.compile(r"^\s*listen\s+(?:\S*:)?(\d+)\b", re.MULTILINE)


def main() -> int:
    """As nginx is started; its options change nothing."""
    words = sys.argv[1:]
    if "-v" in words or "-V" in words:
        print(f"nginx version: {NAME}", file=sys.stderr)
        return 0
    if "-t" in words or "-T" in words:
        print("nginx: there is no configuration to test", file=sys.stderr)
        return 0
    if "-s" in words:
        os.kill(1, {"quit": signal.SIGQUIT, "reload": 0}.get(words[-1], signal.SIGTERM))
        return 0
    _write_page()
    return Server(list(ports()) or [80], answer, log, NAME).run()


def ports() -> Iterator[int]:
    """Those that files of configuration name."""
    try:
        names = sorted(os.listdir(CONFIGURATION))
    except OSError:
        return
    found = []
    for name in names:
        if name.endswith(".conf"):
            with open(os.path.join(CONFIGURATION, name), errors="replace") as file:
                found += _LISTEN.findall(file.read())
    yield from map(int, dict.fromkeys(found))


def answer(request: Request) -> Response:
    """A file, or the page where there is none of that name to begin with."""
    if request.method not in ("GET", "HEAD"):
        return _error(405, "Not Allowed")
    path = unquoted(request.path)
    place = os.path.normpath(ROOT + "/" + path)
    if place != ROOT and not place.startswith(ROOT + "/"):
        return _error(400, "Bad Request")
    if os.path.isdir(place):
        if not path.endswith("/"):
            return Response(301, b"", headers=[("Location", request.path + "/")])
        place += "/index.html"
        if not os.path.exists(place):
            return _page(request, PAGE, 0.0) if path == "/" else _error(403, "Forbidden")
    try:
        with open(place, "rb") as file:
            return _page(request, file.read(), os.fstat(file.fileno()).st_mtime, os.path.splitext(place)[1])
    except FileNotFoundError:
        return _page(request, PAGE, 0.0) if path == "/" else _error(404, "Not Found")
    except OSError:
        return _error(403, "Forbidden")


def log(request: Request, response: Response) -> None:
    """A line as in nginx's access log."""
    now = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    query = f"?{request.query}" if request.query else ""
    what = f"{request.method} {request.path}{query} HTTP/1.1"
    agent, referer = request.headers.get("user-agent", "-"), request.headers.get("referer", "-")
    sent = f'{response.code} {len(response.body)} "{referer}" "{agent}" "-"'
    print(f'{request.client} - - [{now}] "{what}" {sent}', flush=True)


def _write_page() -> None:
    """Let the page be a file, too, that a user may change."""
    try:
        os.makedirs(ROOT, exist_ok=True)
        if not os.listdir(ROOT):
            with open(f"{ROOT}/index.html", "wb") as file:
                file.write(PAGE)
    except OSError:
        pass  # nothing can be written there: the page is served without


def _page(request: Request, body: bytes, changed: float, ending: str = ".html") -> Response:
    tag = f'"{int(changed):x}-{len(body):x}"'
    headers = [("Last-Modified", date(changed)), ("ETag", tag), ("Accept-Ranges", "none")]
    if request.headers.get("if-none-match") == tag:
        return Response(304, headers=headers)
    return Response(200, body, _KINDS.get(ending, "application/octet-stream"), headers)


def _error(code: int, words: str) -> Response:
    page = f"<html><head><title>{code} {words}</title></head><body><h1>{code} {words}</h1><hr>{NAME}</body></html>\n"
    return Response(code, page.encode())
