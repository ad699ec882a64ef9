"""The workspace as the file tools may use it: what is there is read before it is changed."""

import os
import threading
from collections import OrderedDict
from pathlib import Path

from agent.errors import Problem
from agent.sandbox.beneath import Beneath, parts_of
from agent.sandbox.capacity import Capacity
from agent.sandbox.jail import HOME, MIB
from agent.sandbox.owner import Owner
from agent.sandbox.patience import Stop
from agent.sandbox.room import room_of

MAX_FILE = 32 * MIB
REMEMBERED = 10_000
_Version = tuple[int, int, int]


class Desk:
    """Blocking, on any thread; raises Problem. Remembers the versions of what was read or written.

    At most `remembered` of them: of the oldest the agent is told to read them again.
    """

    def __init__(
        self, capacity: Capacity, owner: Owner | None, remembered: int = REMEMBERED
    ) -> None:
        self._capacity = capacity
        self._owner = owner
        self._remembered = remembered
        self._seen: OrderedDict[tuple[Path, str], _Version] = OrderedDict()
        self._guard = threading.Lock()

    def read(self, tree: Path, path: str) -> bytes:
        path = relative(path)
        content, version = self._content(tree, path)
        self._remember(tree, path, version)
        return content

    def read_again(self, tree: Path, path: str) -> bytes:
        """To change it: it must be what the agent has seen."""
        path = relative(path)
        content, version = self._content(tree, path)
        self._must_know(tree, path, version)
        return content

    def replace(self, tree: Path, path: str, content: bytes, stop: Stop) -> bool:
        """Whether there was a file before, which must have been seen as it was."""
        path = relative(path)
        found = Beneath(tree).stat(path)
        if found is not None:
            self._must_know(tree, path, _version(found))
        self._capacity.hold(room_of(tree, stop).bytes, len(content))
        self._capacity.spare(tree, len(content))
        self._remember(tree, path, _version(Beneath(tree, self._owner).write(path, content)))
        return found is not None

    def _content(self, tree: Path, path: str) -> tuple[bytes, _Version]:
        with Beneath(tree).open(path) as file:
            content = file.read(MAX_FILE + 1)
            version = _version(os.fstat(file.fileno()))
        if len(content) > MAX_FILE:
            says = f"{path} is larger than {MAX_FILE // MIB} MiB"
            raise Problem("too_large", f"{says}. Look at parts of it with bash.")
        if b"\0" in content[:8192]:
            raise Problem("binary", f"{path} is a binary file. Look at it with bash.")
        return content, version

    def _must_know(self, tree: Path, path: str, version: _Version) -> None:
        with self._guard:
            seen = self._seen.get((tree, path))
        if seen is None:
            raise Problem("not_read", f"{path} exists. Read it before you change it.")
        if seen != version:
            raise Problem("not_read", f"{path} has changed since you read it. Read it again.")

    def _remember(self, tree: Path, path: str, version: _Version) -> None:
        with self._guard:
            self._seen[tree, path] = version
            self._seen.move_to_end((tree, path))
            while len(self._seen) > self._remembered:
                self._seen.popitem(last=False)


def relative(path: str) -> str:
    """The path as seen from the workspace; commands know it as an absolute one, too."""
    return "/".join(parts_of(path.removeprefix(f"{HOME}/")))


def _version(found: os.stat_result) -> _Version:
    return found.st_ino, found.st_size, found.st_mtime_ns
