"""The file system of one container, made in its own mount namespace; it is gone with its last process.

All of this runs in the child, before exec: it has mounts of its own, so that nothing here is seen outside.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fairlead.lab.node import kernel
from fairlead.lab.node.spawn import Step
from fairlead.lab.runtime.layout import WRITABLE, Entry, File, Layer, Link, Part, Shown, escaped

LAYER_BYTES = 1 << 30
"""Of memory, that a container may write."""

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
_OWN = {
    "/run": 0o755, "/tmp": 0o1777, "/mnt": 0o755, "/media": 0o755, "/proc": 0o555, "/sys": 0o555,  # noqa: S108
    "/dev": 0o755,
}  # fmt: skip
_STATVFS_FLAGS = {
    os.ST_NOSUID: kernel.NOSUID, os.ST_NODEV: kernel.NODEV, os.ST_NOEXEC: kernel.NOEXEC, os.ST_NOATIME: 0x400,
    os.ST_NODIRATIME: 0x800, os.ST_RELATIME: 0x20_0000,
}  # fmt: skip
"""Flags that a mount must keep where it is changed by somebody who did not make it."""


@dataclass(frozen=True)
class Bind:
    """A file or folder of the node at a place in the container."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Root:
    """What a container's file system is made of."""

    place: str
    """A folder of the node's to work in."""
    parts: Sequence[Part]
    binds: Sequence[Bind] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Small files of the container's own: /etc/hosts."""
    programs: Mapping[str, bytes] = field(default_factory=dict)
    """Files of its own that can be executed."""
    folders: Sequence[str] = ()
    """Folders of its own."""
    kept: Sequence[str] = ()
    """Folders of the machine that it has to see wherever they are."""
    console: str = ""
    """The path of its terminal; "" if it has none."""
    read_only: bool = False


def build(root: Root, step: Step) -> None:
    """Make it, and let it be all that there is. Raises OSError."""
    _Builder(root, step).build()


def look(folder: str) -> Iterator[Entry]:
    """What is in a folder of the machine."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                yield Entry(entry.name, "link", os.readlink(entry.path))
            elif entry.is_dir():
                yield Entry(entry.name, "dir", open=os.access(entry.path, os.R_OK | os.X_OK))
            elif entry.is_file():
                yield Entry(entry.name, "file")


class _Builder:
    def __init__(self, root: Root, step: Step) -> None:
        self._root = root
        self._step = step
        self._new = os.path.join(root.place, "root")
        self._layers = {part.path: number for number, part in enumerate(root.parts) if isinstance(part, Layer)}

    def build(self) -> None:
        root, step = self._root, self._step
        step.what = "mount a file system in memory"
        kernel.mount("layers", root.place, "tmpfs", kernel.NOSUID | kernel.NODEV, f"mode=0755,size={LAYER_BYTES}")
        os.mkdir(self._new)
        kernel.mount("root", self._new, "tmpfs", kernel.NOSUID | kernel.NODEV, f"mode=0755,size={LAYER_BYTES}")
        self._lay()
        self._fill()
        for path in self._layers:
            self._overlay(path)
        for part in root.parts:
            if isinstance(part, File | Shown) and part.path not in root.files:
                self._bind(Bind(part.path, part.path, read_only=True))
        self._system()
        for path in root.kept:
            if self._is_hidden(path):
                self._bind(Bind(path, path, read_only=True))
        for bind in sorted(root.binds, key=lambda each: each.target.count("/")):
            self._bind(bind)
        if root.read_only:
            self._close()
        step.what = "enter the container's root"
        kernel.pivot_root(self._new)

    def _lay(self) -> None:
        """Folders to mount on, and the layers themselves."""
        for part in self._root.parts:
            self._step.what = f"make {part.path}"
            new = self._new + part.path
            if isinstance(part, Link):
                os.symlink(part.target, new)
            elif isinstance(part, File):
                self._touch(new)
            else:
                os.mkdir(new)
                os.chmod(new, self._mode(part.path))
            if isinstance(part, Layer):
                os.mkdir(self._upper(part.path))
                os.chmod(self._upper(part.path), self._mode(part.path))
                os.mkdir(self._upper(part.path, "work"))
        for path, mode in _OWN.items():
            os.mkdir(self._new + path)
            os.chmod(self._new + path, mode)

    def _fill(self) -> None:
        """What is to be in the container and is not on the machine; before the layers are mounted, below which no
        ordinary user could make anything in what is root's."""
        root = self._root
        for path in WRITABLE:
            if os.path.isdir(path) and os.path.realpath(path) == path:
                self._folder(path)
        for path in root.folders:
            self._folder(os.path.realpath(path))
        for each, mode in ((root.files, 0o644), (root.programs, 0o755)):
            for path, data in each.items():
                self._write(path, data, mode)
        for bind in root.binds:
            self._target(bind)
        for path in root.kept:
            if self._is_hidden(path):
                self._target(Bind(path, path))

    def _write(self, path: str, data: bytes, mode: int) -> None:
        self._step.what = f"write {path}"
        # Not where a link of the machine's leads: it is replaced.
        folder, name = os.path.split(path)
        folder = os.path.realpath(folder)
        self._folder(folder)
        where = self._own(os.path.join(folder, name))
        if os.path.islink(where):
            os.unlink(where)
        with open(where, "wb") as file:
            file.write(data)
        os.chmod(where, mode)

    def _target(self, bind: Bind) -> None:
        self._step.what = f"make the mount point {bind.target}"
        place = os.path.realpath(bind.target)
        if os.path.isdir(bind.source):
            self._folder(place)
        else:
            self._folder(os.path.dirname(place))
            self._touch(self._own(place))

    def _folder(self, path: str) -> None:
        """With all above it; what the machine has of them is still seen in them."""
        self._step.what = f"make {path}"
        made = ""
        for name in path.strip("/").split("/"):
            made += f"/{name}"
            where = self._own(made)
            if name and not os.path.isdir(where):
                os.mkdir(where)
                os.chmod(where, self._mode(made))

    def _own(self, path: str) -> str:
        """Where something of the container's own is made that it will have at ``path``."""
        for layer in self._layers:
            if path == layer or path.startswith(layer + "/"):
                return self._upper(layer) + path[len(layer) :]
        return self._new + path

    def _upper(self, layer: str, what: str = "upper") -> str:
        return os.path.join(self._root.place, f"{what}{self._layers[layer]}")

    def _overlay(self, path: str) -> None:
        self._step.what = f"mount an overlay over {path}"
        upper, work = escaped(self._upper(path)), escaped(self._upper(path, "work"))
        words = f"lowerdir={escaped(path)},upperdir={upper},workdir={work}"
        for more in (",userxattr", ""):
            try:
                kernel.mount("overlay", self._new + path, "overlay", 0, words + more)
            except OSError:
                continue
            return
        # Not every file system can be below an overlay; of such a one the container has no layer of its own.
        self._bind(Bind(path, path, read_only=True))

    def _bind(self, bind: Bind) -> None:
        self._step.what = f"mount {bind.source} at {bind.target}"
        target = self._new + os.path.realpath(bind.target)
        kernel.mount(bind.source, target, None, kernel.BIND | kernel.REC)
        if bind.read_only:
            self._only_read(target)

    def _only_read(self, target: str) -> None:
        flags = os.statvfs(target).f_flag
        kept = sum(flag for here, flag in _STATVFS_FLAGS.items() if flags & here)
        kernel.mount(None, target, None, kernel.BIND | kernel.REMOUNT | kernel.RDONLY | kept)

    def _close(self) -> None:
        """Let the container's own layers be read only; volumes are as they are."""
        self._step.what = "make the root read only"
        for path in ("", *self._layers):
            self._only_read(self._new + path)

    def _system(self) -> None:
        """The file systems by which the kernel speaks."""
        new, safe = self._new, kernel.NOSUID | kernel.NOEXEC
        self._step.what = "mount /proc"
        kernel.mount("proc", f"{new}/proc", "proc", safe | kernel.NODEV)
        self._step.what = "mount /sys"
        try:
            kernel.mount("sysfs", f"{new}/sys", "sysfs", safe | kernel.NODEV | kernel.RDONLY)
        except OSError:
            # Where parts of the machine's are hidden from us, a new one would show them.
            kernel.mount("/sys", f"{new}/sys", None, kernel.BIND | kernel.REC)
        self._step.what = "make /dev"
        kernel.mount("dev", f"{new}/dev", "tmpfs", safe, "mode=0755,size=65536k")
        for name in _DEVICES:
            self._touch(f"{new}/dev/{name}")
            kernel.mount(f"/dev/{name}", f"{new}/dev/{name}", None, kernel.BIND)
        for name, target in _DEVICE_LINKS.items():
            os.symlink(target, f"{new}/dev/{name}")
        for name, mode in (("pts", 0o755), ("shm", 0o1777)):
            os.mkdir(f"{new}/dev/{name}")
            os.chmod(f"{new}/dev/{name}", mode)
        kernel.mount("devpts", f"{new}/dev/pts", "devpts", safe, "newinstance,ptmxmode=0666,mode=0620")
        if self._root.console:
            self._touch(f"{new}/dev/console")
            kernel.mount(self._root.console, f"{new}/dev/console", None, kernel.BIND)

    def _is_hidden(self, path: str) -> bool:
        return not any(path == part.path or path.startswith(part.path + "/") for part in self._root.parts)

    def _mode(self, path: str) -> int:
        """As the machine has it; one that it does not have anybody may read."""
        try:
            return stat.S_IMODE(os.stat(path).st_mode)
        except OSError:
            return 0o755

    def _touch(self, path: str) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
