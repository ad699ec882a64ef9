"""The audit log as the command writes it: a line for each act, and whether the seals hold."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from agent.errors import Problem
from server.store import audit
from server.store import database as files
from server.store.audit import AuditEntry

BUSY_SECONDS = 5.0
_SEAL_SHOWN = 12


def lines(database: Path, *, jsonl: bool) -> Iterator[tuple[str, AuditEntry, bool]]:
    """Each row as a line, and whether it is what was written there and follows the one before.

    Reads beside a running server and writes nothing. Raises Problem.
    """
    if not database.exists():
        raise Problem("bad_config", f"{database.parent} holds no store. Name another --data-dir.")
    with (
        files.explaining(database),
        closing(files.for_reading(database, busy_seconds=BUSY_SECONDS)) as connection,
    ):
        for entry, sound in audit.every(connection):
            yield (_json(entry) if jsonl else _text(entry)), entry, sound


def _json(entry: AuditEntry) -> str:
    return msgspec.json.encode(entry).decode()


def _text(entry: AuditEntry) -> str:
    """Control characters stay out of the terminal."""
    told = [f"{name}={value}" for name, value in entry.detail.items()]
    where = [w for w in (entry.session, entry.address and f"from {entry.address}") if w]
    words = (entry.at, entry.who, entry.what, *where, *told, entry.seal[:_SEAL_SHOWN])
    line = f"{entry.number}  " + "  ".join(words)
    return "".join(c if c.isprintable() else "?" for c in line)
