"""Who logged in, who that is at their provider, and what users keep secret, as it is stored."""

import sqlite3
from collections.abc import Collection

import msgspec
from msgspec import Struct

from server.store import sums
from server.store.readers import Readers
from server.store.writer import Writer

_ROW_BYTES = 500
"""What a row weighs beside what is sealed in it, in the writer's queue."""


class LoginRow(Struct, frozen=True):
    """A log-in of a browser. `sealed` holds the provider's tokens; `refresh_at` is when they are to
    be renewed, None: never; `policy` says by which rules the person was let in."""

    id: str
    user: str
    name: str
    role: str
    subject: str
    policy: str
    created_at: str
    expires_at: str
    refresh_at: str | None
    sealed: bytes
    used_at: str | None = None


class SecretRow(Struct, frozen=True):
    owner: str
    name: str
    sealed: bytes
    changed_at: str


class Identities:
    """The part of the store that log-ins and secrets need, beside the tokens."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def mark(self) -> bytes | None:
        """What was sealed when the key file was made: who can open it has the right one."""
        return await self._readers.read(_mark)

    async def set_mark(self, sealed: bytes) -> None:
        await self._writer.submit(lambda c: _set_mark(c, sealed), _ROW_BYTES)

    async def known_as(self, issuer: str, subject: str) -> str | None:
        """The user that this account has been from its first log-in on."""
        return await self._readers.read(lambda c: _known_as(c, issuer, subject))

    async def call(self, issuer: str, subject: str, user: str) -> bool:
        """From now on this account is that user; False where another account is, or it another."""
        return await self._writer.submit(lambda c: _call(c, issuer, subject, user), _ROW_BYTES)

    async def add_login(self, login: LoginRow, *, most: int) -> None:
        """The user's oldest beyond `most` end."""
        size = len(login.sealed) + _ROW_BYTES
        await self._writer.submit(lambda c: _add_login(c, login, most), size)

    async def renew_login(self, login: str, sealed: bytes, refresh_at: str | None) -> bool:
        """Whether it was still there."""
        size = len(sealed) + _ROW_BYTES
        return await self._writer.submit(lambda c: _renew(c, login, sealed, refresh_at), size)

    async def end_logins(self, *, id: str = "", user: str = "") -> tuple[str, ...]:
        """The ids of those that ended: one, or all of a user."""
        return await self._writer.submit(lambda c: _end_logins(c, id, user), _ROW_BYTES)

    async def logins(self, ids: Collection[str] | None = None) -> tuple[LoginRow, ...]:
        """Those of `ids` that are there; all by default."""
        return await self._readers.read(lambda c: _logins(c, ids))

    async def due_logins(self, by: str, most: int) -> tuple[LoginRow, ...]:
        """Those whose tokens have to be renewed by then, the most urgent first."""
        return await self._readers.read(lambda c: _due(c, by, most))

    async def set_secret(self, secret: SecretRow, *, most: int) -> bool:
        """False where the owner has `most` others already."""
        size = len(secret.sealed) + _ROW_BYTES
        return await self._writer.submit(lambda c: _set_secret(c, secret, most), size)

    async def remove_secret(self, owner: str, name: str) -> bool:
        return await self._writer.submit(lambda c: _remove_secret(c, owner, name), _ROW_BYTES)

    async def secrets(self) -> tuple[SecretRow, ...]:
        return await self._readers.read(_secrets)

    async def secrets_version(self) -> int:
        """Another number after each change, by whatever process."""
        return await self._readers.read(_version)

    async def forget_sealed(self) -> int:
        """Everything that is sealed, and the mark: how much that was."""
        return await self._writer.submit(_forget_sealed, _ROW_BYTES)

    async def used(self, kind: str, uses: dict[str, str]) -> None:
        """When tokens (or logins) of these ids were last used."""
        kept = tuple((at, id) for id, at in uses.items())
        await self._writer.submit(lambda c: _used(c, kind, kept), _ROW_BYTES * len(kept))


# ---- statements ----------------------------------------------------------------------------

_LOGIN = ", ".join(LoginRow.__struct_fields__)
_LOGIN_MARKS = ", ".join("?" * len(LoginRow.__struct_fields__))
_SEALED = ("logins", "secrets", "tool_logins")
_USES = {
    "token": "UPDATE tokens SET last_used = ? WHERE id = ?",
    "login": "UPDATE logins SET used_at = ? WHERE id = ?",
}


def _mark(connection: sqlite3.Connection) -> bytes | None:
    found = connection.execute("SELECT value FROM meta WHERE name = 'vault'").fetchone()
    return bytes(found[0]) if found else None


def _set_mark(connection: sqlite3.Connection, sealed: bytes) -> None:
    connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('vault', ?)", (sealed,))


def _known_as(connection: sqlite3.Connection, issuer: str, subject: str) -> str | None:
    where = "SELECT user, crc FROM people WHERE issuer = ? AND subject = ?"
    found = connection.execute(where, (issuer, subject)).fetchone()
    if found is None:
        return None
    sums.check(found[1], issuer, subject, found[0])
    return str(found[0])


def _call(connection: sqlite3.Connection, issuer: str, subject: str, user: str) -> bool:
    connection.execute(
        "INSERT OR IGNORE INTO people (issuer, subject, user, crc) VALUES (?, ?, ?, ?)",
        (issuer, subject, user, sums.of_values(issuer, subject, user)),
    )
    return _known_as(connection, issuer, subject) == user


def _seal_of(login: LoginRow) -> int:
    """When it was used last is written over and over, and guards nothing."""
    return sums.of_values(*msgspec.structs.astuple(login)[:-1])


def _add_login(connection: sqlite3.Connection, login: LoginRow, most: int) -> None:
    connection.execute(
        f"INSERT INTO logins ({_LOGIN}, crc) VALUES ({_LOGIN_MARKS}, ?)",
        (*msgspec.structs.astuple(login), _seal_of(login)),
    )
    connection.execute("DELETE FROM logins WHERE expires_at <= ?", (login.created_at,))
    connection.execute(
        "DELETE FROM logins WHERE id IN (SELECT id FROM logins WHERE user = ?"
        " ORDER BY created_at DESC, id LIMIT -1 OFFSET ?)",
        (login.user, most),
    )


def _renew(
    connection: sqlite3.Connection, login: str, sealed: bytes, refresh_at: str | None
) -> bool:
    for row in _logins(connection, (login,)):
        renewed = msgspec.structs.replace(row, sealed=sealed, refresh_at=refresh_at)
        connection.execute(
            "UPDATE logins SET sealed = ?, refresh_at = ?, crc = ? WHERE id = ?",
            (sealed, refresh_at, _seal_of(renewed), login),
        )
        return True
    return False


def _end_logins(connection: sqlite3.Connection, id: str, user: str) -> tuple[str, ...]:
    found = connection.execute(
        "DELETE FROM logins WHERE id = ? OR user = ? RETURNING id", (id, user)
    ).fetchall()
    return tuple(columns[0] for columns in found)


def _logins(connection: sqlite3.Connection, ids: Collection[str] | None) -> tuple[LoginRow, ...]:
    if ids is None:
        return _sound(connection, connection.execute(f"SELECT {_LOGIN}, crc FROM logins"))
    where = f"id IN ({', '.join('?' * len(ids))})"
    found = connection.execute(f"SELECT {_LOGIN}, crc FROM logins WHERE {where}", (*ids,))
    return _sound(connection, found)


def _due(connection: sqlite3.Connection, by: str, most: int) -> tuple[LoginRow, ...]:
    where = "refresh_at <= ? ORDER BY refresh_at LIMIT ?"
    found = connection.execute(f"SELECT {_LOGIN}, crc FROM logins WHERE {where}", (by, most))
    return _sound(connection, found)


def _sound(connection: sqlite3.Connection, found: sqlite3.Cursor) -> tuple[LoginRow, ...]:
    """One that is damaged opens no door."""
    rows = [(LoginRow(*columns), crc) for *columns, crc in found.fetchall()]
    for row, crc in rows:
        if crc != _seal_of(row):
            sums.left_out(connection, f"log-in {row.id!r}")
    return tuple(row for row, crc in rows if crc == _seal_of(row))


def _set_secret(connection: sqlite3.Connection, secret: SecretRow, most: int) -> bool:
    others = "SELECT count(*) FROM secrets WHERE owner = ? AND name <> ?"
    if connection.execute(others, (secret.owner, secret.name)).fetchone()[0] >= most:
        return False
    values = msgspec.structs.astuple(secret)
    connection.execute(
        "INSERT OR REPLACE INTO secrets (owner, name, sealed, changed_at) VALUES (?, ?, ?, ?)",
        values,
    )
    _changed(connection)
    return True


def _remove_secret(connection: sqlite3.Connection, owner: str, name: str) -> bool:
    gone = connection.execute("DELETE FROM secrets WHERE owner = ? AND name = ?", (owner, name))
    _changed(connection)
    return bool(gone.rowcount)


def _changed(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('secrets', 1)"
        " ON CONFLICT (name) DO UPDATE SET value = value + 1"
    )


def _secrets(connection: sqlite3.Connection) -> tuple[SecretRow, ...]:
    """As they are: a seal that is damaged, or stands in another's place, does not open."""
    found = connection.execute(
        "SELECT owner, name, sealed, changed_at FROM secrets ORDER BY owner, name"
    )
    return tuple(SecretRow(*columns) for columns in found)


def _version(connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT value FROM meta WHERE name = 'secrets'").fetchone()
    return int(found[0]) if found else 0


def _forget_sealed(connection: sqlite3.Connection) -> int:
    gone = [connection.execute(f"DELETE FROM {table}").rowcount for table in _SEALED]
    connection.execute("DELETE FROM meta WHERE name = 'vault'")
    _changed(connection)
    return sum(gone)


def _used(connection: sqlite3.Connection, kind: str, uses: tuple[tuple[str, str], ...]) -> None:
    connection.executemany(_USES[kind], uses)
