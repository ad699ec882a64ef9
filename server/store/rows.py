"""A session's row between Struct and table, and the cursor of a listing."""

import base64
from typing import Any

import msgspec

from server.store import sums
from server.store.errors import BadCursor
from server.store.port import Indexed, SessionRow

_ORIGIN = ("id", "owner", "created_at")
"""Never changes, and has a checksum of its own: an append need not read it."""
_INDEXED = Indexed.__struct_fields__
_REST = ("active_at", "head", *_INDEXED)
COLUMNS = ", ".join((*_ORIGIN, "origin_crc", *_REST, "crc"))
MARKS = ", ".join("?" * (len(_ORIGIN) + len(_REST) + 2))
ASSIGNMENTS = ", ".join(f"{name} = ?" for name in (*_REST, "crc"))

Position = tuple[str, str]
"""(active_at, id) of the last row of a page."""

_positions = msgspec.json.Decoder(Position)


def from_columns(values: tuple[Any, ...]) -> SessionRow:
    """The row whose COLUMNS were selected. Raises StoreProblem `store_corrupt`."""
    id, owner, created_at, origin_crc, *rest, crc = values
    sums.check(origin_crc, id, owner, created_at)
    while rest[-1] is None:  # a column that was added after the row was written
        rest.pop()
    sums.check(crc, *rest)
    active_at, head, *status = rest
    indexed = dict(zip(_INDEXED, status, strict=False))
    indexed["held"] = bool(indexed["held"])
    return SessionRow(id, owner, created_at, active_at, head, Indexed(**indexed))


def to_columns(row: SessionRow) -> tuple[Any, ...]:
    origin = (row.id, row.owner, row.created_at)
    return (*origin, sums.of_values(*origin), *changing(row.active_at, row.head, row.indexed))


def changing(active_at: str, head: int, indexed: Indexed) -> tuple[Any, ...]:
    """The values of ASSIGNMENTS, in the types that SQLite gives back."""
    cost = indexed.cost_usd
    stored = msgspec.structs.replace(
        indexed, held=int(indexed.held), cost_usd=None if cost is None else float(cost)
    )
    rest = (active_at, head, *msgspec.structs.astuple(stored))
    return (*rest, sums.of_values(*rest))


def cursor_after(row: SessionRow) -> str:
    position = msgspec.json.encode((row.active_at, row.id))
    return base64.urlsafe_b64encode(position).decode().rstrip("=")


def position_of(cursor: str) -> Position:
    """Where the page before ended; raises BadCursor."""
    padding = "=" * (-len(cursor) % 4)
    try:
        position: Position = _positions.decode(
            base64.b64decode(cursor + padding, b"-_", validate=True)
        )
    except (ValueError, msgspec.DecodeError) as error:
        raise BadCursor() from error
    return position
