"""Users' files fill neither their workspace nor the disk that the server writes its logs to."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from pathlib import Path

import msgspec
import pytest

from agent.errors import Problem
from agent.sandbox.bubblewrap import Bubblewrap
from agent.sandbox.capacity import Capacity, Disk, disk_of
from agent.sandbox.port import Exit, SandboxLimits
from tests.agent.sandbox.conftest import LIMITS
from tests.agent.sandbox.running import Commands, alive

MIB = 1024 * 1024
RESERVE = msgspec.structs.replace(LIMITS, reserve_mib=100)


class Filling:
    """A large disk: what is free of it is `free` MiB less what lies in the tree."""

    def __init__(self, tree: Path, free: int) -> None:
        self.tree = tree
        self.free = free

    def __call__(self, _: Path) -> Disk:
        found = [path.stat().st_blocks * 512 for path in self.tree.iterdir()]
        return Disk(self.free * MIB - sum(found), 10**12)


def commands_on(
    tree: Path, disk: Filling, executor: ThreadPoolExecutor, limits: SandboxLimits = RESERVE
) -> Commands:
    return Commands(Bubblewrap(limits, executor, look_every=0.05, disk=disk), tree)


def test_the_reserve_is_at_most_a_twentieth_of_the_disk() -> None:
    limits = SandboxLimits(reserve_mib=100)

    def left(size: int) -> int:
        return Capacity(limits, lambda _: Disk(1000 * MIB, size)).left(Path("/")) // MIB

    assert [left(size) for size in (10**12, 1000 * MIB, 0)] == [900, 950, 1000]


def test_a_real_disk_has_a_size_and_less_free(tmp_path: Path) -> None:
    disk = disk_of(tmp_path)
    assert 0 <= disk.free <= disk.size


def test_what_just_fits_is_held_and_spared() -> None:
    limits = SandboxLimits(workspace_mib=1, reserve_mib=1)
    capacity = Capacity(limits, lambda _: Disk(MIB + 5, 10**12))
    capacity.hold(MIB - 5, 5)
    capacity.spare(Path("/"), 5)
    with pytest.raises(Problem, match="The workspace holds 0 of 1 MiB"):
        capacity.hold(MIB - 5, 6)
    with pytest.raises(Problem, match="disk is nearly full"):
        capacity.spare(Path("/"), 6)


async def test_a_command_that_reaches_the_reserve_is_cut(
    sandbox: Bubblewrap, tree: Path, executor: ThreadPoolExecutor, marker: str
) -> None:
    commands = commands_on(tree, Filling(tree, 105), executor)
    ended = await commands(f": {marker}; while :; do n=$((n+1)); head -c 1M /dev/zero > f$n; done")
    assert ended.cut == "disk"
    assert alive(marker) == []


async def test_no_file_grows_larger_than_the_disk_can_spare(
    sandbox: Bubblewrap, tree: Path, executor: ThreadPoolExecutor
) -> None:
    commands = commands_on(tree, Filling(tree, 103), executor)
    ended = await commands("exec cat /dev/zero > f")
    assert ended.code != 0
    assert (tree / "f").stat().st_size == 3 * MIB


async def test_a_full_disk_can_be_cleared_up_but_not_filled_further(
    sandbox: Bubblewrap, tree: Path, executor: ThreadPoolExecutor
) -> None:
    (tree / "old").write_bytes(b"x" * MIB)
    tree.chmod(0o777)
    commands = commands_on(tree, Filling(tree, 51), executor)
    assert (await commands("echo more > new")).code != 0
    assert (await commands("while :; do mkdir -p d/$((n+=1)); done")).cut == "disk"
    assert await commands("sleep 0.3; rm -r old d new") == Exit(0)


async def test_what_fills_the_disk_unseen_is_cut_too(
    sandbox: Bubblewrap, tree: Path, executor: ThreadPoolExecutor
) -> None:
    looks: Iterator[int] = chain([150, 150, 150], repeat(99))

    def seen(_: Path) -> Disk:
        return Disk(next(looks) * MIB, 10**12)

    unseen = Bubblewrap(RESERVE, executor, look_every=0.05, disk=seen)
    assert (await Commands(unseen, tree)("sleep 1000")).cut == "disk"
