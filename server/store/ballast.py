"""Room on the disk that only the store can use: its write-ahead log, and a file to throw away."""

import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from agent.sandbox.capacity import Disk, disk_of
from server.store.errors import StoreProblem

SHARE = 32
"""Either takes at most one part in so many of a disk: less than the reserve that files leave free,
so that no file grows into what was thrown away."""
RESERVE: Callable[[int, int, int], None] | None = getattr(os, "posix_fallocate", None)
"""The system's call for blocks without content, where it has one."""
_BLOCK = 512
_ZEROS = bytes(1024 * 1024)

CRAMPED = (
    "The server's disk is full: what runs can end and sessions can be deleted, nothing new can be"
    " begun. Delete something, or free space on the server."
)

_log = logging.getLogger(__name__)


class Ballast:
    """A file beside the database, written to the last block, that is dropped when SQLite has no
    room left: turns end, sessions are deleted. Laid again when there is room for it and more.

    `cramped` says why nothing that grows may be begun; empty while there is room. Belongs to the
    writer's thread; anyone may read `cramped`.
    """

    def __init__(
        self,
        directory: Path,
        size: int,
        *,
        look_seconds: float = 1.0,
        disk: Callable[[Path], Disk] = disk_of,
    ) -> None:
        self.cramped = ""
        self.look_seconds = look_seconds
        """Between two looks where nobody writes: others fill disks, too."""
        self._directory = directory
        self._path = directory / "ballast"
        self._disk = disk
        self._size = scaled(size, directory, disk)
        self._held = False

    def take_over(self) -> None:
        """What a killed server left: as a ballast, or, before the database is opened on a disk that
        is full, as all the room there is."""
        if self._free() >= self._size // 4:
            with contextlib.suppress(OSError):
                self._held = self._path.stat().st_blocks * _BLOCK >= self._size > 0
        if not self._held:
            self._remove()

    def look(self) -> None:
        """See how much is free, and lay the ballast where it is gone and fits.

        It takes more room to end a shortage than to begin one, lest it come and go.
        """
        free = self._free()
        if not self._held and free >= self._size + self._size // 2:
            self._held, free = self._lay(), self._free()
        if not self._held or free < self._size // 4:
            self._tell(CRAMPED)
        elif free >= self._size // 2:
            self._tell("")

    def drop(self) -> bool:
        """Whether that made room: it does once, until it is laid again."""
        if not self._held or not self._size or self._free() >= self._size:
            return False
        self._remove()
        _log.warning("the ballast of %d KiB was dropped to go on writing", self._size // 1024)
        self._tell(CRAMPED)
        return True

    def explains(self, size: int = 4096) -> bool:
        """Not even a page fits on the disk: whatever failed, failed for that."""
        return self._free() < size

    def spare(self) -> None:
        """Refuse what would grow. Raises StoreProblem `disk_full`."""
        if self.cramped:
            raise StoreProblem("disk_full", self.cramped)

    def put_away(self) -> None:
        """A server that has stopped keeps nobody's room."""
        self._remove()

    def _lay(self) -> bool:
        if not self._size:
            return True
        try:
            allocate(self._path, self._size)
        except OSError:
            self._remove()
            return False
        return True

    def _remove(self) -> None:
        self._held = False
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _tell(self, cramped: str) -> None:
        if cramped and not self.cramped:
            _log.error("the disk of %s is full: nothing new is begun", self._directory)
        elif self.cramped and not cramped:
            _log.warning("the disk of %s has room again", self._directory)
        self.cramped = cramped

    def _free(self) -> int:
        """A disk that cannot be asked is not what this room is about."""
        try:
            return self._disk(self._directory).free
        except OSError:
            return self._size * 2


def scaled(size: int, directory: Path, disk: Callable[[Path], Disk] = disk_of) -> int:
    """`size`, or the share of a small disk."""
    return min(size, disk(directory).size // SHARE)


def allocate(
    path: Path, size: int, reserve: Callable[[int, int, int], None] | None = RESERVE
) -> None:
    """Make the file `size` bytes long, every block its own; what is in it stays. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if reserve is None:
            _fill(descriptor, size)
        else:
            reserve(descriptor, 0, size)
    finally:
        os.close(descriptor)


def widen(path: Path, size: int) -> None:
    """As `allocate` where there is room, else as it is."""
    with contextlib.suppress(OSError):
        allocate(path, size)


def _fill(descriptor: int, size: int) -> None:
    """Where the system has no call for it."""
    end = os.fstat(descriptor).st_size
    while end < size:
        end += os.pwrite(descriptor, _ZEROS[: size - end], end)
