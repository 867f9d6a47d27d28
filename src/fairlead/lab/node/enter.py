"""How the node's namespaces come to be, and what is first in them: a process that only reaps and ends.

    outer ---fork--- entry ---fork--- init (pid 1 inside) ---fork--- main

``entry`` made the namespaces and waits for ``init``, since who makes a process namespace is not in it. ``init`` ends
when ``main`` does, and with it the kernel ends all that is inside. ``link`` joins ``outer`` and ``main``: its end tells
``main`` to give everything back, for which ``init`` leaves it ``GRACE``. When ``entry`` is killed, ``init`` is, too.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Collection
from typing import NamedTuple, NoReturn

from fairlead.host.private.setup import StepError
from fairlead.lab.node import kernel, links, maps

GRACE = 0.7
"""Seconds that main has to give back what it can when the outer process is gone: all is over within one."""
SCRATCH_BYTES = 512 << 20
"""Of memory, that volumes and logs may take."""

_ENDED = 125
"""Our exit code where main had to be ended, or could not begin."""


class Entered(NamedTuple):
    """The namespaces as the outer process has them."""

    process: int
    """To be waited for; its exit code is main's."""
    link: socket.socket
    """Closing it ends everything."""


def start(main: Callable[[socket.socket], int], *, scratch: str, hostname: str, keep: Collection[int] = ()) -> Entered:
    """Call ``main`` with its end of the link in new namespaces with a network; its return value is its exit code.

    ``scratch`` is a folder that has a file system of its own in memory inside. Of our descriptors main has the three
    standard ones and those to ``keep``. To be called where there is no other thread. Raises StepError.
    """
    ours, theirs = socket.socketpair()
    heard, told = os.pipe()
    sys.stdout.flush()
    process = os.fork()
    if not process:
        _guarded(lambda: _enter(main, theirs, told, scratch, hostname, keep))
    theirs.close()
    os.close(told)
    with open(heard, "rb") as file:
        said = file.read()
    if said == b"made":
        return Entered(process, ours)
    ours.close()
    os.waitpid(process, 0)
    raise StepError(*(json.loads(said) if said else ("unshare", 0, "the process that makes them was killed")))


def _guarded(work: Callable[[], int]) -> NoReturn:
    """A forked process ends here, whatever happens: above is somebody else's code."""
    code = _ENDED
    try:
        code = work()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        os._exit(code)


def _enter(
    main: Callable[[socket.socket], int],
    link: socket.socket,
    told: int,
    scratch: str,
    hostname: str,
    keep: Collection[int],
) -> int:
    os.setsid()  # the terminal's keys are not for us
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _close_all_but(link.fileno(), told, *keep)

    def init() -> int:
        kernel.end_with_parent(signal.SIGKILL)
        try:
            _step("proc", lambda: kernel.mount("proc", "/proc", "proc", kernel.NOSUID | kernel.NODEV | kernel.NOEXEC))
            size = f"mode=0700,size={SCRATCH_BYTES}"
            _step("scratch", lambda: kernel.mount("lab", scratch, "tmpfs", kernel.NOSUID | kernel.NODEV, size))
            _step("hostname", lambda: kernel.set_hostname(hostname))
            _step("network", links.make_node)
        except StepError as error:
            _tell(told, error)
            return _ENDED
        return _be_init(main, link, told)

    try:
        _make()
        child = _step("fork", os.fork)
    except StepError as error:
        _tell(told, error)
        return _ENDED
    if not child:
        _guarded(init)
    _close_all_but()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF


def _make() -> None:
    """New namespaces, in which our user is root."""
    uid, gid = os.getuid(), os.getgid()
    map_all = _whole_maps() if uid == 0 else None
    kinds = kernel.NEWUSER | kernel.NEWPID | kernel.NEWNS | kernel.NEWNET | kernel.NEWUTS | kernel.NEWIPC
    _step("unshare", lambda: kernel.unshare(kinds))
    if map_all is None or not map_all():
        # A container's root may have no right to more than this.
        files = (("setgroups", "deny"), ("uid_map", maps.single(0, uid)), ("gid_map", maps.single(0, gid)))
        _step("map", lambda: write_maps("self", files))


def _whole_maps() -> Callable[[], bool]:
    """A function to call in the new namespace: all users and groups are in it then; whether that worked.

    Only somebody outside may do that, so another process does.
    """
    files = []
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/self/{name}") as file:
            files.append((name, maps.whole(file.read())))
    process, (told, tell) = os.getpid(), os.pipe()
    helper = os.fork()
    if not helper:
        os.close(tell)

        def work() -> int:
            if os.read(told, 1):
                write_maps(process, files)
            return 0

        _guarded(work)
    os.close(told)

    def now() -> bool:
        os.write(tell, b"x")
        os.close(tell)
        return os.waitpid(helper, 0)[1] == 0

    return now


def write_maps(process: int | str, files: Collection[tuple[str, str]]) -> None:
    """Raises OSError."""
    for name, text in files:
        with open(f"/proc/{process}/{name}", "w") as file:
            file.write(text)


def _be_init(main: Callable[[socket.socket], int], link: socket.socket, told: int) -> int:
    woken, wake = os.pipe()
    for descriptor in (woken, wake):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = os.fork()
    if not child:

        def work() -> int:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            for descriptor in (woken, wake, told):
                os.close(descriptor)
            return main(link)

        _guarded(work)
    os.write(told, b"made")
    _close_all_but(link.fileno(), woken, wake)
    return _reap(child, link.fileno(), woken)


def _reap(main: int, link: int, woken: int) -> int:
    """Until main has ended, or has to; its exit code."""
    poll = select.poll()
    poll.register(woken, select.POLLIN)
    poll.register(link, 0)  # its end is told unasked
    until: float | None = None
    while until is None or time.monotonic() < until:
        for descriptor, _ in poll.poll(None if until is None else max(0.0, until - time.monotonic()) * 1000):
            if descriptor == link:
                poll.unregister(link)
                until = time.monotonic() + GRACE
            else:
                os.read(woken, 4096)
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == main:
                return os.waitstatus_to_exitcode(status) & 0xFF
            if not process:
                break
    return _ENDED


def _step(name: str, work: Callable[[], object]) -> int:
    try:
        done = work()
    except OSError as error:
        raise StepError(name, error.errno or 0, error.strerror or str(error)) from error
    return done if isinstance(done, int) else 0


def _tell(told: int, error: StepError) -> None:
    os.write(told, json.dumps([error.step, error.number, error.text]).encode())


def _close_all_but(*keep: int) -> None:
    """But those and the standard ones: whoever waits for the end of a pipe, or for a lock, must not wait for us."""
    before = 2
    for descriptor in (*sorted(keep), os.sysconf("SC_OPEN_MAX")):
        os.closerange(before + 1, descriptor)
        before = descriptor
