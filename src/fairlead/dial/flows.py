"""Datagrams to the laptop's own network: a connected UDP socket for each pair of ends, as a NAT has it."""

from __future__ import annotations

import asyncio
import errno
import select
import socket
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple, TypeAlias

from fairlead.kit import log
from fairlead.net import descriptors
from fairlead.protocol.ip import End

UNANSWERED = 30.0
"""Seconds without a datagram after which a flow ends that was never answered (nf_conntrack_udp_timeout)."""
ANSWERED = 120.0
"""The same for one that was (nf_conntrack_udp_timeout_stream)."""
MOST = 4096
"""Flows at once, and no more than a quarter of the descriptors that this process may have."""
AT_ONCE = 32
"""Answers that are read in one turn of the event loop, a millisecond's work."""

Answered: TypeAlias = Callable[[memoryview, End, End], None]
"""A payload, and the source and destination of the flow that it answers. The bytes are there until the call returns."""
Refused: TypeAlias = Callable[[End, End], None]
"""Nobody takes what that source sends to that destination."""

_DATAGRAM = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_PASSING = (errno.EAGAIN, errno.ENOBUFS, errno.EMSGSIZE)
"""What concerns one datagram; anything else may be an address of ours that is gone: the next gets a new socket."""
_UNREACHABLE = (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH)

_log = log.get(__name__)


class _Ends(NamedTuple):
    source: End
    destination: End


class _Flow:
    __slots__ = ("descriptor", "ends", "queue", "sock", "used")

    def __init__(self, ends: _Ends, sock: socket.socket, queue: _Queue, now: float) -> None:
        self.ends = ends
        self.sock = sock
        self.descriptor = sock.fileno()
        self.used = now
        self.queue = queue
        queue[self.descriptor] = self

    def touch(self, queue: _Queue, now: float) -> None:
        """Be the last of ``queue`` to end."""
        self.used = now
        if queue is not self.queue:
            queue[self.descriptor] = self.queue.pop(self.descriptor)
            self.queue = queue
        queue.move_to_end(self.descriptor)


_Queue: TypeAlias = OrderedDict[int, _Flow]
"""By descriptor, the longest idle first."""


class Flows:
    """Sends datagrams on, and hands back what comes in answer. What cannot be sent is dropped, as UDP may.

    Multicast is dropped, as are IPv6 addresses that need a scope. Broadcasts are sent; who answers one is another than
    it was sent to, so that answers do not come back.
    """

    def __init__(self, answered: Answered, refused: Refused) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_answer = answered
        self._on_refusal = refused
        self._most = min(MOST, descriptors.limit() // 4)
        self._mark = descriptors.mark()
        self._flows: dict[_Ends, _Flow] = {}
        self._unanswered: _Queue = OrderedDict()
        self._answered: _Queue = OrderedDict()
        self._queues = ((self._unanswered, UNANSWERED), (self._answered, ANSWERED))
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = memoryview(bytearray(65536))
        # One epoll of our own for all: uvloop's add_reader forgets a socket that has an error, and a refusal is one.
        self._ready = select.epoll()
        self._loop.add_reader(self._ready.fileno(), self._read)

    def __len__(self) -> int:
        return len(self._flows)

    def send(self, payload: bytes | memoryview, source: End, destination: End) -> None:
        """Send one datagram of ``source`` to ``destination``."""
        ends = _Ends(source, destination)
        flow = self._flows.get(ends) or self._open(ends)
        if flow is None:
            return
        flow.touch(flow.queue, self._loop.time())
        for _ in range(2):
            try:
                flow.sock.send(payload)
            except ConnectionRefusedError:
                self._on_refusal(source, destination)  # that was about an earlier one, and this one has not left
            except OSError as error:
                self._failed(ends, error)
                if error.errno not in _PASSING and self._flows.get(ends) is flow:
                    self._end(flow)
                return
            else:
                return

    def close(self) -> None:
        """End all flows."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._ready.closed:
            self._loop.remove_reader(self._ready.fileno())
            self._ready.close()
        for flow in list(self._flows.values()):
            self._end(flow)

    def _open(self, ends: _Ends) -> _Flow | None:
        address = ip_address(ends.destination[0])
        if address.is_multicast or self._ready.closed:
            return None
        if len(self._flows) >= self._most:
            self._end(min((next(iter(queue.values())) for queue, _ in self._queues if queue), key=_used))
        try:
            sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, _DATAGRAM)
        except OSError as error:
            self._failed(ends, error)
            return None
        try:
            if sock.fileno() >= self._mark:
                raise OSError(errno.EMFILE, "the last descriptors are for lanes")
            if address.version == 4:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.connect(ends.destination)
            self._ready.register(sock.fileno(), select.EPOLLIN)
        except OSError as error:
            sock.close()
            self._failed(ends, error)
            return None
        flow = self._flows[ends] = _Flow(ends, sock, self._unanswered, self._loop.time())
        self._arm()
        return flow

    def _failed(self, ends: _Ends, error: OSError) -> None:
        _log.request("a datagram to %s port %d is dropped: %s", *ends.destination, error.strerror)
        if error.errno in _UNREACHABLE:
            self._on_refusal(*ends)

    def _read(self) -> None:
        ready = self._ready.poll(0, AT_ONCE)
        for descriptor, _events in ready:
            flow = self._unanswered.get(descriptor) or self._answered.get(descriptor)
            if flow is None:
                continue  # ended by what one before it brought about
            for _ in range(AT_ONCE // len(ready)):
                if not self._read_one(flow):
                    break

    def _read_one(self, flow: _Flow) -> bool:
        """Whether there may be more."""
        if flow.sock.fileno() < 0:
            return False
        try:
            count = flow.sock.recv_into(self._buffer)
        except BlockingIOError:
            return False
        except OSError as error:
            self._failed(flow.ends, error)
            return True
        flow.touch(self._answered, self._loop.time())
        self._on_answer(self._buffer[:count], *flow.ends)
        return True

    def _end(self, flow: _Flow) -> None:
        del flow.queue[flow.descriptor], self._flows[flow.ends]
        flow.sock.close()  # which takes it out of the epoll too

    def _arm(self) -> None:
        """Look again when the next may be due; that of a flow that is still to come is no sooner than UNANSWERED."""
        if self._timer is None and self._flows:
            due = [next(iter(queue.values())).used + idle for queue, idle in self._queues if queue]
            self._timer = self._loop.call_at(min(*due, self._loop.time() + UNANSWERED), self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        now = self._loop.time()
        for queue, idle in self._queues:
            while queue and (flow := next(iter(queue.values()))).used + idle <= now:
                self._end(flow)
        self._arm()


def _used(flow: _Flow) -> float:
    return flow.used
