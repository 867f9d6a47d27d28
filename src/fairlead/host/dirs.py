"""The folders of a user's own files (XDG Base Directory Specification), made when first asked for, mode 0700."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from fairlead.errors import MachineError

_NAME = "fairlead"


def cache(env: Mapping[str, str]) -> str:
    """What may be deleted at any time."""
    return _made(cache_place(env), "XDG_CACHE_HOME")


def cache_place(env: Mapping[str, str]) -> str:
    """Where ``cache`` is, made or not."""
    return os.path.join(_base(env, "XDG_CACHE_HOME", ".cache"), _NAME)


def state(env: Mapping[str, str]) -> str:
    """What has to outlive a run, and can be made anew if it is lost."""
    return _made(state_place(env), "XDG_STATE_HOME")


def state_place(env: Mapping[str, str]) -> str:
    """Where ``state`` is, made or not."""
    return os.path.join(_base(env, "XDG_STATE_HOME", ".local/state"), _NAME)


def runtime(env: Mapping[str, str]) -> str | None:
    """What lives no longer than the user's sessions; None where the system has no such place."""
    base = env.get("XDG_RUNTIME_DIR", "")
    if not os.path.isabs(base) or not os.path.isdir(base) or os.stat(base).st_uid != os.getuid():
        return None
    return _made(os.path.join(base, _NAME), "XDG_RUNTIME_DIR")


def _base(env: Mapping[str, str], variable: str, default: str) -> str:
    given = env.get(variable, "")
    if os.path.isabs(given):  # the specification has relative ones ignored
        return given
    home = env.get("HOME", "")
    if not os.path.isabs(home):
        raise MachineError("there is no home folder", remedy=f"set HOME or {variable}")
    return os.path.join(home, default)


def _made(path: str, variable: str) -> str:
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            _check(path)
    except OSError as error:
        remedy = f"set {variable} to a folder that you may write"
        raise MachineError(f"cannot use the folder {path}: {error.strerror}", remedy=remedy) from error
    return path


def _check(path: str) -> None:
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise MachineError(f"{path} is not a folder of this user", remedy="remove it")
    if found.st_mode & 0o077:
        os.chmod(path, 0o700)
