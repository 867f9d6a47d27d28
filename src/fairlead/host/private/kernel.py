"""The system calls that the standard library of Python 3.11 lacks; each raises OSError."""

from __future__ import annotations

import ctypes
import os

NEWNS, NEWUSER, NEWNET = 0x0002_0000, 0x1000_0000, 0x4000_0000
"""CLONE_NEW* (<linux/sched.h>)."""
CAP_NET_ADMIN = 12
"""<linux/capability.h>."""

_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAPABILITY_VERSION_3 = 0x2008_0522
_MS_BIND = 0x1000
_MS_NOSUID, _MS_NODEV = 0x2, 0x4
_MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def unshare(flags: int) -> None:
    """unshare(2)."""
    _check(_libc.unshare(flags))


def setns(descriptor: int, kind: int) -> None:
    """setns(2); to be called between fork and exec too, so it takes no lock."""
    _check(_libc.setns(descriptor, kind))


def keep_through_exec(capability: int) -> None:
    """Let programs that this process runs have a capability that it has (capabilities(7), ambient set)."""
    header, data = _Header(_CAPABILITY_VERSION_3, 0), (_Data * 2)()
    _check(_libc.capget(ctypes.byref(header), data))
    for each in data:
        each.inheritable |= each.permitted
    _check(_libc.capset(ctypes.byref(header), data))
    _check(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def mount_tmpfs(folder: str, *, size: int) -> None:
    """A file system in memory, of ``size`` bytes at most."""
    options = f"mode=0755,size={size}".encode()
    _check(_libc.mount(b"fairlead", os.fsencode(folder), b"tmpfs", _MS_NOSUID | _MS_NODEV, options))


def bind(source: str, target: str) -> None:
    """Show ``source`` in the place of ``target``."""
    _check(_libc.mount(os.fsencode(source), os.fsencode(target), None, _MS_BIND, None))


def detach(folder: str) -> None:
    """Unmount; what is still in use of it stays until it is not."""
    _check(_libc.umount2(os.fsencode(folder), _MNT_DETACH))


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
