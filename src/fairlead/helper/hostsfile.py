"""A hosts file, changed while others read and write it.

Our own processes take turns by a lock (flock(2)) on the file itself: it needs no other file that could be left, and its
end is the kernel's work. A file that was replaced while one waited is recognised by its inode, and waited for again.
Since any user who may read the file can keep that lock, the processes of one user take turns by a folder of that user's
as well, and wait for the lock only briefly: it is for those of other users, if the file is theirs too.

The file is replaced by rename(2), so that readers see all of the old or all of the new. Who has it open for writing, as
an editor has for a moment, is waited for first; what comes at the last moment is carried over. A file that
cannot be replaced, or not with all that belongs to it (owner, mode, extended attributes, other hard links), is written
in place, with a journal.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from types import TracebackType
from typing import Self

from fairlead.errors import MachineError
from fairlead.helper.journal import Journal
from fairlead.helper.turn import try_lock, turn
from fairlead.helper.writers import describe_writer

PATIENCE = 5.0
"""Seconds to wait for another process of ours, which needs a few milliseconds, and for others who write meanwhile."""
BRIEFLY = 0.5
"""Seconds to wait for the file's lock where turns are taken elsewhere, too: any user may keep it for ever."""
LARGEST = 64 << 20
"""Bytes of a file that is still worth reading whole."""

_PAUSE = 0.005
_MADE_ANEW = frozenset({"security.ima", "security.evm"})
"""Attributes that the kernel computes from the content (integrity measurement)."""
_LABELS = frozenset({"security.selinux", "security.SMACK64"})
"""Attributes that every file has where there are any: they cannot be taken away, only set."""

Edit = Callable[[bytes], bytes]


class _CannotReplaceError(Exception):
    """It has to be written in place."""


def update(path: str, edit: Edit, journals: Sequence[str], *, turns: str = "") -> None:
    """Make the file ``edit`` of what it holds; nothing is written if that is the same. Raises MachineError.

    ``edit`` may be called again when others write too; its last call is the one that counts. ``journals`` are the
    folders for what is kept while the file is written in place. ``turns`` is the folder by which this user takes turns.
    """
    path = os.path.realpath(path)
    try:
        with turn(turns) if turns else nullcontext(False) as ours, _Locked(path, strict=not ours) as file:
            _update(file, edit, Journal(path, journals))
    except OSError as error:
        forbidden = error.errno in (errno.EROFS, errno.EACCES, errno.EPERM)
        remedy = "--hosts-file names another file" if forbidden else ""
        raise MachineError(f"cannot change {path}: {error.strerror}", remedy=remedy) from error


def read(path: str) -> bytes:
    """What it holds. Raises MachineError."""
    try:
        file = _open(path)
        try:
            return _content(file)
        finally:
            os.close(file)
    except FileNotFoundError as error:
        raise MachineError(f"cannot read {path}: {error.strerror}", remedy=f"make it first: touch {path}") from error
    except OSError as error:
        raise MachineError(f"cannot read {path}: {error.strerror}") from error


def _update(file: _Locked, edit: Edit, journal: Journal) -> None:
    _remove(file.unfinished)
    late: bytes | None = None
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        held = file.content()
        wanted = edit(journal.completed(held) if late is None else late)
        if wanted == held:
            journal.clear()
            return
        if not file.is_current():
            file.lock()
            late = None
            continue
        try:
            late = file.replace(held, wanted, until)
        except _CannotReplaceError:
            if file.write_in_place(held, wanted, until, journal):
                return
            continue
        if late is None:
            continue
        journal.clear()
        if late.startswith(held):
            file.append(late[len(held) :])
            return
        # The old one was written anew meanwhile: that is what the file is to be.
    if writer := file.writer():
        raise MachineError(f"cannot change {file.path}: {writer} has it open for writing")
    raise MachineError(f"cannot change {file.path}: others write it all the time")


class _Locked:
    """The file at ``path``, read under our lock for the time of a with block."""

    def __init__(self, path: str, *, strict: bool) -> None:
        self.path = path
        self._strict = strict
        folder, name = os.path.split(path)
        self.unfinished = os.path.join(folder, f".{name}.fairlead")
        """Where its next content is prepared; by one process at a time, so what is found there is of a killed one."""
        self._file = -1

    def __enter__(self) -> Self:
        self.lock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def lock(self) -> None:
        """Wait for our turn; MachineError after PATIENCE, if the turn is by this lock alone (``strict``)."""
        until = time.monotonic() + (PATIENCE if self._strict else BRIEFLY)
        while self._file < 0 or not self.is_current():
            self._close()
            self._file = _open(self.path)
            while not try_lock(self._file):
                if time.monotonic() > until:
                    if not self._strict:
                        return
                    holder = _lock_holder(self._file)
                    self._close()
                    raise MachineError(f"cannot change {self.path}: {holder} has kept it locked for {PATIENCE:g} s")
                time.sleep(_PAUSE)

    def is_current(self) -> bool:
        """Whether nobody has put another file in its place."""
        try:
            found = os.stat(self.path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(self._file))

    def writer(self) -> str:
        """Who has it open for writing now; "" if nobody has."""
        return "" if _wait_for_writers(self._file, 0.0) else describe_writer(self.path) or "somebody"

    def content(self) -> bytes:
        """What it holds."""
        return _content(self._file)

    def replace(self, held: bytes, wanted: bytes, until: float) -> bytes | None:
        """Put a file with ``wanted`` in its place; what the one that was there held in the end.

        None, and nothing is done, if it does not hold ``held`` any more once nobody writes it, or somebody still does
        at ``until``.
        """
        made = _prepare(self.unfinished, self._file, wanted)
        if not _wait_for_writers(self._file, until) or self.content() != held:
            os.close(made)
            _remove(self.unfinished)
            return None
        try:
            os.rename(self.unfinished, self.path)
        except OSError as error:
            os.close(made)
            _remove(self.unfinished)
            if error.errno in (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM):
                raise _CannotReplaceError from error
            raise
        replaced, self._file = self._file, made
        try:
            _sync_folder(self.path)
            # For those who opened it at the last moment.
            _wait_for_writers(replaced, time.monotonic() + PATIENCE)
            return _content(replaced)
        finally:
            os.close(replaced)

    def append(self, data: bytes) -> None:
        """Add what somebody has added to the file that was replaced."""
        if data:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
            with open(file, "wb", buffering=0) as end:
                end.write(data)

    def write_in_place(self, held: bytes, wanted: bytes, until: float, journal: Journal) -> bool:
        """Write it over, and keep both in the journal until that is done; False as ``replace`` has None."""
        if not _wait_for_writers(self._file, until) or self.content() != held:
            return False
        with open(os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "wb", buffering=0) as file:
            journal.write(held, wanted)
            unchanged = self.content() == held  # the disk took its time
            if unchanged:
                try:
                    _write(file.fileno(), wanted)
                except OSError:
                    _write(file.fileno(), held)  # which fits: it was there
                    journal.clear()
                    raise
            journal.clear()
        return unchanged


def _open(path: str) -> int:
    # A named pipe would keep us waiting; it is no hosts file anyway.
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise MachineError(f"{path} is not a file")
    return file


def _content(file: int) -> bytes:
    parts, size = [], 0
    while part := os.pread(file, 1 << 20, size):
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise MachineError(f"a hosts file of more than {LARGEST >> 20} MiB is not read")
    return b"".join(parts)


def _write(file: int, data: bytes) -> None:
    """Make an open file hold ``data``, on the disk."""
    written = 0
    while written < len(data):
        written += os.pwrite(file, data[written:], written)
    os.ftruncate(file, len(data))
    os.fsync(file)


def _prepare(path: str, like: int, data: bytes) -> int:
    """A new file with ``data`` that is otherwise as the one that is open as ``like``; open, and locked by us."""
    if os.fstat(like).st_nlink != 1:
        raise _CannotReplaceError
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise _CannotReplaceError from error
        raise
    try:
        with open(made, "wb", buffering=0) as file:
            _write(file.fileno(), data)
            _give_all_of(like, file.fileno())
        # Opened anew: a descriptor of ours that can write would count among the writers that are waited for.
        reader = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        fcntl.flock(reader, fcntl.LOCK_EX)
    except BaseException:
        _remove(path)
        raise
    return reader


def _give_all_of(like: int, made: int) -> None:
    """Owner, mode and extended attributes, such as SELinux labels and access lists."""
    old, new = os.fstat(like), os.fstat(made)
    try:
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            os.fchown(made, old.st_uid, old.st_gid)
        os.fchmod(made, stat.S_IMODE(old.st_mode))
        wanted = _attributes(like)
        for name in _attributes(made):
            if name not in wanted and name not in _LABELS:
                os.removexattr(made, name)  # a folder's default access list
        for name in wanted:
            os.setxattr(made, name, os.getxattr(like, name))
    except OSError as error:
        raise _CannotReplaceError from error


def _attributes(file: int) -> list[str]:
    try:
        return [name for name in os.listxattr(file) if name not in _MADE_ANEW]
    except OSError:
        return []  # a file system without any


def _wait_for_writers(file: int, until: float) -> bool:
    """Wait until nobody has it open for writing: then, and only then, the kernel gives a read lease (fcntl(2)).

    True also where that cannot be known.
    """
    while True:
        try:
            # Who opens it just then is told to us by a signal: by one that is ignored unless somebody asks for it.
            fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            return True
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return True  # not our file, or a file system without leases
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE)


def _lock_holder(file: int) -> str:
    """Who has locked it (proc(5), /proc/locks)."""
    inode = os.fstat(file).st_ino
    try:
        with open("/proc/locks") as locks:
            for line in locks:
                fields = line.split()
                if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):
                    return f"process {fields[4]}"
    except (OSError, IndexError):
        pass
    return "another process"


def _sync_folder(path: str) -> None:
    try:
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return  # a folder that may be written and not read
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # there is none, or its folder is not ours to write
