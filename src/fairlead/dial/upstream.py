"""The laptop's own nameservers, asked as resolver(5) asks them: what is not the clusters' is theirs to answer."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from typing import Any

from fairlead.errors import ProtocolError
from fairlead.model.dns import Code
from fairlead.net.resolve import Address
from fairlead.policy.resolv import ResolvConf
from fairlead.protocol.dns import MOST_MESSAGE, MessageReader, framed, is_reply

MOST_OPEN = 512
"""Queries that wait for an answer: each has a socket, and who asks more than that does not wait for all of them."""
SILENT = 60.0
"""Seconds for which a nameserver that did not answer is asked last."""
_ELSEWHERE = (Code.SERVFAIL, Code.NOTIMP, Code.REFUSED)
"""Answers of a nameserver that cannot tell, where the next one may."""


class Upstream:
    """Passes queries on. ``conf`` says to whom, and is asked for each query."""

    def __init__(self, conf: Callable[[], ResolvConf], *, port: int = 53) -> None:
        self._conf = conf
        self._port = port
        self._open = 0
        self._turn = 0
        self._silent: dict[str, float] = {}
        """Until when a nameserver is asked after the others."""

    async def ask(self, query: bytes, *, tcp: bool) -> bytes | None:
        """The answer, as it came, but for its id; None if there is none, or too many wait for one.

        ``tcp`` is for a query that came over TCP: its answer may be of any length. Whoever is cancelled leaves nothing.
        """
        if self._open >= MOST_OPEN:
            return None
        self._open += 1
        try:
            answer = await self._ask(query, tcp=tcp)
        finally:
            self._open -= 1
        return None if answer is None else query[:2] + answer[2:]

    async def _ask(self, query: bytes, *, tcp: bool) -> bytes | None:
        conf = self._conf()
        unable: dict[str, bytes] = {}
        for _ in range(conf.attempts):
            for nameserver in self._order(conf):
                if nameserver in unable:
                    continue
                # A new id and port for each try, so that nobody who cannot read it can answer in another's place.
                sent = secrets.token_bytes(2) + query[2:]
                try:
                    target = _resolved(nameserver, self._port)
                    async with asyncio.timeout(conf.timeout):
                        answer = await (_by_tcp(*target, sent) if tcp or conf.tcp else _by_udp(*target, sent))
                except (OSError, ProtocolError):
                    self._silent[nameserver] = asyncio.get_running_loop().time() + SILENT
                    continue
                self._silent.pop(nameserver, None)
                if answer[3] & 15 not in _ELSEWHERE:
                    return answer
                unable[nameserver] = answer
        return next(iter(unable.values()), None)

    def _order(self, conf: ResolvConf) -> list[str]:
        nameservers = list(dict.fromkeys(conf.nameservers))
        if conf.rotate:
            self._turn = (self._turn + 1) % len(nameservers)
            nameservers = nameservers[self._turn :] + nameservers[: self._turn]
        now = asyncio.get_running_loop().time()
        self._silent = {each: until for each, until in self._silent.items() if each in nameservers and until > now}
        return sorted(nameservers, key=lambda nameserver: nameserver in self._silent)


def _resolved(nameserver: str, port: int) -> Address:
    """Family and socket address of a numeric one; raises OSError if its interface is gone."""
    family, _, _, _, address = socket.getaddrinfo(nameserver, port, flags=socket.AI_NUMERICHOST)[0]
    return family, address


async def _by_udp(family: int, address: Any, query: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        if answer.done():
            return
        try:
            data = sock.recv(MOST_MESSAGE)
        except BlockingIOError:
            return
        except OSError as error:  # nobody listens there, as ICMP says
            answer.set_exception(error)
            return
        if is_reply(query, data):
            answer.set_result(data)

    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(address)  # from now on the kernel takes datagrams of this address only
        sock.send(query)
        loop.add_reader(sock, read)
        try:
            return await answer
        finally:
            loop.remove_reader(sock)


async def _by_tcp(family: int, address: Any, query: bytes) -> bytes:
    loop, reader = asyncio.get_running_loop(), MessageReader()
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, framed(query))
        while data := await loop.sock_recv(sock, MOST_MESSAGE):
            for answer in reader.feed(data):
                if is_reply(query, answer):
                    return answer
    raise ConnectionResetError("the nameserver closed the connection without an answer")
