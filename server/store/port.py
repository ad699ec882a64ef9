"""What a store keeps: event logs, receipts, drafts, the session index, API tokens."""

import asyncio
from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from agent.protocol import EndStatus
from server.store.audit import AuditLog, AuditRow
from server.store.shares import ShareStore

SessionState = Literal["idle", "running", "awaiting_approval", "ended"]


class Indexed(Struct, frozen=True):
    """The part of a session's row that follows from its log, rewritten by every append."""

    title: str
    model: str
    state: SessionState
    turn: str | None
    """The open turn, running or parked."""
    queue: int
    held: bool
    pending_approvals: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    context_used: int
    context_limit: int
    jobs: int = 0
    """How many go on in the background."""
    last_status: EndStatus | Literal[""] = ""
    """How the last turn that counts ended; empty while it is open, and where there is none."""
    last_reason: str = ""
    """Why, in one word, where it did not just complete."""


class SessionRow(Struct, frozen=True):
    id: str
    owner: str
    created_at: str
    active_at: str
    head: int
    indexed: Indexed
    questions: int = 0
    """Open ones of servers of tools; never stored: they close when their session leaves memory."""


class StoredReceipt(Struct, frozen=True):
    id: str
    fingerprint: bytes
    seq: int


class Append(Struct, frozen=True):
    """One commit of one session: all of it or nothing. `first` is the seq of `bodies[0]`.

    `bodies` are whole encoded events, `seq` and `at` included: they are replayed as they are.
    `words` is what search shall find of them; `closed` names the items whose drafts end here.
    """

    session: str
    first: int
    at: str
    bodies: tuple[bytes, ...]
    receipts: tuple[StoredReceipt, ...]
    closed: tuple[str, ...]
    words: tuple[str, ...]
    indexed: Indexed
    acts: tuple[AuditRow, ...] = ()
    """For the audit log, in the same transaction."""


DraftKind: TypeAlias = Literal["text", "reasoning", "tool_log"]


class DraftPiece(Struct, frozen=True):
    """Text shown of an open item from code point `offset` on."""

    session: str
    turn: str
    item: str
    kind: DraftKind
    offset: int
    text: str


class Draft(Struct, frozen=True):
    """An open item's text as far as it was kept: its pieces joined."""

    turn: str
    item: str
    kind: DraftKind
    text: str


class NewSession(Struct, frozen=True):
    """A session to be, with its first event; a repeated `idempotency_key` of the owner finds it.

    `at_most`: how many sessions that are not ended the owner may have.
    """

    id: str
    owner: str
    at: str
    body: bytes
    indexed: Indexed
    at_most: int
    idempotency_key: str | None = None


class NewFork(Struct, frozen=True):
    """A session to be that copies `source` from event 2 to `through`, receipts included.

    `body` replaces event 1; `tail` follows the copied events, numbered from `through + 1`.
    """

    id: str
    owner: str
    at: str
    source: str
    through: int
    body: bytes
    tail: tuple[bytes, ...]
    indexed: Indexed
    at_most: int


class EventPage(Struct, frozen=True):
    """Consecutive stored events, ascending; `first` is the seq of `bodies[0]`.

    `head` and `oldest` are the log's ends, read in the same transaction.
    """

    first: int
    bodies: tuple[bytes, ...]
    head: int
    oldest: int
    more: bool


class Picked(Struct, frozen=True):
    """Stored events of some types with their seq, ascending; `more` of them are further back."""

    events: tuple[tuple[int, bytes], ...]
    head: int
    oldest: int
    more: bool


class RowPage(Struct, frozen=True):
    rows: tuple[SessionRow, ...]
    next_cursor: str | None


class Token(Struct, frozen=True):
    """An API token without its secret; `hash` is what is compared. Times are RFC 3339 UTC."""

    id: str
    user: str
    role: str
    hash: bytes
    created_at: str
    expires_at: str | None
    last_used: str | None = None
    """To within a minute."""


class Store(Protocol):
    """Writes are handed over in order to one writer that commits them in groups.

    Every method that writes raises Unrecorded when the commit fails or its outcome is unknown, and
    NoSuchSession when the session's row is gone (then nothing was inserted).
    """

    log_generation: str
    """Changes when the store was restored from a backup: positions of before mean nothing."""

    @property
    def audit(self) -> AuditLog: ...

    @property
    def shares(self) -> ShareStore: ...

    @property
    def complaint(self) -> str:
        """Why commits fail since the last one that did not; empty while they succeed."""
        ...

    @property
    def cramped(self) -> str:
        """Why nothing new may be begun on a disk that is full; empty while there is room."""
        ...

    def try_again(self) -> None:
        """Commit nothing, to find out: where nobody writes, no complaint would ever end."""
        ...

    def append(self, append: Append) -> asyncio.Future[None]:
        """Hand over without waiting; the order of calls is the order of commits."""
        ...

    def draft(self, pieces: Sequence[DraftPiece]) -> asyncio.Future[None]:
        """Pieces of sessions that are gone are left out; the others are kept."""
        ...

    async def create(self, new: NewSession) -> tuple[SessionRow, bool]:
        """The row, and whether it is new (False: the idempotency key was used before).

        Raises TooManySessions, or StoreProblem `disk_full`, as a fork does.
        """
        ...

    async def fork(self, new: NewFork) -> SessionRow: ...

    async def delete(self, session: str) -> None: ...

    async def row(self, session: str) -> SessionRow | None: ...

    async def ids(self) -> frozenset[str]:
        """Every session there is, found without an index: one that is damaged hides none."""
        ...

    async def rows(
        self, owner: str | None, *, limit: int, cursor: str | None, q: str, state: str
    ) -> RowPage:
        """The owner's and what is shared with them, newest activity first; owner None means all,
        '' no filter; raises BadCursor."""
        ...

    async def count(self, owner: str | None, state: str = "") -> int:
        """Stored sessions of the owner (None: of all) in a state; '' means all but ended ones."""
        ...

    async def events_after(
        self, session: str, after: int, *, limit: int, max_bytes: int
    ) -> EventPage:
        """Events after `after`; at least one where there is one, whatever its size."""
        ...

    async def events_before(
        self, session: str, before: int, *, limit: int, max_bytes: int
    ) -> EventPage:
        """The last events before `before`, ascending; at least one where there is one."""
        ...

    async def events_of(
        self, session: str, types: Sequence[str], before: int, *, limit: int, max_bytes: int
    ) -> Picked:
        """The last events of these types before `before`; at least one where there is one."""
        ...

    async def receipts(self, session: str) -> tuple[StoredReceipt, ...]: ...

    async def drafts(self, session: str) -> tuple[Draft, ...]: ...

    async def unsettled(self) -> tuple[str, ...]:
        """May need recovery: a running turn, drafts, or input at rest that nothing holds."""
        ...

    async def with_jobs(self) -> tuple[str, ...]:
        """Sessions whose jobs go on in the background."""
        ...

    async def add_token(self, token: Token) -> None: ...

    async def tokens(self) -> tuple[Token, ...]: ...

    async def revoke_token(self, token: str) -> bool: ...

    async def close(self) -> None: ...
