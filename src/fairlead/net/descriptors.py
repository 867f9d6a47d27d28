"""How many files (descriptors) this process may have open, and what is said when there are no more.

Each local connection is one, each lane another, and so is each request to the API server. The last ones are kept free,
in steps: what listens leaves LISTENERS_LEAVE to connections, these leave RESERVE to lanes, and lanes leave half of that
to requests and to the accepting of what is then refused. An event loop that can accept nothing tells nobody: asyncio
waits for a second, and libuv accepts and closes whatever comes.
"""

from __future__ import annotations

import errno
import os
import resource

from fairlead.errors import MachineError

RESERVE = 64
"""Descriptors that connections leave free where the limit is 256 or more, otherwise a quarter of it."""
LISTENERS_LEAVE = 512
"""Descriptors that listening leaves free where the limit is 1024 or more, otherwise half of it: a name that nobody can
connect to is worse than none."""
MINIMUM = 48
"""Descriptors that a run needs for itself, one lane and a few connections; an event loop alone has about twelve."""
REMEDY = "start it with a higher limit: ulimit -n 65536; limits.conf and systemd's LimitNOFILE set what a user may have"


def limit() -> int:
    """The number of descriptors this process may have (RLIMIT_NOFILE), soon after its start the most it can get."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return soft if soft != resource.RLIM_INFINITY else 1 << 30


def mark() -> int:
    """The descriptor from which on connections are refused. The kernel hands out the lowest free number."""
    most = limit()
    return most - min(RESERVE, most // 4)


def require_room() -> None:
    """Raise OSError (EMFILE) when the next descriptor is one of those that connections leave free."""
    if next_one() >= mark():
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def listeners_mark() -> int:
    """The descriptor from which on nothing more is listened on."""
    most = limit()
    return most - min(LISTENERS_LEAVE, most // 2)


def require_minimum() -> None:
    """Raise MachineError when the limit is so low that a run would break anywhere."""
    if limit() < MINIMUM:
        raise MachineError(f"this process may have {limit()} files open, and needs {MINIMUM}", remedy=REMEDY)


def next_one() -> int:
    """The number that the next descriptor will have; that of the limit if there can be none."""
    try:
        return _next_one()
    except OSError:
        return limit()


def require_spare() -> None:
    """Raise MachineError when the next descriptor belongs to the half of the reserve that lanes leave free."""
    most = limit()
    try:
        lowest = _next_one()
    except OSError as error:
        raise shortage(error) or error from error
    if lowest >= most - min(RESERVE, most // 4) // 2:
        raise _shortage()


def shortage(error: OSError) -> MachineError | None:
    """What to raise instead of an error that says that there are no descriptors, None for any other error."""
    if error.errno == errno.EMFILE:
        return _shortage()
    if error.errno == errno.ENFILE:
        return MachineError("this machine has no file descriptors left", remedy="sysctl fs.file-max is their number")
    return None


def _next_one() -> int:
    lowest = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.close(lowest)
    return lowest


def _shortage() -> MachineError:
    return MachineError(f"this process may have {limit()} files open, and all are in use", remedy=REMEDY)
