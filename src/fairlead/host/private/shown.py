"""Files of the machine that programs in a mount namespace find with another content, as bind mounts (mount(2)).

A file is never written while it is shown: a new one takes its place, so that whoever reads has the old one or the new
one. The kernel removes such a mount when the machine's own file is replaced by a rename; it is shown anew then.
"""

from __future__ import annotations

import os
import tempfile

from fairlead.host.private import kernel

MOST_BYTES = 64 << 20
"""That all of them may take in memory: a hosts file of 100,000 lines is 6 MB."""

_PLACES = ("/sys/kernel/debug", "/sys/fs/pstore", "/sys/fs/fuse/connections")
"""Folders that exist to be mounted on, and that an ordinary user has nothing in."""


class Shown:
    """What this process shows in its mount namespace."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._held: dict[str, tuple[int, int]] = {}
        """Where something is shown, and the file (device, inode) that is."""
        self._count = 0

    def show(self, path: str, data: bytes) -> None:
        """Let ``path`` be this for everybody in the namespace, if there is such a file. Raises OSError."""
        place = os.path.realpath(path)
        if not os.path.exists(place):
            return
        source = self._write(data)
        try:
            if self._is_shown(place):
                # Whoever looks now finds the machine's own for a moment; names are in DNS, too.
                kernel.detach(place)
            kernel.bind(source, place)
            found = os.stat(source)
            self._held[place] = (found.st_dev, found.st_ino)
        finally:
            os.unlink(source)

    def hide(self, path: str) -> None:
        """Let there be nothing to connect to at ``path``, if anything is there. Raises OSError."""
        if os.path.exists(path):
            kernel.bind(os.devnull, path)

    def _is_shown(self, place: str) -> bool:
        found = os.stat(place)
        return self._held.get(place) == (found.st_dev, found.st_ino)

    def _write(self, data: bytes) -> str:
        """A file of its own, in memory where that is possible; its name."""
        if self._folder is None:
            self._folder = _workplace()
        self._count += 1
        source = os.path.join(self._folder, f"fairlead-{os.getpid()}-{self._count}")
        descriptor = os.open(source, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                os.fchmod(descriptor, 0o644)
        except BaseException:
            os.unlink(source)
            raise
        return source


def _workplace() -> str:
    """A folder for files that have a name for a moment."""
    for place in _PLACES:
        try:
            kernel.mount_tmpfs(place, size=MOST_BYTES)
        except OSError:
            continue  # a container often has no such folder
        return place
    return tempfile.gettempdir()
