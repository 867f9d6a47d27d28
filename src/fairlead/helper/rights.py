"""Root's rights put aside for a while (credentials(7))."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fairlead.errors import MachineError


@contextmanager
def only_those_of(uid: int, env: Mapping[str, str]) -> Iterator[None]:
    """Files are touched as this user touches them. For root only; nothing happens for any other user."""
    if os.geteuid() != 0 or uid == 0:
        yield
        return
    gid, groups = _groups(uid, env)
    before = os.getegid(), os.getgroups()
    try:
        os.setgroups(groups)
        os.setegid(gid)
        os.seteuid(uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(before[0])
        os.setgroups(before[1])


def _groups(uid: int, env: Mapping[str, str]) -> tuple[int, list[int]]:
    try:
        user = pwd.getpwuid(uid)
        return user.pw_gid, os.getgrouplist(user.pw_name, user.pw_gid)
    except KeyError:
        gid = env.get("SUDO_GID", "")  # a user of a directory that is not reached now
        if not gid.isdecimal():
            raise MachineError(f"there is no user {uid}") from None
        return int(gid), [int(gid)]
