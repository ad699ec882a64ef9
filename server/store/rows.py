"""A session's row between Struct and table, and the cursor of a listing."""

import base64
from typing import Any

import msgspec

from server.store.errors import BadCursor
from server.store.port import Indexed, SessionRow

_INDEXED = Indexed.__struct_fields__
COLUMNS = ", ".join(("id", "owner", "created_at", "active_at", "head", *_INDEXED))
MARKS = ", ".join("?" * (5 + len(_INDEXED)))
ASSIGNMENTS = ", ".join(f"{name} = ?" for name in ("active_at", "head", *_INDEXED))

Position = tuple[str, str]
"""(active_at, id) of the last row of a page."""

_positions = msgspec.json.Decoder(Position)


def from_columns(values: tuple[Any, ...]) -> SessionRow:
    """The row whose COLUMNS were selected."""
    indexed = dict(zip(_INDEXED, values[5:], strict=True))
    indexed["held"] = bool(indexed["held"])
    id, owner, created_at, active_at, head = values[:5]
    return SessionRow(id, owner, created_at, active_at, head, Indexed(**indexed))


def to_columns(row: SessionRow) -> tuple[Any, ...]:
    return (
        row.id,
        row.owner,
        row.created_at,
        row.active_at,
        row.head,
        *msgspec.structs.astuple(row.indexed),
    )


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
