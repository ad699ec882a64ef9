"""What the store refuses, and what SQLite's own errors mean to whoever has to mend them."""

import sqlite3

from agent.errors import Problem


class TooManySessions(Problem):
    """The owner has all the sessions that one user may have."""

    def __init__(self, there: int, at_most: int) -> None:
        super().__init__(
            "too_many_sessions", f"You have {there} of {at_most} sessions. Delete one first."
        )


class BadCursor(Problem):
    """A cursor that no page of this store ever handed out."""

    def __init__(self) -> None:
        super().__init__(
            "bad_request", "This cursor is none. Leave it out to begin with the first page."
        )


class StoreProblem(Problem):
    """The data directory or the database cannot be used as it is; the message says what to do."""


_MEANINGS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: (
        "disk_full",
        "The disk that holds {where} is full. Free some space; what was acknowledged is kept.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "store_corrupt",
        "{where} is damaged ({detail}). Restore a backup, or move the file away to begin anew.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "store_corrupt",
        "{where} is not a database ({detail}). Restore a backup, or choose another --data-dir.",
    ),
    sqlite3.SQLITE_BUSY: (
        "store_busy",
        "Another process keeps {where} locked. Wait for it to end, or stop it.",
    ),
    sqlite3.SQLITE_IOERR: (
        "store_io_error",
        "The disk refuses to read or write {where} ({detail}). See what ails the disk.",
    ),
} | dict.fromkeys(
    (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
    (
        "data_dir_read_only",
        "{where} cannot be written ({detail}). Give this user the right to, or choose another"
        " --data-dir.",
    ),
)
_UNNAMED = ("store_failed", "{where} failed ({detail}). Report this, with the server's log.")


def explained(error: sqlite3.Error, where: object) -> StoreProblem:
    """What an error of SQLite at `where` means; extended codes count as their primary one."""
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    code, message = _MEANINGS.get(primary, _UNNAMED)
    return StoreProblem(code, message.format(where=where, detail=error))
