"""Files beneath a root that somebody else may fill with links: nothing here follows one."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NoReturn

from msgspec import Struct

from agent.errors import Problem
from agent.sandbox.drafts import Draft
from agent.sandbox.owner import Owner
from agent.sandbox.room import MAX_DEPTH

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Listed(Struct, frozen=True):
    """A regular file: its path beneath the root, its bytes, when it changed (ns since 1970)."""

    path: str
    size: int
    modified_ns: int


class Beneath:
    """The files of one tree; what is made here belongs to `owner` where one is given.

    Every method blocks, and raises Problem: `bad_path`, `no_such_file`, `no_room`.
    """

    def __init__(self, root: Path, owner: Owner | None = None) -> None:
        self._root = root
        self._owner = owner

    def open(self, path: str) -> BinaryIO:
        """An existing regular file, for reading. `fstat` of it is the file that was opened."""
        with self._problems(path), self._parent(path, make=False) as (parent, name):
            file = os.fdopen(os.open(name, _FILE, dir_fd=parent), "rb")
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                file.close()
                raise _bad(path, "is not a regular file")
            os.set_blocking(file.fileno(), True)
            return file

    def stat(self, path: str) -> os.stat_result | None:
        """Of a regular file; None where there is nothing at all."""
        try:
            with self.open(path) as file:
                return os.fstat(file.fileno())
        except Problem as problem:
            if problem.code == "no_such_file":
                return None
            raise

    @contextmanager
    def replacing(self, path: str) -> Iterator[BinaryIO]:
        """Write a file that takes its place, whole, when the block ends without an error.

        Directories on the way are made. What stood there gives its mode; a directory or a link
        there is refused.
        """
        with (
            self._problems(path),
            self._parent(path, make=True) as (parent, name),
            self._draft(parent, path, name) as file,
        ):
            yield file

    def write(self, path: str, content: bytes) -> os.stat_result:
        with self.replacing(path) as file:
            file.write(content)
            file.flush()
            return os.fstat(file.fileno())

    def files(self, limit: int) -> tuple[Listed, ...]:
        """Regular files in the order of their paths, at most `limit`; links are left out."""
        return tuple(
            Listed(os.fsencode(path).decode(errors="replace"), found.st_size, found.st_mtime_ns)
            for path, found in islice(regular_files(self._root), limit)
        )

    @contextmanager
    def _draft(self, parent: int, path: str, name: str) -> Iterator[BinaryIO]:
        """A new file beside the root that replaces `name` at the end, or disappears."""
        mode = _mode_of(parent, path, name)
        with Draft(self._root) as draft:
            with draft.file as file:
                yield file
                file.flush()
                self._give(file.fileno())
                os.fchmod(file.fileno(), mode)
            draft.replace(name, parent)

    @contextmanager
    def _parent(self, path: str, *, make: bool) -> Iterator[tuple[int, str]]:
        """The directory that holds the file, and the file's name in it."""
        *directories, name = parts_of(path)
        with ExitStack() as stack:
            here = _kept(stack, os.open(self._root, _DIRECTORY))
            for directory in directories:
                if make:
                    self._make(directory, here)
                here = _kept(stack, os.open(directory, _DIRECTORY, dir_fd=here))
            yield here, name

    def _make(self, directory: str, parent: int) -> None:
        with suppress(FileExistsError):
            os.mkdir(directory, 0o755, dir_fd=parent)
            if self._owner:
                os.chown(
                    directory,
                    self._owner.uid,
                    self._owner.gid,
                    dir_fd=parent,
                    follow_symlinks=False,
                )

    def _give(self, file: int) -> None:
        if self._owner:
            os.fchown(file, self._owner.uid, self._owner.gid)

    @contextmanager
    def _problems(self, path: str) -> Iterator[None]:
        try:
            yield
        except (ConnectionError, TimeoutError):
            raise  # of who sends what is written here, not of the file
        except OSError as failure:
            _explain(path, failure)


def parts_of(path: str) -> list[str]:
    """The names on the way of a relative path that stays beneath its root; `.` is nowhere."""
    if not path or path.startswith("/") or "\0" in path:
        raise _bad(path, "must be a path relative to the workspace")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or path.endswith("/"):
        raise _bad(path, "must name a file in the workspace, without `..`")
    if len(parts) > MAX_DEPTH or any(len(part.encode(errors="replace")) > 255 for part in parts):
        raise _bad(path, "is too long")
    if path != _text(path):
        raise _bad(path, "is not text")
    return parts


def _text(path: str) -> str:
    """The path with what no text may hold replaced."""
    return path.encode(errors="replace").decode()


def _bad(path: str, why: str) -> Problem:
    return Problem("bad_path", f"{_text(path)[:200]!r} {why}.")


def _explain(path: str, failure: OSError) -> NoReturn:
    match failure.errno:
        case errno.ENOENT:
            raise Problem("no_such_file", f"There is no file {_text(path)[:200]!r}.") from None
        case errno.ELOOP | errno.ENOTDIR | errno.EMLINK:
            raise _bad(path, "leads through a symbolic link or a file") from None
        case errno.EISDIR:
            raise _bad(path, "is a directory") from None
        case errno.ENOSPC | errno.EDQUOT:
            raise Problem("no_room", "The disk is full. Delete something first.") from None
        case _:
            raise _bad(path, f"cannot be used: {failure.strerror}") from None


def _mode_of(parent: int, path: str, name: str) -> int:
    """The mode for what replaces `name`."""
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return 0o644
    if not stat.S_ISREG(found.st_mode):
        raise _bad(path, "is not a regular file")
    return found.st_mode & 0o777


def regular_files(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every regular file beneath `root` in the order of paths; what cannot be read is left out."""
    with ExitStack() as stack:
        try:
            directory = _kept(stack, os.open(root, _DIRECTORY))
        except FileNotFoundError:
            return
        yield from _walk(directory, "", 0)


def _walk(directory: int, prefix: str, depth: int) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(directory) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        with suppress(OSError):
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                yield prefix + name, found
            elif stat.S_ISDIR(found.st_mode) and depth < MAX_DEPTH:
                inner = os.open(name, _DIRECTORY, dir_fd=directory)
                try:
                    yield from _walk(inner, f"{prefix}{name}/", depth + 1)
                finally:
                    os.close(inner)


def _kept(stack: ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor
