"""What a running namespace uses of the machine, held against its limits."""

import os
import re
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Literal

from agent.sandbox.capacity import Capacity
from agent.sandbox.jail import MIB
from agent.sandbox.patience import Stop
from agent.sandbox.port import SandboxLimits
from agent.sandbox.room import Room, room_of

Excess = Literal["disk", "memory", "processes"]
_PAGE = os.sysconf("SC_PAGE_SIZE")
_INODE = 1024
"""Bytes of memory that a file in a memory file system takes, however empty."""
_RECOUNT = 20
"""Looks after which the workspace is counted again although the disk did not fill."""


_OF_OTHERS = 16 * MIB
"""What others may write while a command clears up on a full disk, before it is taken for it: so
much, or half of a small disk's reserve."""


class Gauge:
    """Looks into the namespace through the root of its `init`, which only it can change."""

    def __init__(
        self, init: int, workspace: Path, limits: SandboxLimits, capacity: Capacity
    ) -> None:
        self._limits = limits
        self._disk = _Disk(workspace, capacity)
        with ExitStack() as stack:
            self._proc, *self._memory_mounts = (
                _directory(stack, f"/proc/{init}/root/{place}")
                for place in ("proc", "tmp", "dev/shm")
            )
            self._descriptors = stack.pop_all()

    def look(self, stop: Stop) -> Excess | None:
        """Blocks: for milliseconds, or longer when a large workspace has to be counted."""
        tasks, resident = self._load()
        if tasks >= self._limits.processes:
            return "processes"
        if self._memory(resident) > self._limits.memory_mib * MIB:
            return "memory"
        return "disk" if self._disk.over(stop) else None

    def close(self) -> None:
        self._descriptors.close()

    def _load(self) -> tuple[int, int]:
        """Threads, and bytes of memory with what is shared counted for each that shares it."""
        tasks = resident = 0
        for process in self._processes():
            with suppress(OSError):
                fields = self._read(f"{process}/stat").rpartition(")")[2].split()
                tasks += int(fields[17])
                resident += int(fields[21]) * _PAGE
        return tasks, resident

    def _memory(self, resident: int) -> int:
        mounts = 0
        for mount in self._memory_mounts:
            use = os.fstatvfs(mount)
            mounts += (use.f_blocks - use.f_bfree) * use.f_frsize
            mounts += (use.f_files - use.f_ffree) * _INODE
        if resident + mounts <= self._limits.memory_mib * MIB:
            return resident + mounts
        return mounts + sum(self._share(process) for process in self._processes())

    def _share(self, process: str) -> int:
        """Its part of the memory in bytes, exact and slow to find."""
        with suppress(OSError):
            if share := re.search(r"Pss:\s+(\d+) kB", self._read(f"{process}/smaps_rollup")):
                return int(share[1]) * 1024
        return 0

    def _processes(self) -> list[str]:
        with suppress(OSError), os.scandir(self._proc) as entries:
            return [entry.name for entry in entries if entry.name.isdigit()]
        return []

    def _read(self, path: str) -> str:
        with os.fdopen(os.open(path, os.O_RDONLY, dir_fd=self._proc)) as file:
            return file.read()


class _Disk:
    """The workspace, counted only when the disk has filled by as much as it has room left.

    Over is what grows beyond the limit, or takes from the disk's reserve: a command that clears up
    a full workspace or a full disk may run, as long as it adds nothing.
    """

    def __init__(self, workspace: Path, capacity: Capacity) -> None:
        self._workspace = workspace
        self._capacity = capacity
        self._start: Room | None = None
        self._free_then = 0
        self._free_at_start = self._free_then = self._free()
        started_full = self._free_at_start <= 0
        self._limit = 0 if started_full else capacity.limit
        others = min(_OF_OTHERS, capacity.reserve(workspace) // 2)
        self._least = self._free_at_start - others if started_full else 0
        self._headroom = 0
        self._looks = 0

    def over(self, stop: Stop) -> bool:
        free = self._free()
        if free < self._least:
            return True
        self._looks += 1
        if self._start and self._free_then - free < self._headroom and self._looks % _RECOUNT:
            return False
        room = room_of(self._workspace, stop)
        start = self._start = self._start or room
        self._free_then = free
        self._headroom = max(self._limit - room.bytes, 0)
        if room.hidden and not start.hidden:
            return True
        unseen = self._free_at_start - free if room.hidden else 0
        return max(room.bytes, unseen) > max(self._limit, start.bytes)

    def _free(self) -> int:
        """Bytes above the reserve; as before when the workspace has just been deleted."""
        try:
            return self._capacity.left(self._workspace)
        except FileNotFoundError:
            return self._free_then


def _directory(stack: ExitStack, path: str) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    stack.callback(os.close, descriptor)
    return descriptor
