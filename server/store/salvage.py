"""What can still be read of a session in a database that may be damaged, event by event."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from server.errors import NoSuchSession
from server.store import database as files
from server.store import sums
from server.store.errors import Failure, explained

PAGE = 500
BUSY_SECONDS = 5.0


def survivors(database: Path, session: str) -> Iterator[tuple[int, bytes | None]]:
    """Each event's number with its body, None where that is lost or not as it was written.

    Reads beside a running server and writes nothing. Raises NoSuchSession, or StoreProblem where
    not even the session can be found.
    """
    if not database.exists():
        raise NoSuchSession
    with (
        files.explaining(database),
        closing(files.for_reading(database, busy_seconds=BUSY_SECONDS)) as connection,
    ):
        yield from _Salvage(connection, database, session).events()


class _Salvage:
    def __init__(self, connection: sqlite3.Connection, database: Path, session: str) -> None:
        self._connection = connection
        self._seal = sums.Seal(session)
        self._key, self._head = self._found(database, session)
        columns = connection.execute("SELECT name FROM pragma_table_info('events')").fetchall()
        self._crc = "crc" if ("crc",) in columns else "NULL"

    def events(self) -> Iterator[tuple[int, bytes | None]]:
        last = self._last()
        for first in range(1, last + 1, PAGE):
            page = range(first, min(first + PAGE, last + 1))
            for seq, found in zip(page, self._page(page), strict=True):
                yield seq, self._sound(seq, found)
        if self._head > last:  # how far beyond, only a sound row would know
            yield last + 1, None

    def _found(self, database: Path, session: str) -> tuple[int, int]:
        """By the index, or by looking at every row where that is damaged."""
        failure: Exception | None = None
        for table in ("sessions", "sessions NOT INDEXED"):
            try:
                statement = f"SELECT key, head FROM {table} WHERE id = ?"
                if found := self._connection.execute(statement, (session,)).fetchone():
                    return int(found[0]), int(found[1])
            except Failure as error:
                failure = error
        if failure is not None:
            raise explained(failure, database) from failure
        raise NoSuchSession

    def _last(self) -> int:
        found = self._one("SELECT max(seq) FROM events WHERE session = ?", (self._key,))
        return self._head if found is None or found[0] is None else int(found[0])

    def _page(self, page: range) -> list[Any]:
        """All at once, or one by one where a part of it cannot be read."""
        statement = f"SELECT seq, body, {self._crc} FROM events WHERE session = ? AND seq "
        try:
            rows = self._connection.execute(
                f"{statement} BETWEEN ? AND ?", (self._key, page[0], page[-1])
            ).fetchall()
        except Failure:
            return [self._one(f"{statement} = ?", (self._key, seq)) for seq in page]
        there = {row[0]: row for row in rows}
        return [there.get(seq) for seq in page]

    def _one(self, statement: str, values: tuple[Any, ...]) -> Any:
        try:
            return self._connection.execute(statement, values).fetchone()
        except Failure:
            return None

    def _sound(self, seq: int, found: Any) -> bytes | None:
        if found is None or type(found[1]) is not bytes:
            return None
        body: bytes = found[1]
        return body if found[2] in (None, self._seal(seq, body)) else None
