"""How a container sees the machine's file system: in layers of its own, over which it may write what it likes; pure.

An overlay takes whole folders, and none in which something is mounted: a user namespace may not look under a mount
that it was given. Such a folder is made anew, with what is in it: folders as overlays, files as bind mounts, links. So
is, where this machine gives us no overlays, each folder in which a mount point is missing; the others are shown as
they are then, and cannot be written to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple, TypeAlias

HIDDEN = frozenset(
    {
        "/proc", "/sys", "/dev", "/run", "/tmp", "/mnt", "/media", "/lost+found", "/boot",  # noqa: S108
        "/snap", "/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/var/lib/kubelet", "/var/lib/snapd",
    }
)  # fmt: skip
"""A container has its own of these, or none: they are the kernel's, or hold mounts of others by the hundred."""
WRITABLE = ("/var/lib", "/var/cache", "/var/log", "/var/spool", "/usr/local", "/usr/local/bin", "/usr/share")
"""Folders that are made anew in the layers, so that they belong to whoever the container runs as."""


class Entry(NamedTuple):
    """What is in a folder of the machine."""

    name: str
    kind: str
    """``dir``, ``file`` or ``link``; others are left out."""
    target: str = ""
    """Of a link."""
    open: bool = True
    """Whether we may look into it; who may not finds an empty folder."""


class Layer(NamedTuple):
    """A folder of the machine, with a layer over it that is the container's."""

    path: str


class Folder(NamedTuple):
    """A folder of the container's own."""

    path: str


class Link(NamedTuple):
    """A symbolic link."""

    path: str
    target: str


class File(NamedTuple):
    """A file of the machine, to be read only."""

    path: str


class Shown(NamedTuple):
    """A folder of the machine, to be read only."""

    path: str


Part: TypeAlias = Layer | Folder | Link | File | Shown
Look: TypeAlias = Callable[[str], Iterable[Entry]]
"""What is in a folder."""


def layout(
    look: Look,
    mounted: Collection[str],
    *,
    closed: Collection[str] = (),
    overlays: bool = True,
    needed: Collection[str] = (),
) -> list[Part]:
    """The parts of a container's root, those above before those below.

    ``mounted`` are the machine's mount points, ``closed`` folders of which nothing is shown, and ``needed`` the paths
    at which the container will have something else.
    """
    split = [path for path in (*mounted, *closed, *(() if overlays else needed)) if path != "/"]
    return list(_walk("/", look, split, frozenset(closed), overlays))


def _walk(folder: str, look: Look, split: Collection[str], closed: Collection[str], overlays: bool) -> Iterator[Part]:
    for entry in sorted(look(folder)):
        path = f"{folder.rstrip('/')}/{entry.name}"
        if path in HIDDEN:
            continue
        if entry.kind == "link":
            yield Link(path, entry.target)
        elif entry.kind == "file":
            yield File(path)
        elif entry.kind == "dir":
            if not entry.open or path in closed:
                yield Folder(path)
            elif any(each.startswith(f"{path}/") for each in split):
                yield Folder(path)
                yield from _walk(path, look, split, closed, overlays)
            else:
                yield Layer(path) if overlays else Shown(path)


def mount_points(mountinfo: str) -> list[str]:
    """Those that /proc/self/mountinfo tells of (proc_pid_mountinfo(5))."""
    return [_plain(line.split()[4]) for line in mountinfo.splitlines()]


def escaped(path: str) -> str:
    """A path as an option of an overlay has it."""
    return path.replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")


def _plain(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
