"""Log-ins of users at servers of tools, as they are stored: one each, sealed."""

import sqlite3

import msgspec
from msgspec import Struct

from server.store.readers import Readers
from server.store.writer import Writer

_ROW_BYTES = 300
"""What a row weighs beside what is sealed in it, in the writer's queue."""


class ToolLoginRow(Struct, frozen=True):
    """`id` is another for each log-in, and stays when what it granted is renewed."""

    owner: str
    server: str
    id: str
    sealed: bytes
    changed_at: str


class ToolLoginTable:
    """The part of the store that they need."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def set(self, row: ToolLoginRow) -> None:
        """In place of the one before."""
        size = len(row.sealed) + _ROW_BYTES
        await self._writer.submit(lambda c: _set(c, row), size)

    async def renew(self, row: ToolLoginRow) -> bool:
        """Whether it was still there."""
        size = len(row.sealed) + _ROW_BYTES
        return await self._writer.submit(lambda c: _renew(c, row), size)

    async def remove(self, owner: str, server: str, id: str | None = None) -> bool:
        """Whether there was one; with `id`, no other one."""
        return await self._writer.submit(lambda c: _remove(c, owner, server, id), _ROW_BYTES)

    async def all(self) -> tuple[ToolLoginRow, ...]:
        return await self._readers.read(_all)


# ---- statements ----------------------------------------------------------------------------


def _set(connection: sqlite3.Connection, row: ToolLoginRow) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO tool_logins (owner, server, id, sealed, changed_at)"
        " VALUES (?, ?, ?, ?, ?)",
        msgspec.structs.astuple(row),
    )


def _renew(connection: sqlite3.Connection, row: ToolLoginRow) -> bool:
    done = connection.execute(
        "UPDATE tool_logins SET sealed = ?, changed_at = ?"
        " WHERE owner = ? AND server = ? AND id = ?",
        (row.sealed, row.changed_at, row.owner, row.server, row.id),
    )
    return bool(done.rowcount)


def _remove(connection: sqlite3.Connection, owner: str, server: str, id: str | None) -> bool:
    done = connection.execute(
        "DELETE FROM tool_logins WHERE owner = ? AND server = ? AND id = coalesce(?, id)",
        (owner, server, id),
    )
    return bool(done.rowcount)


def _all(connection: sqlite3.Connection) -> tuple[ToolLoginRow, ...]:
    """As they are: a seal that is damaged, or stands in another's place, does not open."""
    found = connection.execute(
        "SELECT owner, server, id, sealed, changed_at FROM tool_logins ORDER BY owner, server"
    )
    return tuple(ToolLoginRow(*columns) for columns in found)
