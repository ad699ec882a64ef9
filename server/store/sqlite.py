"""The store on SQLite: one file in the data directory, one writing thread, a few reading ones."""

import asyncio
import contextlib
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from agent.sandbox.capacity import Disk, disk_of
from server.store import database as files
from server.store import examiner, generation, reads, rows, schema, search, tokens, writes
from server.store.audit import AuditTable
from server.store.ballast import Ballast, scaled
from server.store.generation import Mark
from server.store.identities import Identities
from server.store.lock import DirectoryLock, prepare
from server.store.port import (
    Append,
    Draft,
    DraftPiece,
    EventPage,
    NewFork,
    NewSession,
    Picked,
    RowPage,
    SessionRow,
    StoredReceipt,
    Token,
)
from server.store.readers import Readers
from server.store.shares import ShareTable
from server.store.tool_logins import ToolLoginTable
from server.store.writer import Later, Writer

DATABASE = "mooring.db"
_MIB = 1024 * 1024
_JOB_BYTES = 500
"""What a job weighs beside its bodies, in the writer's queue."""


class Limits(Struct, frozen=True):
    """What the store holds at most; a file up to `checked_bytes` is checked whole at the start."""

    queued_jobs: int = 10_000
    queued_bytes: int = 64 * _MIB
    reader_threads: int = 4
    waiting_reads: int = 1_000
    busy_seconds: float = 5.0
    checked_bytes: int = 16 * _MIB
    journal_bytes: int = 8 * _MIB
    """The room of the write-ahead log, taken at the start; less on a small disk."""
    ballast_bytes: int = 16 * _MIB
    """What is dropped when the disk is full; less on a small disk."""
    look_seconds: float = 1.0
    """Between two looks at how full the disk is."""
    max_pages: int | None = None


DEFAULTS = Limits()


def _new_generation() -> str:
    return secrets.token_hex(8)


class SqliteStore:
    """Implements the Store port; see there for what each method promises."""

    def __init__(
        self,
        database: Path,
        connection: sqlite3.Connection,
        mark: Mark | None,
        lock: DirectoryLock | None,
        ballast: Ballast | None,
        limits: Limits,
    ) -> None:
        self.log_generation = generation.of(connection)
        self.directory = database.parent
        self._database = database
        self._lock = lock
        self._ballast = ballast
        self._checked_bytes = limits.checked_bytes
        self._writer = Writer(
            connection,
            database,
            mark,
            ballast,
            Later(search.lags, search.learn),
            max_jobs=limits.queued_jobs,
            max_bytes=limits.queued_bytes,
        )
        self._readers = Readers(
            database,
            threads=limits.reader_threads,
            max_waiting=limits.waiting_reads,
            busy_seconds=limits.busy_seconds,
        )
        self.audit = AuditTable(self._writer, self._readers)
        self.identities = Identities(self._writer, self._readers)
        self.shares = ShareTable(self._writer, self._readers)
        self.tool_logins = ToolLoginTable(self._writer, self._readers)

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        exclusive: bool = True,
        limits: Limits = DEFAULTS,
        steps: Sequence[schema.Step] = schema.STEPS,
        new_generation: Callable[[], str] = _new_generation,
        kind: type[sqlite3.Connection] = sqlite3.Connection,
        disk: Callable[[Path], Disk] = disk_of,
    ) -> "SqliteStore":
        """Open or begin the store of a data directory, or raise StoreProblem.

        A server opens it exclusively; a command that works beside a running one does not.
        """
        prepare(directory)
        database = directory / DATABASE
        with files.explaining(database), contextlib.ExitStack() as undo:
            lock = DirectoryLock.take(directory) if exclusive else None
            if lock is not None:
                undo.callback(lock.release)
            ballast = _ballast(directory, limits, disk) if exclusive else None
            files.check_not_emptied(database)
            files.check_not_cut_short(database)
            files.create(database)
            connection = files.for_writing(database, busy_seconds=limits.busy_seconds, kind=kind)
            undo.callback(connection.close)
            _make_ready(connection, database, lock, limits, steps)
            generation.begin(connection, new_generation)
            mark = Mark.take(connection, database, new_generation) if exclusive else None
            if ballast is not None:
                files.keep_journal(database, scaled(limits.journal_bytes, directory))
                ballast.look()
            store = cls(database, connection, mark, lock, ballast, limits)
            undo.pop_all()
        return store

    async def examine(self) -> str:
        """What is wrong with a file that was too large to be checked at the start, or nothing."""
        if self._database.stat().st_size <= self._checked_bytes:
            return ""
        return await examiner.examine(self._database)

    @property
    def complaint(self) -> str:
        return self._writer.complaint

    @property
    def cramped(self) -> str:
        return "" if self._ballast is None else self._ballast.cramped

    def try_again(self) -> None:
        tried = self._writer.submit(lambda c: None, _JOB_BYTES)
        tried.add_done_callback(lambda f: None if f.cancelled() else f.exception())

    async def close(self) -> None:
        """Let reads end, commit what is queued, let go of the files and the lock."""
        await self._readers.close()
        await self._writer.close()
        if self._lock is not None:
            self._lock.release()

    # ---- writing -------------------------------------------------------------------------------

    def append(self, append: Append) -> asyncio.Future[None]:
        size = sum(map(len, append.bodies)) + sum(map(len, append.words))
        return self._writer.submit(lambda c: writes.append(c, append), size + _JOB_BYTES)

    def draft(self, pieces: Sequence[DraftPiece]) -> asyncio.Future[None]:
        kept = tuple(pieces)
        size = sum(len(piece.text) + _JOB_BYTES for piece in kept)
        return self._writer.submit(lambda c: writes.draft(c, kept), size)

    async def create(self, new: NewSession) -> tuple[SessionRow, bool]:
        return await self._writer.submit(
            lambda c: writes.create(c, new, self._spare), len(new.body) + _JOB_BYTES, grows=True
        )

    async def fork(self, new: NewFork) -> SessionRow:
        size = len(new.body) + sum(map(len, new.tail))
        return await self._writer.submit(
            lambda c: writes.fork(c, new, self._spare), size + _JOB_BYTES, grows=True
        )

    async def delete(self, session: str) -> None:
        await self._writer.submit(lambda c: writes.delete(c, session), _JOB_BYTES)

    async def add_token(self, token: Token) -> None:
        await self._writer.submit(lambda c: tokens.add(c, token), _JOB_BYTES)

    async def revoke_token(self, token: str) -> bool:
        return await self._writer.submit(lambda c: tokens.revoke(c, token), _JOB_BYTES)

    def _spare(self) -> None:
        if self._ballast is not None:
            self._ballast.spare()

    # ---- reading -------------------------------------------------------------------------------

    async def row(self, session: str) -> SessionRow | None:
        return await self._readers.read(lambda c: reads.row(c, session))

    async def ids(self) -> frozenset[str]:
        return await self._readers.read(reads.ids)

    async def rows(
        self, owner: str | None, *, limit: int, cursor: str | None, q: str, state: str
    ) -> RowPage:
        position = rows.position_of(cursor) if cursor else None
        return await self._readers.read(
            lambda c: reads.page(c, owner, limit=limit, position=position, q=q, state=state)
        )

    async def count(self, owner: str | None, state: str = "") -> int:
        return await self._readers.read(lambda c: reads.count(c, owner, state))

    async def events_after(
        self, session: str, after: int, *, limit: int, max_bytes: int
    ) -> EventPage:
        return await self._readers.read(
            lambda c: reads.events_after(c, session, after, limit=limit, max_bytes=max_bytes)
        )

    async def events_before(
        self, session: str, before: int, *, limit: int, max_bytes: int
    ) -> EventPage:
        return await self._readers.read(
            lambda c: reads.events_before(c, session, before, limit=limit, max_bytes=max_bytes)
        )

    async def events_of(
        self, session: str, types: Sequence[str], before: int, *, limit: int, max_bytes: int
    ) -> Picked:
        return await self._readers.read(
            lambda c: reads.events_of(c, session, types, before, limit=limit, max_bytes=max_bytes)
        )

    async def receipts(self, session: str) -> tuple[StoredReceipt, ...]:
        return await self._readers.read(lambda c: reads.receipts(c, session))

    async def drafts(self, session: str) -> tuple[Draft, ...]:
        return await self._readers.read(lambda c: reads.drafts(c, session))

    async def unsettled(self) -> tuple[str, ...]:
        return await self._readers.read(reads.unsettled)

    async def with_jobs(self) -> tuple[str, ...]:
        return await self._readers.read(reads.with_jobs)

    async def tokens(self) -> tuple[Token, ...]:
        return await self._readers.read(tokens.every)


def _ballast(directory: Path, limits: Limits, disk: Callable[[Path], Disk]) -> Ballast:
    ballast = Ballast(directory, limits.ballast_bytes, look_seconds=limits.look_seconds, disk=disk)
    ballast.take_over()
    return ballast


def _make_ready(
    connection: sqlite3.Connection,
    database: Path,
    lock: DirectoryLock | None,
    limits: Limits,
    steps: Sequence[schema.Step],
) -> None:
    """Check the file and bring it to this code's schema; that needs the directory for itself."""
    schema.check_kind(connection, database)
    files.make_durable(
        connection,
        database,
        journal_bytes=scaled(limits.journal_bytes, database.parent),
        max_pages=limits.max_pages,
    )
    if lock is not None and database.stat().st_size <= limits.checked_bytes:
        files.check_pages(connection, database)
    own = None
    if lock is None and schema.version(connection) < len(steps):
        own = DirectoryLock.take(database.parent)
    try:
        schema.migrate(connection, database, steps)
    finally:
        if own is not None:
            own.release()
