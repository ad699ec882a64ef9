"""How much room a tree of files takes on disk."""

import os
import stat
from pathlib import Path

from msgspec import Struct

from agent.sandbox.patience import Stop, check

MAX_DEPTH = 200
"""Directories nested deeper are not looked into: each level holds a descriptor."""
ENTRY = 512
"""Bytes that a name and its inode cost, so that empty files are not free."""


class Room(Struct, frozen=True):
    """`hidden`: a part could not be counted, nested too deep or closed to us."""

    bytes: int
    hidden: bool = False


def room_of(root: Path, stop: Stop) -> Room:
    """Count blocks, not lengths; a file with several names counts once. A missing root is empty."""
    count = _Count(stop)
    try:
        directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return Room(0)
    count.directory(directory, 0)
    return Room(count.bytes, count.hidden)


class _Count:
    def __init__(self, stop: Stop) -> None:
        self.bytes = 0
        self.hidden = False
        self._stop = stop
        self._linked: set[int] = set()

    def directory(self, directory: int, depth: int) -> None:
        """Count what is in `directory` and close it."""
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    check(self._stop)
                    self._entry(directory, entry, depth)
        finally:
            os.close(directory)

    def _entry(self, directory: int, entry: os.DirEntry[str], depth: int) -> None:
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError:
            self.hidden = True
            return
        self.bytes += ENTRY
        if stat.S_ISDIR(found.st_mode):
            self._enter(directory, entry.name, depth)
        elif found.st_nlink == 1 or found.st_ino not in self._linked:
            self.bytes += found.st_blocks * 512
            if found.st_nlink > 1:
                self._linked.add(found.st_ino)

    def _enter(self, directory: int, name: str, depth: int) -> None:
        if depth == MAX_DEPTH:
            self.hidden = True
            return
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        try:
            inner = os.open(name, flags, dir_fd=directory)
        except FileNotFoundError:
            return
        except OSError:
            self.hidden = True
            return
        self.directory(inner, depth + 1)
