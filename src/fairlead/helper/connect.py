"""The connection with the main process that started us, and with no other: unix(7), SO_PEERCRED."""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Mapping

from fairlead.errors import MachineError
from fairlead.helper.processes import started
from fairlead.policy.hostsblock import Owner

_CREDENTIALS = struct.Struct("3i")
"""struct ucred: process, user and group id."""


def peer(sock: socket.socket) -> tuple[int, int]:
    """Process id and user id of who made the other end; for a pair of sockets, of who made both."""
    found = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(found)
    return int(pid), int(uid)


def check_user(uid: int, env: Mapping[str, str]) -> None:
    """Raise MachineError unless we were started for this user: by sudo, which says for whom, or by the user."""
    by = env.get("SUDO_UID") if os.geteuid() == 0 else None
    if str(uid) != (by if by is not None else str(os.geteuid())):
        raise MachineError(f"the helper was not started by user {uid}")


def connection(descriptor: int, uid: int, owner: Owner) -> socket.socket:
    """The connection that we were started with, if its other end was made by this process of this user.

    Or by root, as which ``sudo fairlead`` begins before it goes on as that user. Raises MachineError.
    """
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        raise MachineError(
            "the helper has no socket as its standard input",
            remedy="where sudo records what programs read, as by log_input, start fairlead itself with sudo",
        )
    sock = socket.socket(fileno=os.dup(descriptor))
    made = sock.family == socket.AF_UNIX and peer(sock) in ((owner.pid, uid), (owner.pid, 0))
    if not made or started(owner.pid) != owner.start:
        sock.close()
        raise MachineError(f"the helper's socket was not made by process {owner.pid} of user {uid}")
    return sock
