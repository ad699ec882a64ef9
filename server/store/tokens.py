"""API tokens as they are kept: only a hash of the secret, until they are revoked."""

import sqlite3

import msgspec

from server.store import sums
from server.store.port import Token

_COLUMNS = ", ".join(Token.__struct_fields__)
_MARKS = ", ".join("?" * len(Token.__struct_fields__))


def add(connection: sqlite3.Connection, token: Token) -> None:
    values = msgspec.structs.astuple(token)
    connection.execute(
        f"INSERT INTO tokens ({_COLUMNS}, crc) VALUES ({_MARKS}, ?)",
        (*values, sums.of_values(*values[:-1])),
    )


def revoke(connection: sqlite3.Connection, token: str) -> bool:
    return bool(connection.execute("DELETE FROM tokens WHERE id = ?", (token,)).rowcount)


def every(connection: sqlite3.Connection) -> tuple[Token, ...]:
    """One that is damaged opens no door. When it was last used is not in the checksum."""
    found = connection.execute(f"SELECT {_COLUMNS}, crc FROM tokens ORDER BY created_at, id")
    sound = []
    for *columns, crc in found.fetchall():
        if sums.match(crc, *columns[:-1]):
            sound.append(Token(*columns))
        else:
            sums.left_out(connection, f"token {columns[0]!r}")
    return tuple(sound)
