"""How a child goes into the namespaces, between fork and exec, and stays in the folder that it is in."""

from __future__ import annotations

import os
from collections.abc import Iterable

from fairlead.errors import MachineError
from fairlead.host.private import kernel


def enter(namespaces: Iterable[tuple[int, int]]) -> None:
    """Into each, a descriptor and its kind, in this order. Raises MachineError, and OSError.

    Another mount namespace begins at its root (setns(2)), and the way back takes the right to search the folder. Who is
    in it may lack that, and only who brought them there had it, as before sudo -u.
    """
    try:
        place = os.getcwd()
    except OSError:
        place = ""  # it was removed
    try:
        here = os.open(".", os.O_PATH | os.O_DIRECTORY)
        for descriptor, kind in namespaces:
            _go_into(descriptor, kind)
        if not place or not _same(place, here):
            os.fchdir(here)
        os.close(here)
    except PermissionError as error:
        what = f"the command cannot run in {place or 'this folder'}, which you may not enter"
        raise MachineError(what, remedy="start it from a folder that you may enter") from error


def _go_into(namespace: int, kind: int) -> None:
    try:
        kernel.setns(namespace, kind)
    except OSError as error:
        raise MachineError(f"the private network cannot be entered: {error.strerror}") from error


def _same(place: str, folder: int) -> bool:
    """Go there; whether it is the folder that is meant."""
    try:
        os.chdir(place)
    except OSError:
        return False
    found, meant = os.stat("."), os.fstat(folder)
    return (found.st_dev, found.st_ino) == (meant.st_dev, meant.st_ino)
