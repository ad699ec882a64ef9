"""The one thread that writes: it takes all that is queued and commits it as one transaction."""

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from agent.errors import Problem, Unrecorded
from server.store.ballast import Ballast
from server.store.errors import Failure, StoreProblem, explained, primary
from server.store.generation import Mark

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
"""What a transaction does for one job. It raises a Problem only before it wrote anything."""

COPY_AFTER = 16
"""Commits after which the write-ahead log is copied into the database as soon as nobody writes.
Where nobody pauses, SQLite does it in a commit, at the latest when half of its room is used."""
MOST_BEHIND = 64
"""Commits after which what is done later is done all the same, where nobody pauses."""
LULL_SECONDS = 0.02

UNEXPLAINED = "The store could not write this. The server's log says why."

_log = logging.getLogger(__name__)


class Later(Struct, frozen=True):
    """What may follow the commits a moment later: whether there is any, and a part of it."""

    lags: Callable[[sqlite3.Connection], bool]
    step: Callable[[sqlite3.Connection], object]


class Job(Struct, frozen=True):
    """`grows`: it begins something new, for which nothing is thrown overboard."""

    work: Work[Any]
    done: asyncio.Future[Any]
    size: int
    grows: bool


class Writer:
    """Owns the writing connection; jobs are committed in the order they were handed over.

    At most `max_jobs` and `max_bytes` wait; what is handed over beyond that fails at once. What
    commits leave to be done is done by `later`, step by step, when nobody waits: it looks for
    itself (`lags`), so nothing is lost with the process.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        database: Path,
        mark: Mark | None,
        ballast: Ballast | None,
        later: Later,
        *,
        max_jobs: int,
        max_bytes: int,
    ) -> None:
        self._connection = connection
        self._database = database
        self._mark = mark
        self._ballast = ballast
        self._later = later
        self._max_jobs = max_jobs
        self._max_bytes = max_bytes
        self._queued: list[Job] = []
        self._bytes = 0
        self._uncopied = 0
        self._behind = 1
        """Commits since nothing was left to be done; the last process may have left something."""
        self._closed: asyncio.Future[None] | None = None
        self.complaint = ""
        """Why commits fail since the last one that did not: a full disk is logged once."""
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T], size: int, *, grows: bool = False) -> asyncio.Future[T]:
        """Hand over without waiting; the future is done when the commit is on disk."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._changed:
            refusal = self._refusal(size)
            if refusal is None:
                self._queued.append(Job(work, done, size, grows))
                self._bytes += size
                self._changed.notify()
        if refusal is not None:
            done.set_exception(Unrecorded(refusal))
        return done

    def _refusal(self, size: int) -> str | None:
        if self._closed is not None:
            return "The store is closed. Try again when the server is back."
        if self._queued and (
            len(self._queued) >= self._max_jobs or self._bytes + size > self._max_bytes
        ):
            return (
                f"{len(self._queued)} of {self._max_jobs} commits and {self._bytes} of"
                f" {self._max_bytes} bytes wait for the disk. Try again in a moment."
            )
        return None

    async def close(self) -> None:
        """Commit what is queued and let go of the file; a second call waits for the first."""
        with self._changed:
            if self._closed is None:
                self._closed = asyncio.get_running_loop().create_future()
                self._changed.notify()
        await asyncio.shield(self._closed)

    # ---- in the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while (jobs := self._take()) is not None:
            if jobs:
                self._tell(_resolve, jobs[0].done, jobs, self._commit(jobs))
                self._uncopied += 1
                self._behind += 1
                if self._behind > MOST_BEHIND:
                    self._catch_up()
            elif self._behind:
                self._catch_up()
            elif self._uncopied >= COPY_AFTER:
                self._copy()
            if self._ballast is not None:
                self._ballast.look()
        if self._ballast is not None:
            self._ballast.put_away()
        self._connection.close()
        if self._mark is not None:
            self._mark.close()
        if self._closed is not None:
            self._tell(_finish, self._closed, self._closed)

    def _take(self) -> list[Job] | None:
        """All that is queued, as soon as there is something, or it is time for other work.

        None when it is time to go.
        """
        with self._changed:
            if not self._queued and self._closed is None:
                self._changed.wait(self._patience())
            if not self._queued and self._closed is not None:
                return None
            jobs, self._queued, self._bytes = self._queued, [], 0
            return jobs

    def _commit(self, jobs: Sequence[Job]) -> list[Any]:
        """What became of each job: its result, or the exception for its future.

        When one job breaks the transaction, each gets one of its own, so that it fails alone (one
        of the four broad excepts: whatever went wrong, the thread lives on).
        """
        writing = False
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            writing = True
            outcomes = [_attempt(job, self._connection) for job in jobs]
            if self._mark is not None:
                self._mark.count(self._connection)
            writing = False
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - see above
            self._roll_back()
            full = self._is_full(error)
            if (writing or full) and len(jobs) > 1:
                return [outcome for job in jobs for outcome in self._commit([job])]
            if full and not jobs[0].grows and self._make_room():
                return self._commit(jobs)
            return self._failed(jobs, error)
        if self._mark is not None:
            self._mark.keep(committed=1)
        self.complaint = ""
        return outcomes

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _is_full(self, error: Exception) -> bool:
        """What then is rolled back is surely not committed: no frame of it was whole."""
        number = primary(error)
        if number == sqlite3.SQLITE_IOERR and self._ballast is not None:
            return self._ballast.explains()
        return number == sqlite3.SQLITE_FULL

    def _make_room(self) -> bool:
        """Once; what the log holds is moved into the database, so that it begins anew."""
        if self._ballast is None or not self._ballast.drop():
            return False
        self._copy()
        return True

    def _patience(self) -> float | None:
        """Seconds without a job after which something else is done."""
        if self._behind or self._uncopied >= COPY_AFTER:
            return LULL_SECONDS
        return self._ballast.look_seconds if self._ballast else None

    def _catch_up(self) -> None:
        """One step. Where it fails, it is tried again behind the next commit, which tells why.

        The mark does not count it: a database that lost this alone has lost nothing.
        """
        try:
            if not self._later.lags(self._connection):
                self._behind = 0
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._later.step(self._connection)
            self._connection.execute("COMMIT")
            self._uncopied += 1
        except sqlite3.Error:
            self._behind = 0
            self._roll_back()

    def _copy(self) -> None:
        """What cannot be copied stays in the log, from which it is read as well."""
        self._uncopied = 0
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint").fetchall()

    def _failed(self, jobs: Sequence[Job], error: Exception) -> list[Any]:
        """Where the database is, is for the log; clients are told without."""
        if isinstance(error, Failure):
            full = self._is_full(error)
            problem, trace = explained(error, full=full), None
            said = explained(error, self._database, full=full).message
        else:
            problem, trace = StoreProblem("store_failed", UNEXPLAINED), error
            said = problem.message
        if problem.message != self.complaint:
            _log.error("a commit failed: %s", said, exc_info=trace)
            self.complaint = problem.message
        lost = Unrecorded(problem.message)
        return [problem if job.grows and problem.code == "disk_full" else lost for job in jobs]

    def _tell(self, act: Callable[..., None], future: asyncio.Future[Any], *args: Any) -> None:
        """One call into the loop for a whole batch; a loop that is closed has nobody waiting."""
        with contextlib.suppress(RuntimeError):
            future.get_loop().call_soon_threadsafe(act, *args)


def _attempt(job: Job, connection: sqlite3.Connection) -> Any:
    try:
        return job.work(connection)
    except Problem as problem:
        return problem


def _resolve(jobs: Sequence[Job], outcomes: Sequence[Any]) -> None:
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.done.done():
            continue
        if isinstance(outcome, Exception):
            job.done.set_exception(outcome)
        else:
            job.done.set_result(outcome)


def _finish(closed: asyncio.Future[None]) -> None:
    closed.set_result(None)
