"""What a tree of files holds, in a form that can be compared."""

import os
import stat
from pathlib import Path

Snapshot = dict[str, tuple[str, int, bytes]]
"""By path: what it is, its mode, its content or where it points."""


def snapshot(tree: Path) -> Snapshot:
    found: Snapshot = {}
    for path in sorted(tree.rglob("*")):
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        name = str(path.relative_to(tree))
        if stat.S_ISLNK(status.st_mode):
            found[name] = ("link", 0, os.fsencode(path.readlink()))
        elif stat.S_ISDIR(status.st_mode):
            found[name] = ("directory", mode, b"")
        else:
            found[name] = ("file", mode, path.read_bytes())
    return found
