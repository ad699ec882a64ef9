"""API tokens as they are kept: only a hash of the secret, until they are revoked."""

import sqlite3

import msgspec

from server.store.port import Token

_COLUMNS = ", ".join(Token.__struct_fields__)
_MARKS = ", ".join("?" * len(Token.__struct_fields__))


def add(connection: sqlite3.Connection, token: Token) -> None:
    connection.execute(
        f"INSERT INTO tokens ({_COLUMNS}) VALUES ({_MARKS})", msgspec.structs.astuple(token)
    )


def revoke(connection: sqlite3.Connection, token: str) -> bool:
    return bool(connection.execute("DELETE FROM tokens WHERE id = ?", (token,)).rowcount)


def every(connection: sqlite3.Connection) -> tuple[Token, ...]:
    found = connection.execute(f"SELECT {_COLUMNS} FROM tokens ORDER BY created_at, id").fetchall()
    return tuple(Token(*columns) for columns in found)
