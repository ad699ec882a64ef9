"""One thread commits what is queued: together, in order, each job failing for itself alone."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agent.errors import Unrecorded
from server.errors import NoSuchSession
from server.store.sqlite import DATABASE, Limits, SqliteStore
from server.store.writer import COPY_AFTER, MOST_BEHIND, Later, Writer
from tests.server.store.conftest import WriteLock
from tests.server.store.samples import body, commit, indexed, receipt, session

COMMITS = "SELECT value FROM meta WHERE name = 'commits'"
Ask = Callable[[str], list[tuple[int, ...]]]


async def outcomes(*futures: asyncio.Future[None]) -> list[BaseException | None]:
    return await asyncio.gather(*futures, return_exceptions=True)


async def test_what_waits_is_one_commit(
    store: SqliteStore, write_locked: WriteLock, ask: Ask
) -> None:
    for number in range(50):
        await store.create(session(f"s{number}"))
    ((before,),) = ask(COMMITS)
    with write_locked():
        waiting = [store.append(commit(f"s{number}", 2)) for number in range(50)]
    assert await outcomes(*waiting) == [None] * 50
    ((after,),) = ask(COMMITS)
    assert after - before <= 2


async def test_in_a_lull_the_log_is_copied_into_the_database(
    store: SqliteStore, directory: Path
) -> None:
    def without_the_log() -> int:
        place = f"file:{directory / DATABASE}?immutable=1"
        with (
            contextlib.suppress(sqlite3.DatabaseError),  # half copied
            contextlib.closing(sqlite3.connect(place, uri=True)) as file,
        ):
            found = file.execute("SELECT head FROM sessions").fetchone()
            return int(found[0]) if found else 0
        return 0

    await store.create(session())
    assert without_the_log() == 0
    for seq in range(2, COPY_AFTER + 3):
        await store.append(commit("s1", seq))
    async with asyncio.timeout(30):
        while without_the_log() < COPY_AFTER:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)


class Chores:
    """What is left to be done is done at the third step, or fails as often as is said."""

    def __init__(self, steps: int = 3, fails: int = 0) -> None:
        self.left = steps
        self.fails = fails
        self.failed, self.done = threading.Event(), threading.Event()
        self.later = Later(lambda c: self.left > 0, self._step)

    def _step(self, connection: sqlite3.Connection) -> None:
        if self.fails:
            self.fails -= 1
            self.failed.set()
            raise sqlite3.OperationalError("database or disk is full")
        self.left -= 1
        if not self.left:
            self.done.set()


@contextlib.asynccontextmanager
async def writing(folder: Path, chores: Chores) -> AsyncIterator[Writer]:
    place = folder / "some.db"
    connection = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
    writer = Writer(
        connection, place, None, None, chores.later, max_jobs=1_000, max_bytes=1_000_000
    )
    yield writer
    await writer.close()


async def test_in_a_lull_is_done_what_commits_left_to_be_done(tmp_path: Path) -> None:
    chores = Chores()
    async with writing(tmp_path, chores):
        assert await asyncio.to_thread(chores.done.wait, 60)


async def test_where_nobody_pauses_it_is_done_between_two_commits(tmp_path: Path) -> None:
    """Each job ends when the next one is queued already, so there never is a lull."""
    chores = Chores()
    loop = asyncio.get_running_loop()
    async with writing(tmp_path, chores) as writer:
        jobs: list[asyncio.Future[None]] = []

        def next_job(queued: threading.Event) -> None:
            jobs.append(writer.submit(work, 1))
            queued.set()

        def work(connection: sqlite3.Connection) -> None:
            if len(jobs) < 2 * MOST_BEHIND:
                queued = threading.Event()
                loop.call_soon_threadsafe(next_job, queued)
                queued.wait(60)
            elif not chores.done.is_set():
                raise AssertionError("the writer never found the time")

        next_job(threading.Event())
        while len(jobs) < 2 * MOST_BEHIND:
            await jobs[-1]
        await asyncio.gather(*jobs)


async def test_what_fails_then_is_tried_again_behind_the_next_commit(tmp_path: Path) -> None:
    chores = Chores(steps=1, fails=1)
    async with writing(tmp_path, chores) as writer:
        assert await asyncio.to_thread(chores.failed.wait, 60)
        await writer.submit(lambda c: None, 1)
        assert await asyncio.to_thread(chores.done.wait, 60)
        assert not writer.complaint


async def test_a_bad_job_of_a_batch_fails_alone(
    store: SqliteStore, write_locked: WriteLock
) -> None:
    await store.create(session("a"))
    await store.create(session("b"))
    await store.append(commit("a", 2, receipts=(receipt("taken", 2),)))
    with write_locked():
        good = store.append(commit("a", 3))
        gone = store.append(commit("gone", 2))
        stale = store.append(commit("a", 2))
        repeated = store.append(commit("a", 4, receipts=(receipt("taken", 4),)))
        unwritable = store.append(commit("b", 2, indexed=indexed(title="\ud800")))
        too_large = store.append(commit("b", 2, indexed=indexed(queue=2**70)))
        last = store.append(commit("b", 2))
    found = await outcomes(good, gone, stale, repeated, unwritable, too_large, last)
    assert [type(outcome) for outcome in found] == [
        type(None),
        NoSuchSession,
        Unrecorded,
        Unrecorded,
        Unrecorded,
        Unrecorded,
        type(None),
    ]
    page = await store.events_after("a", 0, limit=9, max_bytes=9999)
    assert page.bodies == (body(1), body(2), body(3))
    assert (await store.events_after("b", 0, limit=9, max_bytes=9999)).head == 2


async def test_a_job_that_was_only_pulled_down_with_a_batch_is_done_once(
    store: SqliteStore, write_locked: WriteLock
) -> None:
    await store.create(session("a"))
    with write_locked():
        first = store.append(commit("a", 2, receipts=(receipt("r", 2),)))
        repeated = store.append(commit("a", 3, receipts=(receipt("r", 3),)))
    assert (await outcomes(first, repeated))[0] is None
    assert await store.receipts("a") == (receipt("r", 2),)
    await store.append(commit("a", 3))


async def test_a_full_queue_refuses_at_once_and_keeps_what_it_took(
    directory: Path, write_locked: WriteLock
) -> None:
    store = SqliteStore.open(directory, limits=Limits(queued_jobs=2))
    for number in range(6):
        await store.create(session(f"s{number}"))
    with write_locked():
        waiting = [store.append(commit(f"s{number}", 2)) for number in range(6)]
        refused = [number for number, future in enumerate(waiting) if future.done()]
    found = await outcomes(*waiting)
    assert refused
    assert all(isinstance(found[number], Unrecorded) for number in refused)
    assert "of 2 commits" in str(found[refused[0]])
    heads = [row.head for row in [await store.row(f"s{n}") for n in range(6)] if row]
    assert heads == [1 if number in refused else 2 for number in range(6)]
    await store.close()


async def test_the_queue_counts_bytes_and_takes_one_large_commit(
    directory: Path, write_locked: WriteLock
) -> None:
    store = SqliteStore.open(directory, limits=Limits(queued_bytes=2000))
    await store.create(session("a"))
    await store.append(commit("a", 2, bodies=(b"x" * 5000,)))
    with write_locked():
        waiting = [store.append(commit("a", seq, bodies=(b"x" * 900,))) for seq in range(3, 8)]
        refused = [future for future in waiting if future.done()]
    found = await outcomes(*refused)
    assert found
    assert all("of 2000 bytes" in str(outcome) for outcome in found)
    await outcomes(*waiting)
    await store.close()


async def test_another_process_that_writes_for_too_long_costs_one_commit_only(
    directory: Path, write_locked: WriteLock
) -> None:
    store = SqliteStore.open(directory, limits=Limits(busy_seconds=0.05))
    await store.create(session("a"))
    with write_locked(), pytest.raises(Unrecorded, match="Another process"):
        await store.append(commit("a", 2))
    await store.append(commit("a", 2))
    await store.close()


async def test_a_complaint_lasts_until_a_commit_succeeds_if_only_one_of_nothing(
    directory: Path, write_locked: WriteLock
) -> None:
    store = SqliteStore.open(directory, limits=Limits(busy_seconds=0.01))
    await store.create(session("a"))
    assert store.complaint == ""
    with write_locked():
        with pytest.raises(Unrecorded):
            await store.append(commit("a", 2))
        store.try_again()
        with pytest.raises(Unrecorded):
            await store.append(commit("a", 2))
        assert "Another process" in store.complaint
    store.try_again()
    await store.close()
    assert [store.complaint] == [""]


async def test_closing_commits_what_is_queued_and_refuses_the_rest(directory: Path) -> None:
    store = SqliteStore.open(directory)
    await store.create(session("a"))
    queued = store.append(commit("a", 2))
    await store.close()
    assert queued.done()
    with pytest.raises(Unrecorded, match="closed"):
        await store.append(commit("a", 3))
    await store.close()
    again = SqliteStore.open(directory)
    assert (await again.events_after("a", 0, limit=9, max_bytes=999)).head == 2
    await again.close()


async def test_a_full_disk_fails_commits_with_a_reason_until_there_is_room(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore.open(directory, limits=Limits(max_pages=120))
    await store.create(session("large"))
    await store.create(session("small"))
    seq = 2

    async def fill() -> None:
        nonlocal seq
        while seq < 500:
            await store.append(commit("large", seq, bodies=(b"x" * 10_000,)))
            seq += 1

    with pytest.raises(Unrecorded, match="full") as refusal:
        await fill()
    assert refusal.value.code == "unavailable"
    assert "Free some space" in refusal.value.message
    repeated = [store.append(commit("large", seq, bodies=(b"x" * 10_000,))) for _ in range(20)]
    assert {type(outcome) for outcome in await outcomes(*repeated)} == {Unrecorded}
    assert len(caplog.records) == 1
    page = await store.events_after("large", 0, limit=500, max_bytes=10**9)
    assert (page.head, len(page.bodies)) == (seq - 1, seq - 1)
    await store.delete("large")
    await store.append(commit("small", 2, bodies=(b"x" * 10_000,)))
    await store.close()


def test_a_commit_outlives_the_loop_that_waited_for_it(directory: Path) -> None:
    async def hand_over() -> SqliteStore:
        store = SqliteStore.open(directory)
        await store.create(session("a"))
        abandoned = store.append(commit("a", 2))
        assert not abandoned.done()
        return store

    async def head() -> int:
        store = SqliteStore.open(directory)
        row = await store.row("a")
        await store.close()
        return row.head if row else 0

    left = asyncio.run(hand_over())
    asyncio.run(left.close())
    assert asyncio.run(head()) == 2
