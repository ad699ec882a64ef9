"""The port a session writes through: `record` for what is for good, `open` for text that grows."""

import asyncio
from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from agent.protocol import AnyEvent, CallId, ItemId, Recorded, SubmissionId, TurnId
from agent.history import Digest

GrowthKind = Literal["text", "reasoning", "tool_log"]
Activity = Literal["waiting", "model", "retrying", "tools", "compacting"]


class Receipt(Struct, frozen=True):
    """Proof that a submission took effect: `seq` is the first event it caused.

    `fingerprint` is the same for equal content, so a repeat is told from another thing under the
    same id.
    """

    id: SubmissionId
    fingerprint: bytes
    seq: int


class Commit(Struct, frozen=True):
    """Events handed over: numbered at once, on disk and shown when `done` is.

    `done` raises Unrecorded when the commit failed or its outcome is unknown.
    """

    entries: tuple[Recorded, ...]
    done: asyncio.Future[None]


class OpenText(Protocol):
    """A text being written: the sentence of an item, its reasoning, a running call's output."""

    def grow(self, text: str) -> None:
        """Show `text` behind what is there. Never waits. The event that closes the item ends it."""
        ...


class Journal(Protocol):
    """One session's way out. Only its actor calls it; hand-over order is log order."""

    def record(
        self, events: Sequence[AnyEvent], receipts: Sequence["NewReceipt"], digest: "Digest"
    ) -> Commit:
        """Number and hand over `events` and `receipts` as one commit; never waits."""
        ...

    def open(self, kind: GrowthKind, turn: TurnId, item: ItemId | CallId) -> OpenText: ...

    def activity(self, activity: Activity | None) -> None:
        """Say what the session is busy with, for the status line; None when it rests."""
        ...
