"""The port a session writes through: `record` for what is for good, `open` for text that grows."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from agent.history import Digest
from agent.protocol import AnyEvent, CallId, ItemId, Recorded, SubmissionId, TurnId

GrowthKind = Literal["text", "reasoning", "tool_log"]
Activity = Literal["waiting", "model", "retrying", "tools", "compacting"]


class NewReceipt(Struct, frozen=True):
    """To be kept with a commit: this submission took effect by its first event.

    `fingerprint` is equal for equal content, so that a repeat is told from another thing that was
    sent under the same id.
    """

    id: SubmissionId
    fingerprint: bytes


class Receipt(Struct, frozen=True):
    """Proof that a submission took effect: `seq` is the first event it caused."""

    id: SubmissionId
    fingerprint: bytes
    seq: int


class Commit(Struct, frozen=True):
    """Events handed over: numbered already, on disk and shown to viewers when `done` is.

    `done` raises Unrecorded when the commit failed or its outcome is unknown.
    """

    entries: tuple[Recorded, ...]
    done: asyncio.Future[None]


class OpenText(Protocol):
    """A text being written: the sentence of an item, its reasoning, a running call's output."""

    def grow(self, text: str) -> None:
        """Show `text` behind what is there. Never waits. The event that closes the item ends it."""
        ...


Fold = Callable[[Sequence[Recorded]], Digest]
"""Takes the numbered events into the history, at once, and says what the log now amounts to."""


class Journal(Protocol):
    """One session's way out. Only its actor calls it; hand-over order is log order."""

    def record(
        self, events: Sequence[AnyEvent], receipts: Sequence[NewReceipt], fold: Fold
    ) -> Commit:
        """Number `events`, fold them, and hand all over as one commit; never waits."""
        ...

    def open(self, kind: GrowthKind, turn: TurnId, item: ItemId | CallId) -> OpenText: ...

    def activity(self, activity: Activity | None) -> None:
        """Say what the session is busy with, for the status line; None when it rests."""
        ...
