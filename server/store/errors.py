"""What the store refuses, and what SQLite's own errors mean to whoever has to mend them."""

import sqlite3

from agent.errors import Problem


class TooManySessions(Problem):
    """The owner has all the sessions that one user may have."""

    def __init__(self, there: int, at_most: int) -> None:
        super().__init__(
            "too_many_sessions", f"You have {there} of {at_most} sessions. Delete one first."
        )


class TooManyShares(Problem):
    """A session, a link or a user has all the shares that it may have."""

    def __init__(self, there: int, at_most: int) -> None:
        super().__init__(
            "too_many_shares", f"There are {there} of {at_most} shares. Revoke one first."
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
        "{where} is damaged ({detail}). Restore a backup, or move the data folder away to"
        " begin anew.",
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


OF_CLIENTS = "the server's store"
"""How clients are told of the database: where it is, is for the log."""


def primary(error: BaseException) -> int:
    """SQLite's code; extended ones count as the one they extend, and other errors have none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


Failure = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite fails with; the second where even its words about a damaged file are damaged."""


def explained(error: Exception, where: object = OF_CLIENTS, *, full: bool = False) -> StoreProblem:
    """What a failure of SQLite at `where` means; `full`: that the disk is, whatever it says."""
    number = sqlite3.SQLITE_FULL if full else primary(error)
    if isinstance(error, UnicodeDecodeError):
        number = sqlite3.SQLITE_CORRUPT
    code, message = _MEANINGS.get(number, _UNNAMED)
    said = message.format(where=where, detail=error)
    return StoreProblem(code, said if where != OF_CLIENTS else said[0].upper() + said[1:])
