"""Files of the machine that programs in a mount namespace find with another content, as bind mounts (mount(2)).

A file is never written while it is shown: a new one takes its place, so that whoever reads has the old one or the new
one. The kernel removes such a mount when the machine's own file is replaced by a rename; it is shown anew then.
"""

from __future__ import annotations

import os

from fairlead.host.private import kernel

MOST_BYTES = 64 << 20
"""That all of them may take in memory: a hosts file of 100,000 lines is 6 MB."""

_PLACES = ("/sys/kernel/debug", "/sys/fs/pstore", "/sys/fs/fuse/connections", "/mnt")
"""Folders that exist to be mounted on, and that an ordinary user mostly has nothing in."""


class Shown:
    """What this process shows in its mount namespace."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._held: dict[str, str] = {}
        """Where something is shown, and the file that is. It keeps its name, or nobody could show another in its place,
        as a run inside this one does."""
        self._count = 0

    def show(self, path: str, data: bytes) -> None:
        """Let ``path`` be this for everybody in the namespace, if there is such a file. Raises OSError."""
        place = os.path.realpath(path)
        if not os.path.exists(place):
            return
        source = self._write(data)
        before = self._held.get(place)
        try:
            if before is not None and os.path.samefile(before, place):
                # Whoever looks now finds the machine's own for a moment; names are in DNS, too.
                kernel.detach(place)
            kernel.bind(source, place)
        except BaseException:
            os.unlink(source)
            raise
        self._held[place] = source
        if before is not None:
            os.unlink(before)

    def hide(self, path: str) -> None:
        """Let there be nothing to connect to at ``path``, if anything is there. Raises OSError."""
        if os.path.exists(path):
            kernel.bind(os.devnull, path)

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
    """A folder for files of ours that ends with the namespace. Raises OSError."""
    for place in _PLACES[:-1]:
        try:
            kernel.mount_tmpfs(place, size=MOST_BYTES)
        except OSError:
            continue  # a container often has no such folder
        return place
    kernel.mount_tmpfs(_PLACES[-1], size=MOST_BYTES)
    return _PLACES[-1]
