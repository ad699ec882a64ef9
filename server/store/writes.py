"""What a transaction does for one job; a Problem is raised before anything was written."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from agent.errors import Unrecorded
from server.errors import NoSuchSession
from server.store import audit, reads, rows, sums
from server.store.errors import TooManySessions
from server.store.port import Append, DraftPiece, NewFork, NewSession, SessionRow, StoredReceipt

_TITLE_SEQ = 0
"""The passage that is the title; messages have the seq their commit begins with."""


def append(connection: sqlite3.Connection, new: Append) -> None:
    """Refuse unless `new.first` follows the log's head: the fence against a stale writer."""
    key, head, title = _session(connection, new.session, "key, head, title")
    if new.first != head + 1:
        raise Unrecorded(
            f"Session {new.session} is at {head}; {new.first} does not follow. Read its log anew."
        )
    _add_events(connection, key, new.session, new.first, new.bodies)
    _add_receipts(connection, key, new.session, new.receipts)
    connection.executemany(
        "DELETE FROM drafts WHERE session = ? AND item = ?", [(key, item) for item in new.closed]
    )
    _add_passages(connection, key, new.first, new.words)
    if new.indexed.title != title:
        connection.execute("DELETE FROM passages WHERE session = ? AND seq = ?", (key, _TITLE_SEQ))
        _add_passages(connection, key, _TITLE_SEQ, (new.indexed.title,))
    connection.execute(
        f"UPDATE sessions SET {rows.ASSIGNMENTS}, receipts = receipts + ? WHERE key = ?",
        (
            *rows.changing(new.at, head + len(new.bodies), new.indexed),
            len(new.receipts),
            key,
        ),
    )
    for act in new.acts:
        audit.add(connection, act)


def draft(connection: sqlite3.Connection, pieces: Sequence[DraftPiece]) -> None:
    """Pieces of sessions that are gone insert nothing; the others are kept."""
    connection.executemany(
        "INSERT OR REPLACE INTO drafts (session, item, kind, start, turn, text, crc)"
        " SELECT key, ?, ?, ?, ?, ?, ? FROM sessions WHERE id = ?",
        [(*it[1:], sums.of_values(*it), it[0]) for it in map(_drafted, pieces)],
    )


def _drafted(p: DraftPiece) -> tuple[Any, ...]:
    return (p.session, p.item, p.kind, p.offset, p.turn, p.text)


def create(
    connection: sqlite3.Connection, new: NewSession, spare: Callable[[], None]
) -> tuple[SessionRow, bool]:
    """`spare` raises a Problem where there is no room for another session."""
    known = connection.execute(
        f"SELECT {rows.COLUMNS} FROM sessions WHERE key ="
        " (SELECT session FROM idempotency WHERE owner = ? AND key = ?) AND owner = ?",
        (new.owner, new.idempotency_key, new.owner),
    ).fetchone()
    if known is not None:
        return rows.from_columns(known), False
    spare()
    _within_quota(connection, new.owner, new.at_most)
    row = SessionRow(new.id, new.owner, new.at, new.at, 1, new.indexed)
    key = _add_session(connection, row)
    _add_events(connection, key, new.id, 1, (new.body,))
    if new.idempotency_key is not None:
        connection.execute(
            "INSERT INTO idempotency (owner, key, session) VALUES (?, ?, ?)",
            (new.owner, new.idempotency_key, key),
        )
    return row, True


def _within_quota(connection: sqlite3.Connection, owner: str, at_most: int) -> None:
    if (there := reads.count(connection, owner)) >= at_most:
        raise TooManySessions(there, at_most)


def fork(connection: sqlite3.Connection, new: NewFork, spare: Callable[[], None]) -> SessionRow:
    spare()
    _within_quota(connection, new.owner, new.at_most)
    source, head = _session(connection, new.source, "key, head")
    if not 1 <= new.through <= head:
        raise Unrecorded(f"Session {new.source} has the events 1 to {head}, not {new.through}.")
    row = SessionRow(new.id, new.owner, new.at, new.at, new.through + len(new.tail), new.indexed)
    key = _add_session(connection, row)
    _add_events(connection, key, new.id, 1, (new.body,))
    copied = (key, source, new.through)
    connection.create_function("moved", 5, sums.moved, deterministic=True)
    connection.execute(
        "INSERT INTO events (session, seq, body, crc) SELECT ?, seq, body, moved(?, ?, seq, body,"
        " crc) FROM events WHERE session = ? AND seq BETWEEN 2 AND ?",
        (key, new.source, new.id, source, new.through),
    )
    kept = [r for r in reads.receipts(connection, new.source) if r.seq <= new.through]
    _add_receipts(connection, key, new.id, kept)
    connection.execute("UPDATE sessions SET receipts = ? WHERE key = ?", (len(kept), key))
    connection.execute(
        "INSERT INTO passages (session, seq, text)"
        " SELECT ?, seq, text FROM passages WHERE session = ? AND seq BETWEEN 1 AND ?",
        copied,
    )
    _add_events(connection, key, new.id, new.through + 1, new.tail)
    return row


def delete(connection: sqlite3.Connection, session: str) -> None:
    """Foreign keys take all else along, triggers take the search index."""
    deleted = connection.execute("DELETE FROM sessions WHERE id = ?", (session,))
    if not deleted.rowcount:
        raise NoSuchSession


def _session(connection: sqlite3.Connection, session: str, columns: str) -> tuple[Any, ...]:
    found: tuple[Any, ...] | None = connection.execute(
        f"SELECT {columns} FROM sessions WHERE id = ?", (session,)
    ).fetchone()
    if found is None:
        raise NoSuchSession
    return found


def _add_session(connection: sqlite3.Connection, row: SessionRow) -> int:
    added = connection.execute(
        f"INSERT INTO sessions ({rows.COLUMNS}, receipts) VALUES ({rows.MARKS}, 0)",
        rows.to_columns(row),
    )
    key = added.lastrowid
    assert key is not None
    _add_passages(connection, key, _TITLE_SEQ, (row.indexed.title,))
    return key


def _add_events(
    connection: sqlite3.Connection, key: int, name: str, first: int, bodies: Sequence[bytes]
) -> None:
    seal = sums.Seal(name)
    connection.executemany(
        "INSERT INTO events (session, seq, body, crc) VALUES (?, ?, ?, ?)",
        [(key, seq, body, seal(seq, body)) for seq, body in enumerate(bodies, first)],
    )


def _add_receipts(
    connection: sqlite3.Connection, key: int, name: str, receipts: Iterable[StoredReceipt]
) -> None:
    found = [(name, receipt.id, receipt.fingerprint, receipt.seq) for receipt in receipts]
    connection.executemany(
        "INSERT INTO receipts (session, id, fingerprint, seq, crc) VALUES (?, ?, ?, ?, ?)",
        [(key, *values[1:], sums.of_values(*values)) for values in found],
    )


def _add_passages(connection: sqlite3.Connection, key: int, seq: int, texts: Iterable[str]) -> None:
    """Tokenizers stop at a NUL."""
    connection.executemany(
        "INSERT INTO passages (session, seq, text) VALUES (?, ?, ?)",
        [(key, seq, text.replace("\0", " ")) for text in texts if text],
    )
