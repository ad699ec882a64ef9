"""A stored log, read back: events, receipts and drafts as the agent knows them."""

import msgspec
from msgspec import Struct

from agent.history import History
from agent.journal import Receipt
from agent.protocol import Recorded, decode_event
from agent.recovery import Draft
from server.errors import LogDamaged
from server.store.port import Store

PAGE_EVENTS = 1_000
PAGE_BYTES = 1024 * 1024
_AT = b'"at":"'
_AT_LENGTH = len("2026-01-01T00:00:00.000Z")


class Loaded(Struct, frozen=True):
    """`history` is at its head; nothing of it is recovered yet."""

    history: History
    receipts: tuple[Receipt, ...]
    drafts: tuple[Draft, ...]


async def load(store: Store, session: str) -> Loaded:
    """Raises NoSuchSession."""
    history = await load_history(store, session)
    receipts = await store.receipts(session)
    drafts = await store.drafts(session)
    return Loaded(
        history,
        tuple(Receipt(r.id, r.fingerprint, r.seq) for r in receipts),
        tuple(Draft(d.turn, d.item, d.kind, d.text) for d in drafts),
    )


async def load_history(store: Store, session: str, through: int | None = None) -> History:
    """The log folded, up to `through` where that is given."""
    history = History()
    while True:
        page = await store.events_after(
            session, history.head, limit=PAGE_EVENTS, max_bytes=PAGE_BYTES
        )
        for number, body in enumerate(page.bodies):
            if through is not None and page.first + number > through:
                return history
            _apply(history, recorded(page.first + number, body))
        if not page.more:
            return history


def recorded(seq: int, body: bytes) -> Recorded:
    """A stored body with its place; every body begins with `{"seq":N,"at":"...",`.

    Raises LogDamaged.
    """
    try:
        start = body.index(_AT) + len(_AT)
        return Recorded(seq, body[start : start + _AT_LENGTH].decode(), decode_event(body))
    except (ValueError, msgspec.DecodeError) as error:
        raise LogDamaged(seq, str(error)) from error


def _apply(history: History, entry: Recorded) -> None:
    try:
        history.apply(entry)
    except (KeyError, AttributeError) as error:
        raise LogDamaged(
            entry.seq, f"it does not follow from the events before: {error}"
        ) from error
