"""Putting files of the tree into checkpoints that are older than they."""

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.sandbox.erase import erase
from agent.sandbox.mirror import Mirror, Seal, seal_of
from agent.sandbox.patience import Stop, check
from agent.sandbox.seals import read_seals, write_seals


class Adoption:
    """Files in the root of `tree` are copied once, into `drafts`, and from there linked.

    Each file takes its place in one step. Killed in between, some checkpoints have it and some do
    not, but no seal ever speaks of content that a checkpoint does not have.
    """

    def __init__(self, tree: Path, drafts: Path, stop: Stop) -> None:
        self._tree = tree
        self._drafts = drafts
        self._stop = stop

    def put(self, names: Collection[str], places: Sequence[Path]) -> None:
        """`places` are checkpoints, with `files` and `seals`."""
        erase(self._drafts, self._stop)
        for folder in ("copies", "link"):
            (self._drafts / folder).mkdir(mode=0o700, parents=True)
        seals = self._copies(names)
        for place in places:
            known = read_seals(place)
            kept = {path: seal for path, seal in known.items() if path.split("/")[0] not in seals}
            if len(kept) < len(known):
                write_seals(place, kept)
            with _writable(place / "files"):
                for number, name in enumerate(seals):
                    self._link(name, place / "files" / name, number)
            write_seals(place, kept | {path: seal for path, seal in seals.items() if seal})
        erase(self._drafts, self._stop)

    def _copies(self, names: Collection[str]) -> dict[str, Seal | None]:
        """Copy what is there; None where a command changed it meanwhile."""
        seals: dict[str, Seal | None] = {}
        for name in names:
            with suppress(FileNotFoundError):
                before = (self._tree / name).lstat()
                if stat.S_ISREG(before.st_mode):
                    after = Mirror(self._stop).one(self._tree, self._drafts / "copies", name)
                    seals[name] = after if after == seal_of(before) else None
        return seals

    def _link(self, name: str, target: Path, number: int) -> None:
        """A directory of then that is in the way goes aside, and is erased with the drafts."""
        check(self._stop)
        link = self._drafts / "link" / "file"
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(target.lstat().st_mode):
                target.chmod(0o700)
                target.rename(self._drafts / f"{target.parents[1].name}.{number}")
        os.link(self._drafts / "copies" / name, link)
        link.replace(target)


@contextmanager
def _writable(directory: Path) -> Iterator[None]:
    """A copied directory has the mode and the times of the one it was copied from."""
    found = directory.stat()
    directory.chmod(0o700)
    try:
        yield
    finally:
        directory.chmod(stat.S_IMODE(found.st_mode))
        os.utime(directory, ns=(found.st_atime_ns, found.st_mtime_ns))
