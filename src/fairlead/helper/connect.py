"""The way to the main process that started us, and to no other: unix(7), SO_PEERCRED."""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Mapping

from fairlead.errors import MachineError
from fairlead.helper.processes import started
from fairlead.policy.hostsblock import Owner

PATIENCE = 10.0
"""Seconds for the connection."""

_CREDENTIALS = struct.Struct("3i")
"""struct ucred: process, user and group id."""


def peer(sock: socket.socket) -> tuple[int, int]:
    """Process id and user id of who opened the other end (who listened there, for a connection that was made)."""
    found = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(found)
    return int(pid), int(uid)


def check_user(uid: int, env: Mapping[str, str]) -> None:
    """Raise MachineError unless we were started for this user: by sudo, which says for whom, or by the user."""
    by = env.get("SUDO_UID") if os.geteuid() == 0 else None
    if str(uid) != (by if by is not None else str(os.geteuid())):
        raise MachineError(f"the helper was not started by user {uid}")


def connect(path: str, uid: int, owner: Owner) -> socket.socket:
    """A connection to this process of this user, by a socket in a folder that is that user's alone.

    Raises MachineError. What the path leads to may change at any time; whom the connection leads to may not, so that
    is looked at last.
    """
    _check_place(path, uid)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(PATIENCE)
        sock.connect(path)
        if peer(sock) != (owner.pid, uid) or started(owner.pid) != owner.start:
            raise MachineError(f"{path} is not the socket of process {owner.pid} of user {uid}")
        sock.settimeout(None)
    except OSError as error:
        sock.close()
        raise MachineError(f"cannot connect to {path}: {error.strerror or error}") from error
    except BaseException:
        sock.close()
        raise
    return sock


def _check_place(path: str, uid: int) -> None:
    if not os.path.isabs(path):
        raise MachineError(f"{path} is not an absolute path")
    for place, is_kind, kind in ((os.path.dirname(path), stat.S_ISDIR, "folder"), (path, stat.S_ISSOCK, "socket")):
        try:
            found = os.lstat(place)
        except OSError as error:
            raise MachineError(f"cannot connect to {path}: {error.strerror}") from error
        if not is_kind(found.st_mode) or found.st_uid != uid or found.st_mode & 0o022:
            raise MachineError(f"{place} is not a {kind} of user {uid} alone")
