"""Where the helper's rights come from, and how a program that sudo started goes on as the user who typed it."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from typing import NamedTuple

from fairlead.errors import MachineError
from fairlead.host.children import has_terminal
from fairlead.host.helper_start import Early, Rights
from fairlead.host.hosts import is_system
from fairlead.host.ports import lowest_free
from fairlead.kit.process import in_foreground

PROMPT = "[fairlead] password of %p, to "
"""How begins what sudo(8) asks with; %p is whose password it wants."""

_HIGHER = 8000
"""What is added to a low port for one that is easily remembered: 8080, 8443."""
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


class LowPort(NamedTuple):
    """The lowest local port that a helper may have to bind, and what for."""

    number: int = 0
    """0 if there is none."""
    service: str = ""
    port: int = 0
    """Of the service, as ``-m`` takes it; 0 if it is no such port."""

    def __str__(self) -> str:
        if self.port in (0, self.number):
            return f"{self.service}:{self.number}"
        return f"local port {self.number} for {self.service}:{self.port}"


NO_PORT = LowPort()


def helper_rights(hosts_file: str, lowest: LowPort = NO_PORT, *, ask: bool = True, to_remove: bool = False) -> Rights:
    """What it takes to change this file and to bind this port: nothing, or sudo.

    ``ask`` is whether the user may be asked for a password; ``to_remove`` that names are only to go. Raises
    MachineError where there is no way.
    """
    if os.geteuid() == 0:
        return Rights()
    locked = not os.access(hosts_file, os.W_OK)
    if locked and not is_system(hosts_file):
        # Whoever the helper is, it touches such a file with this user's rights.
        raise MachineError(f"{hosts_file} may not be written by this user", remedy=_unlock(hosts_file))
    low = 0 < lowest.number < lowest_free() and not _may_bind_low()
    if not locked and not low:
        return Rights()
    remedies = [] if to_remove else _without_root(locked, lowest if low else NO_PORT)
    why = _why(hosts_file if locked else "", str(lowest) if low else "")
    from shutil import which  # with its compressors, which a run that needs no sudo has no use for

    if which("sudo") is None:
        raise MachineError(f"{why}, and there is no sudo", remedy="; ".join(remedies))
    if ask and in_foreground():
        return Rights(("sudo", "-p", _prompt(hosts_file, locked, low, to_remove)), why, "; ".join(remedies))
    if ask and has_terminal():
        # In its background sudo would be stopped.
        remedies.insert(0, "start it in the foreground, or run sudo -v first")
    return Rights(("sudo", "-n"), why, "; ".join(remedies))


def _unlock(hosts_file: str) -> str:
    try:
        ours = os.stat(hosts_file).st_uid == os.geteuid()
    except OSError:
        ours = False
    return f"chmod u+w {hosts_file}" if ours else "--hosts-file names another"


def _why(hosts_file: str, port: str) -> str:
    if hosts_file and port:
        return f"{hosts_file} needs root, and so does {port}, as a port below {lowest_free()}"
    return f"{hosts_file} needs root" if hosts_file else f"{port} needs root, as a port below {lowest_free()}"


def _without_root(locked: bool, lowest: LowPort) -> list[str]:
    found = ["--hosts-file names a file of your own"] if locked else []
    if lowest.port:
        found.append(f"-m {lowest.port}:{_HIGHER + lowest.number} listens on another port")
    return found


def _prompt(hosts_file: str, locked: bool, low: bool, to_remove: bool) -> str:
    if to_remove:
        aim = f"remove the names from {hosts_file.replace('%', '%%')}"
    else:
        aim = " and to ".join([*["write the hosts file"] * locked, *["open low ports"] * low])
    return f"{PROMPT}{aim}: "


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
