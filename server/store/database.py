"""How the database file is opened: private, with the settings that make a commit durable."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from server.store.ballast import widen
from server.store.errors import Failure, StoreProblem, explained

_FRAME = 4096 + 24
"""Bytes of the write-ahead log that a changed page takes."""
_PAGES_BETWEEN_CHECKPOINTS = 1000
UNFINISHED = ".unfinished"
"""Ends the name of a copy until it is whole."""


@contextlib.contextmanager
def explaining(where: object) -> Iterator[None]:
    """Turn what SQLite and the file system say into a StoreProblem with a way out."""
    try:
        yield
    except Failure as error:
        raise explained(error, where) from error
    except OSError as error:
        raise StoreProblem(
            "data_dir_read_only",
            f"{where} cannot be used ({error.strerror}). Give this user the right to write it,"
            " or choose another --data-dir.",
        ) from error


def create(database: Path) -> None:
    """Make the file before SQLite does, so that it is never readable to others.

    An existing one is left alone: closing a second descriptor would drop SQLite's own locks.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def for_writing(
    database: Path,
    *,
    busy_seconds: float,
    kind: type[sqlite3.Connection] = sqlite3.Connection,
) -> sqlite3.Connection:
    """A connection that may be handed to another thread; transactions are begun by hand."""
    return sqlite3.connect(
        database, timeout=busy_seconds, isolation_level=None, check_same_thread=False, factory=kind
    )


def make_durable(
    connection: sqlite3.Connection,
    database: Path,
    *,
    journal_bytes: int,
    max_pages: int | None = None,
) -> None:
    """A commit returns when it is on the disk; what is deleted is overwritten."""
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreProblem(
            "store_failed",
            f"The file system of {database} has no shared memory, which a write-ahead log needs."
            " Choose a --data-dir on a local disk.",
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA journal_size_limit = {journal_bytes}")
    pages = max(1, min(_PAGES_BETWEEN_CHECKPOINTS, journal_bytes // _FRAME // 2))
    connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")
    if max_pages is not None:
        connection.execute(f"PRAGMA max_page_count = {max_pages}")


def for_reading(database: Path, *, busy_seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{database.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )


def keep_journal(database: Path, journal_bytes: int) -> None:
    """Give the write-ahead log its room before anybody else takes it: on a full disk commits go on.

    SQLite reads what it has not written as the log's end, and never cuts below the limit above.
    """
    widen(database.with_name(f"{database.name}-wal"), journal_bytes)


def check_pages(connection: sqlite3.Connection, database: object) -> None:
    """Walk every page of the file; the time grows with its size. Raises StoreProblem."""
    verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreProblem(
            "store_corrupt",
            f"{database} is damaged ({verdict}). Restore a backup, or move the data folder away to"
            " begin anew.",
        )


def check_not_emptied(database: Path) -> None:
    """Raise StoreProblem where a database that had commits is empty now: that is no new one.

    One that was moved away is begun anew.
    """
    mark = database.with_suffix(".mark")
    if database.exists() and not database.stat().st_size and mark.exists() and mark.stat().st_size:
        raise StoreProblem(
            "store_corrupt",
            f"{database} is empty, and was not. Restore a backup, or move the data folder away to"
            " begin anew.",
        )


def check_not_cut_short(database: Path) -> None:
    """Raise StoreProblem where a backup broke off: what would be begun there looks like one."""
    if not database.exists() and database.with_name(database.name + UNFINISHED).exists():
        raise StoreProblem(
            "store_corrupt",
            f"{database.parent} is a backup that was cut short. Restore another one.",
        )
