"""How much users' files may take: of their workspace, and of the disk that the server shares."""

import os
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from agent.errors import Problem
from agent.sandbox.jail import MIB
from agent.sandbox.port import SandboxLimits

SHARE = 20
"""The reserve is at most one part in so many of a disk, so that small ones can be used too."""


class Disk(Struct, frozen=True):
    """In bytes."""

    free: int
    size: int


def disk_of(place: Path) -> Disk:
    use = os.statvfs(place)
    return Disk(use.f_bavail * use.f_frsize, use.f_blocks * use.f_frsize)


class Capacity:
    """Of each workspace `limit` bytes; of the disk all but a reserve, from which logs are written.

    Refusals are Problem `no_room`.
    """

    def __init__(self, limits: SandboxLimits, disk: Callable[[Path], Disk] = disk_of) -> None:
        self.limit = limits.workspace_mib * MIB
        self._reserve = limits.reserve_mib * MIB
        self._disk = disk

    def left(self, place: Path) -> int:
        """Bytes of the disk that files may still take; below zero inside the reserve."""
        disk = self._disk(place)
        return disk.free - self._reserved(disk)

    def reserve(self, place: Path) -> int:
        """Bytes of the disk that are not for files."""
        return self._reserved(self._disk(place))

    def _reserved(self, disk: Disk) -> int:
        return min(self._reserve, disk.size // SHARE)

    def hold(self, used: int, more: int) -> None:
        """Refuse what does not fit into a workspace that holds `used` bytes."""
        if used + more > self.limit:
            says = f"The workspace holds {used // MIB} of {self.limit // MIB} MiB"
            raise Problem("no_room", f"{says}, too much for this file. Delete something first.")

    def spare(self, place: Path, more: int) -> None:
        """Refuse what the disk cannot spare."""
        if more > self.left(place):
            says = "The server's disk is nearly full: its reserve is not for files"
            raise Problem("no_room", f"{says}. Delete something first.")
