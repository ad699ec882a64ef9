"""On a full disk what runs can end: there is room that only the store can use."""

import sqlite3
from pathlib import Path

import pytest

from agent.errors import Unrecorded
from agent.sandbox.capacity import Disk
from server.store.ballast import CRAMPED, Ballast, allocate
from server.store.errors import StoreProblem
from server.store.sqlite import DATABASE, Limits, SqliteStore
from tests.server.sessions.house import eventually
from tests.server.store.faulty import Fault, Trouble, troubled
from tests.server.store.samples import body, commit, fork, session

MIB = 1024 * 1024
LIMITS = Limits(look_seconds=0.01)
FULL = sqlite3.SQLITE_FULL


class Filling:
    """A large disk with `free` bytes of room, and more when the ballast is gone."""

    def __init__(self, directory: Path, free: int = 1000 * MIB) -> None:
        self.ballast = directory / "ballast"
        self.free = free

    def __call__(self, _: Path) -> Disk:
        held = self.ballast.stat().st_size if self.ballast.exists() else 0
        return Disk(max(self.free - held, 0), 10**12)


@pytest.fixture
def disk(directory: Path) -> Filling:
    return Filling(directory)


@pytest.fixture
def ballast(directory: Path, disk: Filling) -> Ballast:
    directory.mkdir()
    return Ballast(directory, 16 * MIB, disk=disk)


# ---- the file ------------------------------------------------------------------------------------


async def test_room_is_taken_at_the_start_block_by_block_and_given_back_at_the_end(
    directory: Path,
) -> None:
    store = SqliteStore.open(directory)
    for name, size in (("ballast", 16 * MIB), (f"{DATABASE}-wal", 8 * MIB)):
        found = (directory / name).stat()
        assert found.st_size == size
        assert found.st_blocks * 512 >= size
        assert found.st_mode & 0o777 == 0o600
    await store.create(session())
    await store.close()
    assert {path.name for path in directory.iterdir()} == {DATABASE, "lock", "mooring.mark"}


async def test_commits_stay_within_the_room_of_their_log(directory: Path) -> None:
    store = SqliteStore.open(directory, limits=Limits(journal_bytes=MIB))
    await store.create(session())
    for seq in range(2, 400):
        await store.append(commit("s1", seq, bodies=(body(seq, "x" * 4000),)))
    assert (directory / f"{DATABASE}-wal").stat().st_size == MIB
    await store.close()


def test_a_small_disk_gives_a_small_share(directory: Path) -> None:
    directory.mkdir()
    ballast = Ballast(directory, 16 * MIB, disk=lambda _: Disk(50 * MIB, 64 * MIB))
    ballast.look()
    assert (directory / "ballast").stat().st_size == 2 * MIB


def test_where_the_system_cannot_allocate_zeros_are_written_behind_what_is_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"kept")
    allocate(path, 3 * MIB, None)
    assert path.read_bytes() == b"kept" + bytes(3 * MIB - 4)


def test_it_takes_more_room_to_end_a_shortage_than_to_begin_one(
    ballast: Ballast, disk: Filling, caplog: pytest.LogCaptureFixture
) -> None:
    seen = []
    for free in (1000, 21, 19, 21, 23, 25, 19, 25):
        disk.free = free * MIB
        ballast.look()
        seen.append(bool(ballast.cramped))
    assert seen == [False, False, True, True, True, False, True, False]
    assert len(caplog.records) == 4
    assert disk.ballast.exists()


def test_what_was_dropped_is_laid_again_when_there_is_room_for_it_and_half_as_much(
    ballast: Ballast, disk: Filling
) -> None:
    ballast.look()
    disk.free = 16 * MIB
    assert ballast.drop()
    assert not ballast.drop()
    assert not disk.ballast.exists()
    there = []
    for free in (16, 23, 24, 16):
        disk.free = free * MIB
        ballast.look()
        there.append((disk.ballast.exists(), bool(ballast.cramped)))
    assert there == [(False, True), (False, True), (True, False), (True, True)]


def test_a_ballast_that_would_not_help_is_not_dropped(ballast: Ballast, disk: Filling) -> None:
    ballast.look()
    assert not ballast.drop()
    assert disk.ballast.exists()


def test_a_disk_that_takes_no_ballast_is_cramped(directory: Path, disk: Filling) -> None:
    nowhere = Ballast(directory / "gone", 16 * MIB, disk=disk)
    nowhere.look()
    assert nowhere.cramped == CRAMPED


def test_a_disk_that_cannot_be_asked_is_not_called_full(ballast: Ballast, directory: Path) -> None:
    asked = iter([Disk(1000 * MIB, 10**12)])

    def unknown(_: Path) -> Disk:
        if (found := next(asked, None)) is None:
            raise OSError("It does not say.")
        return found

    ballast = Ballast(directory, 16 * MIB, disk=unknown)
    ballast.look()
    assert not ballast.cramped


# ---- the store on it -----------------------------------------------------------------------------


async def opened(
    directory: Path, disk: Filling, trouble: Trouble | None = None, limits: Limits = LIMITS
) -> SqliteStore:
    """With session s1 in it."""
    kind = troubled(trouble or Trouble())
    store = SqliteStore.open(directory, limits=limits, kind=kind, disk=disk)
    await store.create(session(idempotency_key="once"))
    return store


@pytest.mark.parametrize("at", [1, 2, 4])
async def test_what_a_full_disk_refuses_is_committed_on_the_ballasts_room(
    at: int, directory: Path, disk: Filling
) -> None:
    trouble = Trouble()
    store = await opened(directory, disk, trouble)
    disk.free = 16 * MIB
    trouble.begin(Fault(at, "before", FULL))
    await store.append(commit("s1", 2))
    assert len(trouble.met) == 1
    assert not disk.ballast.exists()
    assert (store.cramped, store.complaint) == (CRAMPED, "")
    await store.append(commit("s1", 3))
    await store.delete("s1")
    await store.close()


async def test_every_commit_of_a_batch_is_tried_again(directory: Path, disk: Filling) -> None:
    trouble = Trouble()
    store = await opened(directory, disk, trouble)
    await store.create(session("s2"))
    disk.free = 16 * MIB
    trouble.begin(Fault(1, "before", FULL, times=2))
    first = store.append(commit("s1", 2))
    second = store.append(commit("s1", 3))
    third = store.append(commit("s2", 2))
    await first
    await second
    await third
    assert (await store.events_after("s1", 0, limit=9, max_bytes=999)).head == 3
    await store.close()


async def test_an_input_output_error_on_a_disk_without_a_page_is_a_full_disk(
    directory: Path, disk: Filling
) -> None:
    trouble = Trouble()
    store = await opened(directory, disk, trouble)
    disk.free = 16 * MIB
    trouble.begin(Fault(1, "before", sqlite3.SQLITE_IOERR_SHMSIZE))
    await store.append(commit("s1", 2))
    assert not disk.ballast.exists()
    await store.close()


async def test_nothing_new_is_begun_until_there_is_room_again(
    directory: Path, disk: Filling
) -> None:
    store = await opened(directory, disk)
    disk.free = 16 * MIB
    await store.append(commit("s1", 2))
    await eventually(lambda: bool(store.cramped))
    for refused in (store.create(session("s2")), store.fork(fork("s3", "s1", 1))):
        with pytest.raises(StoreProblem) as refusal:
            await refused
        assert refusal.value.code == "disk_full"
        assert str(directory) not in refusal.value.message
    row, new = await store.create(session("s4", idempotency_key="once"))
    assert (row.id, new) == ("s1", False)
    await store.append(commit("s1", 3))
    disk.free = 1000 * MIB
    await eventually(lambda: not store.cramped)
    await store.create(session("s2"))
    await store.close()


async def test_for_what_is_new_nothing_is_dropped(directory: Path, disk: Filling) -> None:
    trouble = Trouble()
    store = await opened(directory, disk, trouble)
    disk.free = 16 * MIB + 5 * MIB
    trouble.begin(Fault(1, "before", FULL, times=-1))
    with pytest.raises(StoreProblem, match="full") as refusal:
        await store.create(session("s2"))
    assert refusal.value.code == "disk_full"
    assert disk.ballast.exists()
    await store.close()


async def test_without_a_ballast_left_a_full_disk_fails_commits_and_names_no_path_to_clients(
    directory: Path, disk: Filling, caplog: pytest.LogCaptureFixture
) -> None:
    trouble = Trouble()
    store = await opened(directory, disk, trouble)
    disk.free = 16 * MIB
    trouble.begin(Fault(1, "before", FULL, times=-1))
    with pytest.raises(Unrecorded, match="full") as refusal:
        await store.append(commit("s1", 2))
    for told in (refusal.value.message, store.complaint):
        assert str(directory) not in told
    assert str(directory) in caplog.text
    trouble.begin(None)
    await store.append(commit("s1", 2))
    assert store.complaint == ""
    await store.close()


@pytest.mark.parametrize("left", [16 * MIB, 5 * MIB])
def test_what_a_killed_server_left_is_a_ballast_if_it_is_large_enough(
    left: int, ballast: Ballast, disk: Filling
) -> None:
    allocate(disk.ballast, left)
    disk.free = 16 * MIB + 10 * MIB
    ballast.take_over()
    ballast.look()
    assert not ballast.cramped
    assert disk.ballast.stat().st_size == 16 * MIB
    disk.free = 16 * MIB
    assert ballast.drop()


async def test_what_a_killed_server_left_is_room_to_start_on_a_full_disk(
    directory: Path, disk: Filling
) -> None:
    store = await opened(directory, disk)
    await store.close()
    allocate(disk.ballast, 16 * MIB)
    disk.free = 18 * MIB
    again = SqliteStore.open(directory, limits=LIMITS, disk=disk)
    assert not disk.ballast.exists()
    assert again.cramped == CRAMPED
    await again.append(commit("s1", 2))
    await again.close()
