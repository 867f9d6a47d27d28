"""System calls for namespaces and mounts that the standard library lacks; each raises OSError, and takes no lock."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from fairlead.host.private.kernel import NEWNET, NEWNS, NEWUSER, setns, unshare

__all__ = [
    "BIND", "NEWIPC", "NEWNET", "NEWNS", "NEWPID", "NEWUSER", "NEWUTS", "NODEV", "NOEXEC", "NOSUID", "RDONLY", "REC",
    "REMOUNT", "among", "end_with_parent", "mount", "pivot_root", "set_hostname", "setns", "unshare", "unshared",
]  # fmt: skip

NEWUTS, NEWIPC, NEWPID = 0x0400_0000, 0x0800_0000, 0x2000_0000
"""CLONE_NEW* (<linux/sched.h>)."""
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT = 0x1, 0x2, 0x4, 0x8, 0x20
BIND, REC = 0x1000, 0x4000
"""MS_* (<linux/mount.h>)."""

_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}

_libc = ctypes.CDLL(None, use_errno=True)
_PIVOT_ROOT = _SYS_PIVOT_ROOT.get(os.uname().machine, 217)


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    _check(_libc.mount(*words, ctypes.c_ulong(flags), options.encode() or None))


def pivot_root(folder: str) -> None:
    """Let this folder, a mount point, be all that there is: the root, and the folder that we are in."""
    os.chdir(folder)
    # The old root comes to lie over the new one, and is taken away (pivot_root(2)).
    _check(_libc.syscall(ctypes.c_long(_PIVOT_ROOT), b".", b"."))
    _check(_libc.umount2(b".", _MNT_DETACH))
    os.chdir("/")


def set_hostname(name: str) -> None:
    """Of this UTS namespace."""
    raw = name.encode()
    _check(_libc.sethostname(raw, ctypes.c_size_t(len(raw))))


def end_with_parent(number: int) -> None:
    """Have the kernel send us this signal when our parent ends; it forgets that when our rights change."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(number), 0, 0, 0))


@contextmanager
def unshared(flags: int) -> Iterator[None]:
    """New namespaces for this process while the block runs, which what it forks then keeps.

    Of processes a namespace is made for what is forked, not for ourselves (pid_namespaces(7)).
    """
    back = [
        (flag, os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)) for flag, name in _NAMES if flag & flags
    ]
    try:
        unshare(flags)
        try:
            yield
        finally:
            for flag, descriptor in back:
                setns(descriptor, flag)
    finally:
        for _, descriptor in back:
            os.close(descriptor)


@contextmanager
def among(processes: int) -> Iterator[None]:
    """What is forked while the block runs is in this process namespace, a descriptor."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(processes, NEWPID)
        try:
            yield
        finally:
            setns(own, NEWPID)
    finally:
        os.close(own)


_NAMES = ((NEWNET, "net"), (NEWUTS, "uts"), (NEWIPC, "ipc"), (NEWPID, "pid"))


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
