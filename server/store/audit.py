"""The audit log as it is kept: rows that nobody changes, each sealed together with all before."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Protocol

import msgspec
from msgspec import Struct, field

from server.store.readers import Readers
from server.store.writer import Writer

MOST_ROWS = 1_000_000
"""Beyond it the oldest hundredth goes, and a row tells of that."""
TRIMMED = "audit_trimmed"
_BEGINNING = bytes(32)
"""What stands before the first row."""
_ROW_BYTES = 1_000
_COLUMNS = "number, at, who, what, address, session, detail, seal"


class AuditRow(Struct, frozen=True):
    """Who did what, when; `detail` holds short texts by name, never a secret."""

    at: str
    who: str
    what: str
    address: str | None = None
    session: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


class AuditEntry(Struct, frozen=True):
    """A row in its place. `seal` is the SHA-256, in hex, of the seal before it and of this row."""

    number: int
    at: str
    who: str
    what: str
    address: str | None
    session: str | None
    detail: Mapping[str, str]
    seal: str


class AuditPage(Struct, frozen=True):
    entries: tuple[AuditEntry, ...]
    head: int
    more: bool


class AuditLog(Protocol):
    """What is added is committed in the order of calls; nothing is ever changed."""

    def add(self, row: AuditRow) -> asyncio.Future[None]: ...

    async def page(self, after: int, *, limit: int) -> AuditPage: ...


class AuditTable:
    """Implements AuditLog."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    def add(self, row: AuditRow) -> asyncio.Future[None]:
        return self._writer.submit(lambda c: add(c, row), _ROW_BYTES)

    async def page(self, after: int, *, limit: int) -> AuditPage:
        return await self._readers.read(lambda c: page(c, after, limit=limit))


def add(connection: sqlite3.Connection, row: AuditRow, most: int = MOST_ROWS) -> None:
    """The transaction reads what it seals upon: writers in other processes wait for it."""
    number = _insert(connection, row)
    floor, _ = _floor(connection)
    if number - floor <= most:
        return
    floor += most // 100 + 2
    (seal,) = connection.execute("SELECT seal FROM audit WHERE number = ?", (floor,)).fetchone()
    told = {"through": str(floor), "seal": seal.hex()}
    _insert(connection, AuditRow(row.at, "mooring", TRIMMED, detail=told))
    for name, value in (("audit_floor", floor), ("audit_floor_seal", seal)):
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value))
    connection.execute("DELETE FROM audit WHERE number <= ?", (floor,))


def page(connection: sqlite3.Connection, after: int, *, limit: int) -> AuditPage:
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM audit WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
    )
    entries = tuple(map(_entry, found.fetchall()))
    head = connection.execute("SELECT coalesce(max(number), 0) FROM audit").fetchone()[0]
    return AuditPage(entries, head, bool(entries) and entries[-1].number < head)


def every(connection: sqlite3.Connection) -> Iterator[tuple[AuditEntry, bool]]:
    """All rows in order, and whether each is what it was and follows the one before."""
    number, seal = _floor(connection)
    for columns in connection.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY number"):
        number += 1
        sound = columns[0] == number and columns[-1] == _sealed(seal, columns[:-1])
        yield _entry(columns), sound
        number, seal = columns[0], columns[-1]


def _insert(connection: sqlite3.Connection, row: AuditRow) -> int:
    last = connection.execute(
        "SELECT number, seal FROM audit ORDER BY number DESC LIMIT 1"
    ).fetchone()
    number, seal = last or (0, _BEGINNING)
    detail = msgspec.json.encode(row.detail, order="sorted").decode()
    values = (number + 1, row.at, row.who, row.what, row.address, row.session, detail)
    connection.execute(
        f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, _sealed(seal, values)),
    )
    return int(number) + 1


def _floor(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and seal of the last row that went."""
    kept = dict(
        connection.execute(
            "SELECT name, value FROM meta WHERE name IN ('audit_floor', 'audit_floor_seal')"
        ).fetchall()
    )
    return int(kept.get("audit_floor", 0)), kept.get("audit_floor_seal", _BEGINNING)


def _sealed(before: bytes, values: tuple[object, ...]) -> bytes:
    return hashlib.sha256(before + msgspec.json.encode(values)).digest()


def _entry(columns: tuple[object, ...]) -> AuditEntry:
    number, at, who, what, address, session, detail, seal = columns
    return msgspec.convert(
        {
            "number": number,
            "at": at,
            "who": who,
            "what": what,
            "address": address,
            "session": session,
            "detail": _detail(detail),
            "seal": seal.hex() if isinstance(seal, bytes) else str(seal),
        },
        AuditEntry,
    )


def _detail(text: object) -> Mapping[str, str]:
    """What somebody meddled with is shown as it is; its seal tells that it was."""
    try:
        return msgspec.json.decode(str(text), type=dict[str, str])
    except msgspec.DecodeError:
        return {"": str(text)}
