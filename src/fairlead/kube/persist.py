"""Refreshed tokens go back into the kubeconfig they came from."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from typing import Any

from fairlead.errors import ConfigError
from fairlead.kube.config import load_yaml


def write_back(path: str, user: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Replace the auth-provider config ``old`` of ``user`` in the file ``path`` by ``new``.

    Held by the lock file that client-go uses; the new file replaces the old one at once and keeps its mode. Where the
    old values stand in the text as they are, nothing else changes. Raises ConfigError.
    """
    path = os.path.realpath(path)
    lock = f"{path}.lock"
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise ConfigError(f"{path} is locked", remedy=f"if no other tool is writing it, remove {lock}") from error
    except OSError as error:
        raise ConfigError(f"{lock} cannot be made: {error.strerror}") from error
    try:
        with open(path, "rb") as file:
            text = file.read()
        _replace(path, edit(text, path, user, old, new))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        os.unlink(lock)


def edit(text: bytes, path: str, user: str, old: Mapping[str, str], new: Mapping[str, str]) -> bytes:
    """``text`` with the changed values in place: in the text if they stand there once, else by writing it anew.

    What is returned means the old document with the new values and nothing else. Raises ConfigError.
    """
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    wanted = load_yaml(text, path)
    _config_of(wanted, user, path).update(changed)
    if all(old.get(key) and text.count(old[key].encode()) == 1 for key in changed):
        edited = text
        for key, value in changed.items():
            edited = edited.replace(old[key].encode(), value.encode())
        if _means(edited, wanted):
            return edited
    if text.lstrip()[:1] == b"{":
        written = json.dumps(wanted, indent=2).encode() + b"\n"
    else:
        import yaml

        written = bytes(yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True, encoding="utf-8"))
    if not _means(written, wanted):
        raise ConfigError(f"{path} has something in it that we cannot write")
    return written


def _means(text: bytes, wanted: Any) -> bool:
    try:
        return bool(load_yaml(text, "") == wanted)
    except ConfigError:
        return False


def _config_of(document: Any, user: str, path: str) -> dict[str, str]:
    try:
        entry = next(item for item in document["users"] if item["name"] == user)
        found: dict[str, str] = entry["user"]["auth-provider"]["config"]
    except (KeyError, TypeError, StopIteration) as error:
        raise ConfigError(f'{path} no longer has the auth-provider of user "{user}"') from error
    return found


def _replace(path: str, text: bytes) -> None:
    mode = os.stat(path).st_mode & 0o777
    descriptor, draft = tempfile.mkstemp(prefix=".kubeconfig-", dir=os.path.dirname(path))
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
