"""Files that are being written: beside a tree, where no command, list or checkpoint sees them."""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_MINE = f".{secrets.token_hex(4)}-"
"""Begins the names of this process's drafts: those of another were left by a death."""
_PART = ".part"
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Draft:
    """A new file beside `root`, on its file system. Disappears unless it replaces another."""

    def __init__(self, root: Path) -> None:
        self._path = root.parent / f"{_MINE}{secrets.token_hex(8)}{_PART}"
        self.file = os.fdopen(os.open(self._path, _NEW, 0o600), "r+b")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()
        with suppress(OSError):
            self._path.unlink()

    def replace(self, name: str, parent: int) -> None:
        """Take the place of the file `name` in the open directory `parent`, in one step."""
        os.replace(self._path, name, dst_dir_fd=parent)


def is_wanted(name: str) -> bool:
    """It is of a draft that this process writes."""
    return name.startswith(_MINE)


def drafts_beside(root: Path) -> int:
    """Bytes on disk that this process's drafts take."""
    size = 0
    for path in _beside(root.parent):
        with suppress(FileNotFoundError):
            size += path.stat().st_blocks * 512
    return size


def sweep_drafts(folder: Path) -> None:
    """Delete the drafts in it that nobody writes any more."""
    for path in _beside(folder):
        if not is_wanted(path.name):
            with suppress(FileNotFoundError):
                path.unlink()


def _beside(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        yield from list(folder.glob(f".*{_PART}"))
