"""Deleting a tree that somebody else made, however deep and however closed."""

import os
from contextlib import suppress
from itertools import count
from pathlib import Path

from agent.sandbox.patience import Stop, check

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def erase(tree: Path, stop: Stop) -> None:
    """Delete `tree`. Each directory in it is first moved up beside it, so that no path grows long.

    Interrupted, it leaves directories beside it whose names begin with a dot.
    """
    if tree.is_symlink() or not tree.is_dir():
        tree.unlink(missing_ok=True)
        return
    places = (tree.with_name(f".{tree.name}.{number}") for number in count())
    free = (place for place in places if not place.exists())
    pending = [tree]
    while pending:
        directory = pending.pop()
        directory.chmod(0o700)
        opened = os.open(directory, _DIRECTORY)
        try:
            with os.scandir(opened) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
            for name, is_directory in found:
                check(stop)
                if is_directory:
                    pending.append(_moved_up(name, opened, next(free)))
                else:
                    os.unlink(name, dir_fd=opened)
        finally:
            os.close(opened)
        with suppress(FileNotFoundError):
            directory.rmdir()


def _moved_up(name: str, parent: int, place: Path) -> Path:
    """Moving a directory writes to it, so its owner has to be let in first."""
    os.chmod(name, 0o700, dir_fd=parent)
    os.rename(name, place, src_dir_fd=parent)
    return place
