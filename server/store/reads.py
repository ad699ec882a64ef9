"""What can be asked of a snapshot: pages of a log, of the listing, receipts, drafts."""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from server.errors import LogDamaged, NoSuchSession
from server.store import rows, search, sums
from server.store.port import Draft, EventPage, Picked, RowPage, SessionRow, StoredReceipt

_OLDEST = 1
"""No log is cut at its beginning yet."""
_BEGINNING = "substr(body, 1, 200)"
_TYPE = b',"type":"'
"""Where it stands first in an event, the event's own type follows: only `seq` and `at` precede."""
_OWN_AND_SHARED = "(owner = ? OR key IN (SELECT session FROM grants WHERE user = ?))"


def row(connection: sqlite3.Connection, session: str) -> SessionRow | None:
    found = connection.execute(
        f"SELECT {rows.COLUMNS} FROM sessions WHERE id = ?", (session,)
    ).fetchone()
    if found is None:
        return None
    entry = rows.from_columns(found)
    sums.insist(entry.id == session)
    return entry


def ids(connection: sqlite3.Connection) -> frozenset[str]:
    found = connection.execute("SELECT id FROM sessions NOT INDEXED").fetchall()
    return frozenset(columns[0] for columns in found)


def page(
    connection: sqlite3.Connection,
    owner: str | None,
    *,
    limit: int,
    position: rows.Position | None,
    q: str,
    state: str,
) -> RowPage:
    """One row more than asked for is read: it tells whether another page follows."""
    conditions, values = ["true"], list[Any]()
    if owner is not None:
        shared = _has_shares(connection, owner)
        conditions.append(_OWN_AND_SHARED if shared else "owner = ?")
        values.extend([owner] * (2 if shared else 1))
    if state:
        conditions.append("state = ?")
        values.append(state)
    if position is not None:
        conditions.append("(active_at, id) < (?, ?)")
        values.extend(position)
    if search.terms(q):
        connection.create_function("tells", 2, search.tells, deterministic=True)
        condition, parameters = search.mentions(q)
        conditions.append(condition)
        values.extend(parameters)
    found = connection.execute(
        f"SELECT {rows.COLUMNS} FROM sessions WHERE {' AND '.join(conditions)}"
        " ORDER BY active_at DESC, id DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    listed = tuple(rows.from_columns(columns) for columns in found[:limit])
    more = len(found) > limit
    return RowPage(listed, rows.cursor_after(listed[-1]) if more and listed else None)


def _has_shares(connection: sqlite3.Connection, user: str) -> bool:
    """Who has none is listed by an index alone."""
    found = connection.execute("SELECT 1 FROM grants WHERE user = ? LIMIT 1", (user,))
    return found.fetchone() is not None


def count(connection: sqlite3.Connection, owner: str | None, state: str = "") -> int:
    conditions = ["state = ?" if state else "state <> 'ended'"]
    values = [state] if state else []
    if owner is not None:
        conditions.append("owner = ?")
        values.append(owner)
    found = connection.execute(
        f"SELECT count(*) FROM sessions WHERE {' AND '.join(conditions)}", values
    )
    return int(found.fetchone()[0])


def events_after(
    connection: sqlite3.Connection, session: str, after: int, *, limit: int, max_bytes: int
) -> EventPage:
    key, head = _log(connection, session)
    after = max(0, min(after, head))
    found = connection.execute(
        "SELECT body, crc FROM events WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?",
        (key, after, limit),
    )
    wanted = range(after + 1, min(after + limit, head) + 1)
    bodies = _within(found, wanted, sums.Seal(session), max_bytes)
    more = after + len(bodies) < head
    return EventPage(after + 1, tuple(bodies), head, _OLDEST, more)


def events_before(
    connection: sqlite3.Connection, session: str, before: int, *, limit: int, max_bytes: int
) -> EventPage:
    key, head = _log(connection, session)
    before = max(_OLDEST, min(before, head + 1))
    found = connection.execute(
        "SELECT body, crc FROM events WHERE session = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
        (key, before, limit),
    )
    wanted = range(before - 1, max(before - limit, _OLDEST) - 1, -1)
    bodies = _within(found, wanted, sums.Seal(session), max_bytes)
    first = before - len(bodies)
    return EventPage(first, tuple(reversed(bodies)), head, _OLDEST, first > _OLDEST)


def events_of(
    connection: sqlite3.Connection,
    session: str,
    types: Sequence[str],
    before: int,
    *,
    limit: int,
    max_bytes: int,
) -> Picked:
    """One more than asked for is read: it tells whether others are further back."""
    key, head = _log(connection, session)
    is_of_type = " OR ".join(
        [f"nullif(instr({_BEGINNING}, ?), 0) = instr({_BEGINNING}, ?)"] * len(types)
    )
    markers = (m for name in types for m in (b'%s%s"' % (_TYPE, name.encode()), _TYPE))
    found = connection.execute(
        f"SELECT seq FROM events WHERE session = ? AND seq < ? AND ({is_of_type})"
        " ORDER BY seq DESC LIMIT ?",
        (key, max(_OLDEST, min(before, head + 1)), *markers, limit + 1),
    ).fetchall()
    seqs = [seq for (seq,) in found[:limit]]
    whole = connection.execute(
        f"SELECT body, crc FROM events WHERE session = ? AND seq IN ({','.join('?' * len(seqs))})"
        " ORDER BY seq DESC",
        (key, *seqs),
    )
    bodies = _within(whole, seqs, sums.Seal(session), max_bytes)
    events = tuple(zip(seqs, bodies, strict=False))
    return Picked(events[::-1], head, _OLDEST, len(bodies) < len(found))


def receipts(connection: sqlite3.Connection, session: str) -> tuple[StoredReceipt, ...]:
    found = connection.execute(
        "SELECT r.crc, r.id, r.fingerprint, r.seq FROM receipts r"
        " JOIN sessions s ON s.key = r.session WHERE s.id = ? ORDER BY r.seq, r.id",
        (session,),
    ).fetchall()
    for crc, *values in found:
        sums.check(crc, session, *values)
    there = connection.execute("SELECT receipts FROM sessions WHERE id = ?", (session,)).fetchone()
    sums.insist(there in (None, (None,), (len(found),)))
    return tuple(StoredReceipt(*columns[1:]) for columns in found)


def drafts(connection: sqlite3.Connection, session: str) -> tuple[Draft, ...]:
    """None where one is damaged: half a sentence of which nobody knows the half is left out."""
    found = connection.execute(
        "SELECT d.turn, d.item, d.kind, d.start, d.text, d.crc FROM drafts d JOIN sessions s"
        " ON s.key = d.session WHERE s.id = ? ORDER BY d.item, d.kind, d.start",
        (session,),
    ).fetchall()
    for turn, item, kind, start, text, crc in found:
        if not sums.match(crc, session, item, kind, start, turn, text):
            sums.left_out(connection, f"what was half said in session {session}")
            return ()
    return tuple(
        Draft(turn, item, kind, _joined(piece[3:5] for piece in pieces))
        for (turn, item, kind), pieces in groupby(found, key=lambda piece: piece[:3])
    )


def unsettled(connection: sqlite3.Connection) -> tuple[str, ...]:
    found = connection.execute(
        "SELECT id FROM sessions WHERE state = 'running'"
        " OR (state = 'idle' AND queue > 0 AND NOT held)"
        " OR key IN (SELECT session FROM drafts) ORDER BY active_at, id"
    ).fetchall()
    return tuple(columns[0] for columns in found)


def with_jobs(connection: sqlite3.Connection) -> tuple[str, ...]:
    found = connection.execute("SELECT id FROM sessions WHERE jobs > 0 ORDER BY id").fetchall()
    return tuple(columns[0] for columns in found)


def _log(connection: sqlite3.Connection, session: str) -> tuple[int, int]:
    """Key and head. Raises NoSuchSession, or LogDamaged where the head is not the last event."""
    found: tuple[int, int, int] | None = connection.execute(
        "SELECT key, head, (SELECT max(seq) FROM events WHERE session = key)"
        " FROM sessions WHERE id = ?",
        (session,),
    ).fetchone()
    if found is None:
        raise NoSuchSession
    key, head, last = found
    if head != last:
        raise LogDamaged(head, f"the log should end with it, and ends with {last}")
    return key, head


def _within(
    found: Iterable[tuple[bytes, int | None]],
    wanted: Iterable[int],
    seal: sums.Seal,
    max_bytes: int,
) -> list[bytes]:
    """Rows as long as they fit, and the first in any case; the rest is not read.

    Raises LogDamaged for one that is not as it was written.
    """
    bodies: list[bytes] = []
    size = 0
    rows_found = iter(found)
    for seq in wanted:
        body, crc = next(rows_found, (None, None))
        if type(body) is not bytes:
            raise LogDamaged(seq, "it is missing")
        if crc is not None and crc != seal(seq, body):
            raise LogDamaged(seq, "it is not as it was written")
        size += len(body)
        if bodies and size > max_bytes:
            break
        bodies.append(body)
    return bodies


def _joined(pieces: Iterable[tuple[int, str]]) -> str:
    """What overlaps what is there counts once; what was skipped leaves no gap."""
    text, end = "", 0
    for start, piece in pieces:
        text += piece[end - start :] if start < end else piece
        end = max(end, start + len(piece))
    return text
