"""Notices that a database is not the one this directory served last: that its log went back."""

import contextlib
import logging
import os
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

_MARK = struct.Struct("<QQ")
_log = logging.getLogger(__name__)


class Mark:
    """Beside the database: which file it is and how many commits it has seen.

    The mark follows each commit without a sync, so it is never ahead of the database it belongs
    to, whatever dies. One that is ahead, or of another file, tells of a backup that was restored.
    """

    def __init__(self, descriptor: int, inode: int, commits: int) -> None:
        self._descriptor = descriptor
        self._inode = inode
        self._commits = commits

    @classmethod
    def take(
        cls, connection: sqlite3.Connection, database: Path, new_generation: Callable[[], str]
    ) -> "Mark":
        """Compare with what was left here and, after a restore, begin a new log generation."""
        descriptor = os.open(database.with_suffix(".mark"), os.O_RDWR | os.O_CREAT, 0o600)
        inode = database.stat().st_ino
        commits = int(_meta(connection, "commits"))
        left = os.pread(descriptor, _MARK.size, 0)
        if not _is_successor(left, inode, commits):
            _log.warning("the log is not the one this folder had last (%s)", _told(left, commits))
            _set_meta(connection, "log_generation", new_generation())
        mark = cls(descriptor, inode, commits)
        mark.keep()
        return mark

    def count(self, connection: sqlite3.Connection) -> None:
        """Belongs to every transaction of the server."""
        _set_meta(connection, "commits", self._commits + 1)

    def keep(self, committed: int = 0) -> None:
        """A mark that cannot be written stays behind, which is harmless."""
        self._commits += committed
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, _MARK.pack(self._inode, self._commits), 0)

    def close(self) -> None:
        os.close(self._descriptor)


def begin(connection: sqlite3.Connection, new_generation: Callable[[], str]) -> None:
    """Give a database that is new its first generation."""
    connection.execute(
        "INSERT OR IGNORE INTO meta (name, value) VALUES ('log_generation', ?), ('commits', 0)",
        (new_generation(),),
    )


def of(connection: sqlite3.Connection) -> str:
    return str(_meta(connection, "log_generation"))


def _is_successor(left: bytes, inode: int, commits: int) -> bool:
    if len(left) != _MARK.size:
        return commits == 0
    known, seen = _MARK.unpack(left)
    return bool(known == inode and commits >= seen)


def _told(left: bytes, commits: int) -> str:
    """What an operator wants to know who did not restore anything."""
    if len(left) != _MARK.size:
        return f"{commits} commits, of elsewhere"
    _, seen = _MARK.unpack(left)
    return f"{commits} commits, it had {seen}: restored, or cut short"


def _meta(connection: sqlite3.Connection, name: str) -> str:
    found = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return str(found[0])


def _set_meta(connection: sqlite3.Connection, name: str, value: str | int) -> None:
    connection.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))
