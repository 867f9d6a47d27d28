"""Where the helper's rights come from, and how a program that sudo started goes on as the user who typed it."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from typing import NamedTuple

from fairlead.errors import MachineError
from fairlead.host.helper_start import Early
from fairlead.host.ports import lowest_free, without_root
from fairlead.kit.process import in_foreground

PROMPT = "[fairlead] password of %p, to write the hosts file and to open low ports: "
"""What sudo(8) asks with; %p is whose password it wants."""

_CAP_NET_BIND_SERVICE = 10
"""capabilities(7)."""
_PR_SET_DUMPABLE = 4
"""prctl(2)."""
_BY_SUDO = frozenset(
    {"HOME", "LOGNAME", "MAIL", "PATH", "SHELL", "TERM", "USER", "USERNAME", "XAUTHORITY", "XDG_RUNTIME_DIR"}
)
"""Variables that sudo sets by itself; others that the user did not have were meant to be passed."""


class Invoker(NamedTuple):
    """The user who typed ``sudo fairlead``."""

    uid: int
    gid: int
    name: str
    home: str


def helper_prefix(hosts_file: str, lowest_port: int, *, ask: bool = True) -> tuple[str, ...]:
    """The command before the helper's that gives it the rights it needs: nothing, or sudo.

    ``lowest_port`` is the lowest that it may have to bind, 0 if none; ``ask`` whether the user may be asked for a
    password. Raises MachineError where there is no way.
    """
    lacking = _lacking(hosts_file, lowest_port)
    if not lacking:
        return ()
    from shutil import which  # with its compressors, which a run that needs no sudo has no use for

    if which("sudo") is None:
        raise MachineError(f"this user {' and '.join(lacking)}, and there is no sudo", remedy=without_root())
    # In the background of a terminal sudo would be stopped.
    return ("sudo", "-p", PROMPT) if ask and in_foreground() else ("sudo", "-n")


def _lacking(hosts_file: str, lowest_port: int) -> list[str]:
    if os.geteuid() == 0:
        return []
    found = []
    if not os.access(hosts_file, os.W_OK):
        found.append(f"may not write {hosts_file}")
    if 0 < lowest_port < lowest_free() and not _may_bind_low():
        found.append(f"may not open ports below {lowest_free()}")
    return found


def _may_bind_low() -> bool:
    """Whether this Python was given the right (setcap(8)); the helper is run by it too."""
    try:
        with open("/proc/self/status") as file:
            effective = next(line for line in file if line.startswith("CapEff:"))
    except (OSError, StopIteration):
        return False
    return bool(int(effective.split()[1], 16) >> _CAP_NET_BIND_SERVICE & 1)


def invoker(env: Mapping[str, str]) -> Invoker | None:
    """Who typed ``sudo fairlead``; None if it was not started so, or by root."""
    uid = env.get("SUDO_UID", "")
    if os.geteuid() != 0 or not uid.isdecimal() or int(uid) == 0:
        return None
    try:
        user = pwd.getpwuid(int(uid))
        return Invoker(user.pw_uid, user.pw_gid, user.pw_name, user.pw_dir)
    except KeyError:
        raise MachineError(f"there is no user {uid}, for whom sudo started this") from None


def become(user: Invoker, env: MutableMapping[str, str], hosts_file: str, *, with_helper: bool = True) -> Early | None:
    """Start a helper as root, and go on as ``user`` for good, with that user's environment in ``env``.

    Without ``with_helper`` no helper is started. To be called before anything is read or written, and before there are
    other threads. Raises MachineError.
    """
    wanted = environment(user, env, *_of_sudo("/proc"))
    early = Early(hosts_file, user.uid, wanted) if with_helper else None
    try:
        remove_bytecode(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), user.uid)
        os.initgroups(user.name, user.gid)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    except OSError as error:
        if early is not None:
            early.forget()
        raise MachineError(f"cannot go on as {user.name}: {error.strerror}") from error
    if sys.platform == "linux":
        import ctypes  # which costs a start more than all else that is done here

        # Its files in /proc became root's; the user's other runs are to see which ports this one holds.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    env.clear()
    env.update(wanted)
    return early


def environment(
    user: Invoker, env: Mapping[str, str], before: Mapping[str, str], words: Collection[str] = ()
) -> dict[str, str]:
    """The user's environment: what sudo was started with (``before``), and what its ``words`` told it to set."""
    passed = {
        name: value
        for name, value in env.items()
        if f"{name}={value}" in words or (name not in before and name not in _BY_SUDO)
    }
    found = {name: value for name, value in {**before, **passed}.items() if not name.startswith("SUDO_")}
    found.setdefault("PATH", env.get("PATH", os.defpath))
    found.setdefault("TERM", env.get("TERM", "dumb"))
    found |= {"USER": user.name, "LOGNAME": user.name}
    if not os.path.isabs(found.get("HOME", "")):
        found["HOME"] = user.home
    runtime = f"/run/user/{user.uid}"
    if "XDG_RUNTIME_DIR" not in found and _belongs(runtime, user.uid):
        found["XDG_RUNTIME_DIR"] = runtime
    return found


def _belongs(path: str, uid: int) -> bool:
    try:
        return os.lstat(path).st_uid == uid
    except OSError:
        return False


def _of_sudo(proc: str) -> tuple[dict[str, str], list[str]]:
    """Environment and words of the sudo that started us, as it was started; empty if it is not there any more."""
    for pid in _ancestors(proc):
        try:
            with open(f"{proc}/{pid}/comm") as file:
                if file.read().strip() != "sudo":
                    continue
            pairs = (word.partition("=") for word in _words(f"{proc}/{pid}/environ"))
            return {name: value for name, _, value in pairs if name}, _words(f"{proc}/{pid}/cmdline")
        except OSError:
            break
    return {}, []


def _words(path: str) -> list[str]:
    with open(path, "rb") as file:
        return [os.fsdecode(word) for word in file.read().split(b"\0")]


def _ancestors(proc: str) -> Iterable[int]:
    pid = os.getppid()
    while pid > 1:
        yield pid
        try:
            with open(f"{proc}/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            return


def remove_bytecode(package: str, uid: int) -> None:
    """Remove what root's Python has compiled beside modules of this user's, before it was told not to."""
    try:
        folder = os.open(package, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        # By descriptors: nothing that the user does to the paths meanwhile leads anywhere else.
        if os.fstat(folder).st_uid != uid:
            return
        cache = os.open("__pycache__", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            for name in os.listdir(cache):
                if name.endswith(".pyc") and os.stat(name, dir_fd=cache, follow_symlinks=False).st_uid == 0:
                    os.unlink(name, dir_fd=cache)
            if os.fstat(cache).st_uid == 0:
                os.rmdir("__pycache__", dir_fd=folder)
        finally:
            os.close(cache)
    except OSError:
        pass  # there is none, or not only ours in it
    finally:
        os.close(folder)
