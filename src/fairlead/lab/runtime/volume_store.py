"""The volumes of pods as folders on the node, in its own memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from fairlead.lab.runtime.config import NodeError
from fairlead.lab.runtime.volumes import Content, File, Files, Host

_DOTS = "..new-"
"""What begins the name of a file that is being written, as no key may begin."""
_FOLDER_TYPES = ("Directory", "DirectoryOrCreate")
_FILE_TYPES = ("File", "FileOrCreate")


class VolumeStore:
    """Makes and removes them. ``folder`` is the node's for pods."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def make(self, pod_uid: str, name: str, content: Content) -> str:
        """The path of a volume, which is as ``content`` says; one that there is already is changed where it has to be,
        and programs see each file either as it was or as it is. Raises NodeError (FailedMount)."""
        try:
            if isinstance(content, Host):
                return self._host(content)
            path = os.path.join(self._folder, pod_uid, name)
            if isinstance(content, Files):
                os.makedirs(path, mode=0o755, exist_ok=True)
                _write(path, content.files)
            elif not os.path.isdir(path):
                os.makedirs(path)
                os.chmod(path, 0o777)  # noqa: S103
            return path
        except OSError as error:
            what = f'MountVolume.SetUp failed for volume "{name}" : {error.strerror}'
            raise NodeError("FailedMount", what) from error

    def place(self, source: str, below: str) -> None:
        """Make the sub path of a volume that can be written to, if it is not there. Raises NodeError."""
        try:
            os.makedirs(os.path.join(source, below), exist_ok=True)
        except OSError as error:
            what = f"failed to create subPath directory: {error.strerror}"
            raise NodeError("CreateContainerConfigError", what) from error

    def remove(self, pod_uid: str) -> None:
        """All those of a pod; what is the machine's stays."""
        shutil.rmtree(os.path.join(self._folder, pod_uid), ignore_errors=True)

    def _host(self, content: Host) -> str:
        """What is not on the machine is made in the node's memory, for all pods alike: the machine is not changed."""
        path, kind = os.path.normpath(content.path), content.type
        if not os.path.lexists(path) and (kind.endswith("OrCreate") or not kind):
            path = os.path.join(self._folder, "machine", path.lstrip("/"))
            if kind == "FileOrCreate":
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
            else:
                os.makedirs(path, exist_ok=True)
        if (kind in _FOLDER_TYPES and not os.path.isdir(path)) or (kind in _FILE_TYPES and not os.path.isfile(path)):
            what = "directory" if kind in _FOLDER_TYPES else "file"
            raise NodeError("FailedMount", f"hostPath type check failed: {content.path} is not a {what}")
        if not os.path.exists(path):
            raise NodeError("FailedMount", f"hostPath type check failed: {content.path} does not exist")
        return path


def _write(folder: str, files: Mapping[str, File]) -> None:
    for path, file in files.items():
        place = os.path.join(folder, path)
        os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
        if _is(place, file):
            continue
        new = os.path.join(folder, f"{_DOTS}{path.replace('/', '-')}")
        with open(new, "wb") as opened:
            opened.write(file.data)
            os.fchmod(opened.fileno(), file.mode)
        os.replace(new, place)
    for root, _, names in os.walk(folder):
        for name in names:
            place = os.path.join(root, name)
            if os.path.relpath(place, folder) not in files:
                os.unlink(place)


def _is(path: str, file: File) -> bool:
    try:
        with open(path, "rb") as opened:
            return opened.read() == file.data and os.fstat(opened.fileno()).st_mode & 0o7777 == file.mode
    except OSError:
        return False
