"""Local ports: which addresses are bound, and all of them or none."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from fairlead.errors import ListenError, UsageError
from fairlead.host.ports import describe_holder, low_port_remedy
from fairlead.kit.tasks import Background
from fairlead.net import descriptors
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection, reset
from fairlead.net.stream import RemoteEnd

BACKLOG = 4096
"""Connections that the kernel holds until they are accepted; it cuts this to net.core.somaxconn."""
ACCEPTED_AT_ONCE = 32
"""Connections that are accepted behind the one that the event loop accepts in a turn, so that what a crowd sends leaves
in one write. No more than lanes leave of the reserve of descriptors."""
QUIET = 5.0
"""Seconds without a refusal after which connections count as accepted again, so that a crowd at the limit is one
change and not many."""
EPHEMERAL_TRIES = 16
"""Times an ephemeral port is asked for when the number is free on one family and taken on the other."""

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

Explain: TypeAlias = Callable[[OSError, Address, int], ListenError]
"""Why an address and port could not be bound."""

_NO_FAMILY = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

LOCALHOST: tuple[Address, ...] = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))


class Group(NamedTuple):
    """Addresses that are bound together.

    With ``any_will_do`` (``localhost``) a machine may lack some of them, and only the first one has to be free: that is
    the one which a command and the ready file are told of.
    """

    addresses: tuple[Address, ...]
    any_will_do: bool


class Bound:
    """One local port: its number and its listening sockets, one for each address, in the order of the addresses."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sockets: list[socket.socket] = []
        self.missing: list[str] = []
        """One sentence for each address of ``localhost`` that could not be had."""

    @property
    def addresses(self) -> list[str]:
        """The bound IP addresses."""
        return [str(sock.getsockname()[0]) for sock in self.sockets]

    def close(self) -> None:
        """Stop listening."""
        for sock in self.sockets:
            sock.close()


def parse_addresses(words: Sequence[str]) -> list[Group]:
    """The groups of ``--address``, each address once and in the order of their text, as kubectl lists them."""
    groups: dict[str, Group] = {}
    for word in words:
        if word == "localhost":
            groups[word] = Group(LOCALHOST, any_will_do=True)
            continue
        try:
            bare = word[1:-1] if word[:1] == "[" and word[-1:] == "]" and ":" in word else word
            groups[bare] = Group((ipaddress.ip_address(bare),), any_will_do=False)
        except ValueError:
            raise UsageError(f"{word} is not a valid IP", remedy="give IP addresses or localhost") from None
    if not groups:
        raise UsageError("you must specify at least 1 address")
    named = {address for group in groups.values() if not group.any_will_do for address in group.addresses}
    everywhere = {address.version for address in named if address.is_unspecified}

    def once(address: Address, group: Group) -> bool:
        """Whether no other group listens there: 0.0.0.0 and :: are all addresses of their family."""
        if address.version in everywhere and not address.is_unspecified:
            return False
        return not (group.any_will_do and address in named)

    for word, group in groups.items():
        groups[word] = group._replace(addresses=tuple(each for each in group.addresses if once(each, group)))
    return [groups[word] for word in sorted(groups) if groups[word].addresses]


def explain(error: OSError, address: Address, port: int) -> ListenError:
    """Why that port could not be bound, with who holds it, which takes up to 0.3 s to find out."""
    return told(error, address, port, describe_holder(str(address), port) if error.errno == errno.EADDRINUSE else "")


def bind(port: int, groups: Sequence[Group], explain: Explain = explain) -> Bound:
    """Listen on ``port`` (0: any free one, the same on every address); raises ListenError and leaves nothing bound."""
    for attempt in range(EPHEMERAL_TRIES):
        bound = Bound(port)
        last = bool(port) or attempt == EPHEMERAL_TRIES - 1
        try:
            for group in groups:
                _bind_group(bound, group, explain, all_free=not last)
        except ListenError:
            bound.close()
            if last:
                raise
        else:
            bound.sockets.sort(key=lambda sock: str(sock.getsockname()[0]))
            return bound
    raise AssertionError("unreachable")


def _bind_group(bound: Bound, group: Group, explain: Explain, *, all_free: bool) -> None:
    """``all_free``: there are other numbers to try, so one that is held on any address will not do."""
    failures: list[ListenError] = []
    for index, address in enumerate(group.addresses):
        try:
            sock = listening_socket(address, bound.port)
        except OSError as error:
            failure = explain(error, address, bound.port)
            lacking = error.errno in _NO_FAMILY
            if not group.any_will_do or not (lacking or (index and not all_free)):
                # Held by somebody else: who connects there would not get us.
                raise failure from error
            failures.append(failure)
        else:
            bound.sockets.append(sock)
            bound.port = bound.port or sock.getsockname()[1]
    if len(failures) == len(group.addresses):
        raise failures[-1]
    bound.missing += [failure.what for failure in failures]


def listening_socket(address: Address, port: int) -> socket.socket:
    """One that listens there, and never blocks. Raises OSError."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind((str(address), port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def told(error: OSError, address: Address, port: int, holder: str) -> ListenError:
    """Why that port could not be bound; ``holder`` is who has it, or ""."""
    where = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    if error.errno == errno.EADDRINUSE:
        remedy = "choose another local port, or :REMOTE for any free one"
        return ListenError(f"{where} is in use{f' by {holder}' if holder else ''}", remedy=remedy)
    if error.errno in (errno.EACCES, errno.EPERM):
        return ListenError(f"{where} may not be bound by this user", remedy=low_port_remedy(port))
    if error.errno in _NO_FAMILY:
        return ListenError(f"{where} cannot be bound: this machine has no such address")
    return ListenError(f"{where} cannot be bound: {error.strerror}")


class Listeners:
    """The listening sockets of a run, and every connection that came in by them.

    ``tell`` gets one sentence when connections begin to be refused because this process may open no more files, and
    one when they are accepted again. One for each would be a flood, and libuv accepts and drops some unseen.
    """

    def __init__(self, buffer: ReadBuffer, tell: Callable[[str], None]) -> None:
        self._buffer = buffer
        self._tell = tell
        self._mark = descriptors.mark()
        self._refused = 0
        self._refused_at = 0.0
        self._servers: dict[Bound, list[asyncio.AbstractServer]] = {}
        self._accepted: set[socket.socket] = set()
        """Those that no task has taken yet, and no task may ever take: a run that fails cancels them all."""
        self._live: set[LocalConnection] = set()
        self._empty = asyncio.Event()
        self._closed = False

    @property
    def open(self) -> int:
        """Connections that came in and have not ended."""
        return len(self._live)

    async def serve(
        self, bound: Bound, accept: Callable[[LocalConnection], RemoteEnd | None], tasks: Background
    ) -> None:
        """Accept connections on every socket of ``bound``; ``accept`` gives each its opposite end, or has it reset."""
        loop = asyncio.get_running_loop()

        def admit(local: LocalConnection) -> RemoteEnd | None:
            # The event loop may have accepted one just before ``close``.
            return accept(local) if not self._closed and self._room(local) else None

        for sock in bound.sockets:

            def made(sock: socket.socket = sock) -> LocalConnection:
                self._accept_more(sock, admit, tasks)
                return self._made(admit)

            self._servers.setdefault(bound, []).append(await loop.create_server(made, sock=sock, backlog=1))
            sock.listen(BACKLOG)

    def stop(self, bound: Bound) -> None:
        """Listen there no longer; connections that came in go on."""
        for server in self._servers.pop(bound, ()):
            server.close()
        bound.close()

    def _accept_more(
        self, sock: socket.socket, admit: Callable[[LocalConnection], RemoteEnd | None], tasks: Background
    ) -> None:
        """Accept what came together with a connection; uvloop takes one in each of its turns, at less cost for one."""
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, _address = sock.accept()
            except OSError:
                return  # nothing more, or an error that the loop will meet as well
            if connection.fileno() >= self._mark:
                # At once: what is taken later would hold the last descriptors until then.
                self._count_refused()
                reset(connection)
                return
            self._accepted.add(connection)
            tasks.start(self._take(connection, admit), name="take an accepted connection")

    async def _take(self, sock: socket.socket, admit: Callable[[LocalConnection], RemoteEnd | None]) -> None:
        if sock not in self._accepted:
            return  # closed meanwhile
        self._accepted.remove(sock)
        try:
            await self.adopt(sock, admit)
        except OSError:
            sock.close()  # it is gone already

    async def adopt(self, sock: socket.socket, accept: Callable[[LocalConnection], RemoteEnd | None]) -> None:
        """Treat a connected socket as if it had been accepted."""
        await asyncio.get_running_loop().connect_accepted_socket(lambda: self._made(accept), sock)

    async def close(self, timeout: float) -> None:
        """Stop listening and reset what is still open; wait up to ``timeout`` seconds until all of it is gone."""
        self._closed = True
        for bound in list(self._servers):
            self.stop(bound)
        for sock in self._accepted:
            reset(sock)
        self._accepted.clear()
        self._empty.clear()
        for local in list(self._live):
            local.abort()
        if self._live:
            try:
                async with asyncio.timeout(timeout):
                    await self._empty.wait()
            except TimeoutError:
                pass  # The kernel ends what is left, with the process.

    def _room(self, local: LocalConnection) -> bool:
        if local.fd >= self._mark:
            self._count_refused()
            return False
        if self._refused and asyncio.get_running_loop().time() - self._refused_at >= QUIET:
            self._tell(f"connections are accepted again; {self._refused} or more were reset")
            self._refused = 0
        return True

    def failed(self, error: OSError) -> None:
        """The far side of a connection could not be had; that is told if it is for want of descriptors."""
        if error.errno == errno.EMFILE:
            self._count_refused()

    def _count_refused(self) -> None:
        if not self._refused:
            self._tell(
                f"this process may have {descriptors.limit()} files open, and nearly all are in use: new connections "
                f"are reset until others end ({descriptors.REMEDY})"
            )
        self._refused += 1
        self._refused_at = asyncio.get_running_loop().time()

    def _made(self, accept: Callable[[LocalConnection], RemoteEnd | None]) -> LocalConnection:
        local = LocalConnection(self._buffer, accept, self._gone)
        self._live.add(local)
        return local

    def _gone(self, local: LocalConnection) -> None:
        self._live.discard(local)
        if not self._live:
            self._empty.set()
