"""Stores as older Moorings left them: tables of fewer steps, with the rows of a store of today."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from server.store import schema, sums
from server.store.sqlite import DATABASE

MADE_BY_OTHERS = ("sqlite_", "words")
"""Tables that SQLite keeps, and those of the index of words, which a trigger fills."""


class Shape(Struct, frozen=True):
    """What makes a schema: its number, and the statement of each table, index and trigger."""

    version: int
    statements: frozenset[tuple[str, str]]


def shape_of(connection: sqlite3.Connection) -> Shape:
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return Shape(schema.version(connection), frozenset(found))


def shape_after(steps: Sequence[schema.Step]) -> Shape:
    """Of a new store that has taken these steps."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection, "memory", steps)
        return shape_of(connection)


def make_older(data: Path, version: int) -> None:
    """Put in place of the store of a data folder one of that version, with the same rows."""
    today = data / DATABASE
    draft = data / "older.db"
    with closing(sqlite3.connect(draft, isolation_level=None)) as older:
        older.execute("PRAGMA journal_mode = WAL")
        schema.migrate(older, draft, schema.STEPS[:version])
        older.execute("ATTACH ? AS today", (str(today),))
        older.execute("BEGIN")
        for table in _names(older, "SELECT name FROM main.sqlite_master WHERE type = 'table'"):
            if not table.startswith(MADE_BY_OTHERS):
                columns = ", ".join(_names(older, f"SELECT name FROM pragma_table_info('{table}')"))
                older.execute(
                    f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM today.{table}"
                )
        _sum_up(older)
        older.execute("COMMIT")
        older.execute("DETACH today")
        older.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in data.glob(f"{DATABASE}*"):
        path.unlink()
    draft.rename(today)


def _names(connection: sqlite3.Connection, question: str) -> list[str]:
    return [row[0] for row in connection.execute(question)]


def _sum_up(older: sqlite3.Connection) -> None:
    """A session's checksum knew the columns that there were, in their order."""
    columns = _names(older, "SELECT name FROM pragma_table_info('sessions')")
    if "crc" not in columns:
        return
    apart = ("key", "id", "owner", "created_at", "origin_crc", "crc", "receipts")
    summed = ", ".join(column for column in columns if column not in apart)
    for key, *values in older.execute(f"SELECT key, {summed} FROM sessions").fetchall():
        while values[-1] is None:
            values.pop()
        crc = sums.of_values(*values)
        older.execute("UPDATE sessions SET crc = ? WHERE key = ?", (crc, key))
