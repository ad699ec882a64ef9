"""Copying a tree of files, with as little writing as the file system allows."""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from agent.sandbox.owner import Owner
from agent.sandbox.patience import Stop, check
from agent.sandbox.room import MAX_DEPTH

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FICLONE = 0x40049409
_CHUNK = 8 * 1024 * 1024
_KEPT_MODE = 0o1777
"""Set-user-id and set-group-id do not travel: the copy belongs to somebody else."""


class Seal(Struct, frozen=True, array_like=True):
    """What changes whenever a file's content may have: equal seals, equal content."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def seal_of(found: os.stat_result) -> Seal:
    return Seal(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


Twin = Callable[[str, os.stat_result, os.stat_result], bool]
"""(path, the source's file, the file at that path in the twin tree) -> same content?"""


class Mirror:
    """Makes one tree like another: files, modes, times, links as links, empty directories.

    A file that the twin tree, on the same file system, has too is linked instead of copied.
    Sockets, pipes and devices are left out, and what is nested deeper than MAX_DEPTH.
    """

    def __init__(self, stop: Stop, owner: Owner | None = None, same: Twin | None = None) -> None:
        self.copied = 0
        """Bytes written."""
        self.seals: dict[str, Seal] = {}
        """Of the source's regular files, by path, as they were when they were copied."""
        self._stop = stop
        self._owner = owner
        self._same = same

    def make(self, source: Path, target: Path, twin: Path | None = None) -> None:
        """`target` must not exist; its parent must."""
        target.mkdir(0o700)
        with _opened(str(source), _DIRECTORY, None) as here:
            there = os.open(target, _DIRECTORY)
            near = _twin_directory(str(twin), None) if twin else None
            self._directory(here, there, near, "", 0)

    def one(self, source: Path, target: Path, name: str) -> Seal | None:
        """Only the regular file `name` of the directory `source`; its seal."""
        with (
            _opened(str(source), _DIRECTORY, None) as here,
            _opened(str(target), _DIRECTORY, None) as there,
        ):
            self._file(here, there, None, name, name)
        return self.seals.get(name)

    def _directory(self, here: int, there: int, near: int | None, prefix: str, depth: int) -> None:
        """Fill `there`; closes `there` and `near`."""
        try:
            for name in _names(here):
                check(self._stop)
                with suppress(FileNotFoundError):
                    self._entry(here, there, near, prefix, name, depth)
            self._finish(there, os.fstat(here))
        finally:
            os.close(there)
            if near is not None:
                os.close(near)

    def _entry(
        self, here: int, there: int, near: int | None, prefix: str, name: str, depth: int
    ) -> None:
        found = os.stat(name, dir_fd=here, follow_symlinks=False)
        if stat.S_ISREG(found.st_mode):
            self._file(here, there, near, prefix + name, name)
        elif stat.S_ISLNK(found.st_mode):
            self._link(here, there, name, found)
        elif stat.S_ISDIR(found.st_mode) and depth < MAX_DEPTH:
            os.mkdir(name, 0o700, dir_fd=there)
            with _opened(name, _DIRECTORY, here) as inner:
                self._directory(
                    inner,
                    os.open(name, _DIRECTORY, dir_fd=there),
                    None if near is None else _twin_directory(name, near),
                    f"{prefix}{name}/",
                    depth + 1,
                )

    def _file(self, here: int, there: int, near: int | None, path: str, name: str) -> None:
        found = os.stat(name, dir_fd=here, follow_symlinks=False)
        if near is not None and self._linked(path, name, found, near, there):
            self.seals[path] = seal_of(found)
            return
        with _opened(name, _READ, here) as source:
            found = os.fstat(source)
            if not stat.S_ISREG(found.st_mode):
                return
            target = os.open(name, _NEW, 0o600, dir_fd=there)
            try:
                self._content(source, target, found.st_size)
                self._finish(target, found)
            finally:
                os.close(target)
        self.copied += found.st_blocks * 512
        self.seals[path] = seal_of(os.stat(name, dir_fd=here, follow_symlinks=False))

    def _linked(self, path: str, name: str, found: os.stat_result, near: int, there: int) -> bool:
        try:
            twin = os.stat(name, dir_fd=near, follow_symlinks=False)
            if (
                not stat.S_ISREG(twin.st_mode)
                or not self._same
                or not self._same(path, found, twin)
            ):
                return False
            os.link(name, name, src_dir_fd=near, dst_dir_fd=there, follow_symlinks=False)
        except OSError:
            return False
        return True

    def _link(self, here: int, there: int, name: str, found: os.stat_result) -> None:
        os.symlink(os.readlink(name, dir_fd=here), name, dir_fd=there)
        if self._owner:
            os.chown(name, self._owner.uid, self._owner.gid, dir_fd=there, follow_symlinks=False)
        times = (found.st_atime_ns, found.st_mtime_ns)
        os.utime(name, ns=times, dir_fd=there, follow_symlinks=False)

    def _content(self, source: int, target: int, size: int) -> None:
        """Share the blocks where the file system can, else copy what is not a hole."""
        with suppress(OSError):
            fcntl.ioctl(target, _FICLONE, source)
            return
        for start, end in _extents(source, size):
            os.lseek(target, start, os.SEEK_SET)
            while start < end:
                check(self._stop)
                sent = os.sendfile(target, source, start, min(end - start, _CHUNK))
                if not sent:
                    break
                start += sent
        os.ftruncate(target, size)

    def _finish(self, target: int, found: os.stat_result) -> None:
        if self._owner:
            os.fchown(target, self._owner.uid, self._owner.gid)
        os.fchmod(target, found.st_mode & _KEPT_MODE)
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _names(directory: int) -> list[str]:
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]


def _extents(source: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a file that hold data: a hole of a terabyte costs nothing."""
    position = 0
    while position < size:
        try:
            start = os.lseek(source, position, os.SEEK_DATA)
        except OSError as failure:
            if failure.errno == errno.ENXIO:
                return
            raise
        position = os.lseek(source, start, os.SEEK_HOLE)
        yield start, min(position, size)


def _twin_directory(name: str, parent: int | None) -> int | None:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except OSError:
        return None


@contextmanager
def _opened(name: str, flags: int, parent: int | None) -> Iterator[int]:
    """Open also what its owner closed to itself: unlike root, we need the mode's leave."""
    mode = None
    try:
        opened = os.open(name, flags, dir_fd=parent)
        if flags & os.O_DIRECTORY and os.geteuid() and not os.fstat(opened).st_mode & 0o100:
            mode = os.fstat(opened).st_mode & 0o7777
            os.fchmod(opened, mode | 0o700)
    except PermissionError:
        mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode & 0o7777
        os.chmod(name, mode | 0o700, dir_fd=parent)
        opened = os.open(name, flags, dir_fd=parent)
    try:
        yield opened
    finally:
        if mode is not None:
            os.fchmod(opened, mode)
        os.close(opened)
