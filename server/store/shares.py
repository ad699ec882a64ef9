"""With whom sessions are shared: by name, or by a link of which only a hash is kept."""

import sqlite3
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from msgspec import Struct

from server.errors import NoSuchSession, NoSuchShare
from server.store import sums
from server.store.errors import TooManyShares
from server.store.readers import Readers
from server.store.writer import Writer

ShareRole = Literal["viewer", "driver"]

MOST_OF_SESSION = 100
MOST_OF_LINK = 100
"""People who have come by one link."""
MOST_OF_USER = 1_000
"""Shares that one user has."""
_COLUMNS = "s.id, t.id, s.role, s.by, s.created_at, s.user, s.hash, s.expires_at"
_FROM = "FROM shares s JOIN sessions t ON t.key = s.session"
_BYTES = 500


class Share(Struct, frozen=True):
    """With `user`, or with whoever has the link whose secret `hash` is of.

    The link can be used until `expires_at`; who has used it keeps what it gave.
    """

    id: str
    session: str
    role: ShareRole
    by: str
    created_at: str
    user: str | None = None
    hash: bytes | None = None
    expires_at: str | None = None


class Grant(Struct, frozen=True):
    """Who has it, since when."""

    user: str
    at: str


class Shared(Struct, frozen=True):
    share: Share
    grants: tuple[Grant, ...]


class ShareStore(Protocol):
    """Shares go with their session; grants go with their share."""

    async def add(self, share: Share) -> None:
        """Raises NoSuchSession or TooManyShares."""
        ...

    async def of_session(self, session: str) -> tuple[Shared, ...]: ...

    async def find(self, share: str) -> Share | None: ...

    async def grant(self, share: str, user: str, at: str) -> bool:
        """Whether it is new. Raises NoSuchShare or TooManyShares."""
        ...

    async def revoke(self, session: str, share: str) -> tuple[str, ...] | None:
        """Those who had it; None where there is no such share."""
        ...

    async def granted(self, user: str, session: str | None = None) -> Mapping[str, ShareRole]:
        """The sessions that are shared with the user (or that one), with the strongest role."""
        ...


class ShareTable:
    """Implements ShareStore."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def add(self, share: Share) -> None:
        await self._writer.submit(lambda c: add(c, share), _BYTES, grows=True)

    async def of_session(self, session: str) -> tuple[Shared, ...]:
        return await self._readers.read(lambda c: of_session(c, session))

    async def find(self, share: str) -> Share | None:
        return await self._readers.read(lambda c: find(c, share))

    async def grant(self, share: str, user: str, at: str) -> bool:
        return await self._writer.submit(lambda c: grant(c, share, user, at), _BYTES, grows=True)

    async def revoke(self, session: str, share: str) -> tuple[str, ...] | None:
        return await self._writer.submit(lambda c: revoke(c, session, share), _BYTES)

    async def granted(self, user: str, session: str | None = None) -> Mapping[str, ShareRole]:
        return await self._readers.read(lambda c: granted(c, user, session))


def add(connection: sqlite3.Connection, share: Share) -> None:
    found = connection.execute("SELECT key FROM sessions WHERE id = ?", (share.session,)).fetchone()
    if found is None:
        raise NoSuchSession
    _within(connection, "shares", "session", found[0], MOST_OF_SESSION)
    if share.user is not None:
        _within(connection, "grants", "user", share.user, MOST_OF_USER)
    connection.execute(
        "INSERT INTO shares (id, session, role, by, created_at, user, hash, expires_at, crc)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (share.id, found[0], *_values(share)[2:], sums.of_values(*_values(share))),
    )
    if share.user is not None:
        _add_grant(connection, share, share.user, share.created_at)


def of_session(connection: sqlite3.Connection, session: str) -> tuple[Shared, ...]:
    found = connection.execute(
        f"SELECT {_COLUMNS}, s.crc {_FROM} WHERE t.id = ? ORDER BY s.created_at, s.id", (session,)
    ).fetchall()
    return tuple(
        Shared(share, _grants(connection, share.id))
        for columns in found
        if (share := _sound(connection, columns)) is not None
    )


def find(connection: sqlite3.Connection, share: str) -> Share | None:
    """One that is damaged opens no door."""
    found = connection.execute(f"SELECT {_COLUMNS}, s.crc {_FROM} WHERE s.id = ?", (share,))
    return _sound(connection, found.fetchone())


def grant(connection: sqlite3.Connection, name: str, user: str, at: str) -> bool:
    share = find(connection, name)
    if share is None:
        raise NoSuchShare
    if any(there.user == user for there in _grants(connection, name)):
        return False
    _within(connection, "grants", "share", name, MOST_OF_LINK)
    _within(connection, "grants", "user", user, MOST_OF_USER)
    _add_grant(connection, share, user, at)
    return True


def revoke(connection: sqlite3.Connection, session: str, share: str) -> tuple[str, ...] | None:
    """Also one that is damaged."""
    had = connection.execute("SELECT user FROM grants WHERE share = ?", (share,)).fetchall()
    gone = connection.execute(
        "DELETE FROM shares WHERE id = ? AND session = (SELECT key FROM sessions WHERE id = ?)",
        (share, session),
    )
    return tuple(columns[0] for columns in had) if gone.rowcount else None


def granted(
    connection: sqlite3.Connection, user: str, session: str | None
) -> Mapping[str, ShareRole]:
    of_one = "" if session is None else " AND t.id = ?"
    found = connection.execute(
        f"SELECT g.at, g.crc, {_COLUMNS}, s.crc FROM grants g JOIN shares s ON s.id = g.share"
        f" JOIN sessions t ON t.key = s.session WHERE g.user = ?{of_one}",
        (user, *(() if session is None else (session,))),
    )
    roles: dict[str, ShareRole] = {}
    for at, crc, *columns in found:
        share = _sound(connection, tuple(columns))
        if share is None or not _is_sound(connection, crc, share.id, user, at):
            continue
        if roles.get(share.session) != "driver":
            roles[share.session] = share.role
    return roles


def _add_grant(connection: sqlite3.Connection, share: Share, user: str, at: str) -> None:
    connection.execute(
        "INSERT INTO grants (user, session, share, at, crc) SELECT ?, session, id, ?, ?"
        " FROM shares WHERE id = ?",
        (user, at, sums.of_values(share.id, user, at), share.id),
    )


def _grants(connection: sqlite3.Connection, share: str) -> tuple[Grant, ...]:
    found = connection.execute(
        "SELECT crc, user, at FROM grants WHERE share = ? ORDER BY at, user", (share,)
    )
    return tuple(
        Grant(*columns)
        for crc, *columns in found.fetchall()
        if _is_sound(connection, crc, share, *columns)
    )


def _is_sound(connection: sqlite3.Connection, crc: int, share: str, user: str, at: str) -> bool:
    if sums.match(crc, share, user, at):
        return True
    sums.left_out(connection, f"what share {share!r} gave to {user!r}")
    return False


def _within(
    connection: sqlite3.Connection, table: str, column: str, value: str | int, most: int
) -> None:
    (there,) = connection.execute(
        f"SELECT count(*) FROM {table} WHERE {column} = ?", (value,)
    ).fetchone()
    if there >= most:
        raise TooManyShares(there, most)


def _values(share: Share) -> tuple[Any, ...]:
    return tuple(getattr(share, name) for name in Share.__struct_fields__)


def _sound(connection: sqlite3.Connection, columns: tuple[Any, ...] | None) -> Share | None:
    if columns is None:
        return None
    if not sums.match(columns[-1], *columns[:-1]):
        sums.left_out(connection, f"share {columns[0]!r}")
        return None
    return Share(*columns[:-1])
