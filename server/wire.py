"""Every frame the server sends that is not in the log, and the bytes of those that are."""

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct, field

from agent.protocol import (
    AnyEvent,
    AssistantMessage,
    CallId,
    Delivery,
    EndStatus,
    ItemId,
    JobEnded,
    SubmissionId,
    ToolOutput,
    TurnEnded,
    TurnId,
    encode_event,
)
from agent.protocol.words import snake

PROTOCOL = 1
"""What `hello` calls this contract; the subprotocol is SUBPROTOCOL."""
SUBPROTOCOL = "mooring.v1"

SessionState = Literal["idle", "running", "awaiting_approval", "ended"]
Access = Literal["owner", "driver", "viewer", "operator"]
Activity = Literal["waiting", "model", "retrying", "tools", "compacting"]


class Frame(Struct, frozen=True, tag=snake, tag_field="type", omit_defaults=True):
    """A live frame; the class name is its name on the wire, a field at its default is left out."""


# ---- a session and what it is busy with --------------------------------------------------------


class Spent(Struct, frozen=True):
    """Tokens and dollars of a session; a cost of None is unknown, never free."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class LastTurn(Struct, frozen=True, omit_defaults=True):
    """How a turn ended; `reason` says why in one word, where it failed by its error's code."""

    status: EndStatus
    reason: str = ""


class Session(Struct, frozen=True):
    """A session as lists and `hello` show it; `queue` and `pending_...` are counts.

    `access` says what whoever is told of it may do with it.
    """

    id: str
    title: str
    owner: str
    model: str
    state: SessionState
    created_at: str
    active_at: str
    head: int
    queue: int
    pending_approvals: int
    usage: Spent
    last_turn: LastTurn | None
    """The last one that was not undone; null while it is open."""
    pending_questions: int = 0
    access: Access | msgspec.UnsetType = msgspec.UNSET


class Context(Struct, frozen=True):
    """Tokens of the model's window: taken, and there at all."""

    used: int
    limit: int


class Queued(Struct, frozen=True, omit_defaults=True):
    """One input that waits for its turn."""

    submission: SubmissionId
    text: str
    delivery: Delivery
    author: str = ""
    attachments: tuple[str, ...] = ()


class Person(Struct, frozen=True):
    """Somebody who watches a session; `role` is their access to it."""

    id: str
    name: str
    role: Access


class Status(Frame, frozen=True):
    """What a session is doing now; the broadcaster fills in `viewers` (connections) and `people`,
    each once."""

    state: SessionState
    queue: tuple[Queued, ...]
    held: bool
    context: Context
    viewers: int
    turn: TurnId | None = None
    activity: Activity | None = None
    people: tuple[Person, ...] = ()


# ---- from the upgrade to `synced`, and growing text --------------------------------------------


class Hello(Frame, frozen=True, omit_defaults=False):
    """The first frame: `first` (on the wire `from`) numbers the first event that would follow."""

    session: Session
    log: str
    head: int
    mode: Literal["replay", "tail"]
    first: int = field(name="from")
    protocol: int = PROTOCOL
    reason: Literal["unknown_position"] | msgspec.UnsetType = msgspec.UNSET


class Synced(Frame, frozen=True):
    """Everything up to `seq` has been sent; comes once."""

    seq: int


class TextDelta(Frame, frozen=True):
    """The text of an open item from code point `offset` on."""

    turn: TurnId
    item: ItemId
    offset: int
    text: str


class ReasoningDelta(Frame, frozen=True):
    """The reasoning of an open item from code point `offset` on."""

    turn: TurnId
    item: ItemId
    offset: int
    text: str


class ToolLog(Frame, frozen=True):
    """A running tool's output from `offset` on; `skipped` characters right before it are gone."""

    turn: TurnId
    call: CallId
    offset: int
    text: str
    skipped: int = 0


class Heartbeat(Frame, frozen=True):
    """A sign of life; on a session's socket `head` is the last published seq."""

    at: str
    head: int | None = None


# ---- answers to one client ---------------------------------------------------------------------


class Accepted(Frame, frozen=True):
    """Committed: `seq` is the first event it caused."""

    id: SubmissionId
    seq: int
    duplicate: bool = False


class Refused(Frame, frozen=True):
    """No effect; `id` is null where it could not be read. `retry_after` is in seconds."""

    id: str | None
    code: str
    message: str
    retry_after: float | None = None


class Pong(Frame, frozen=True):
    id: SubmissionId
    at: str


class Bye(Frame, frozen=True):
    """The last frame before the server closes; `code` is the close code."""

    code: int
    reason: str
    retry_after: float | None = None


Answer: TypeAlias = Accepted | Refused | Pong

# ---- the dashboard -----------------------------------------------------------------------------


class Row(Session, frozen=True, kw_only=True):
    """A session as the dashboard shows it; `turn_seconds` is the age of its open turn."""

    activity: Activity | None
    turn_seconds: float | None
    tokens_per_second: float
    context: Context
    viewers: int


class Tally(Struct, frozen=True):
    """How many sessions there are of each sort."""

    live: int
    running: int
    awaiting_approval: int
    stored: int


class Totals(Struct, frozen=True):
    """The fleet in numbers; today's cost is None where a part of it is unknown."""

    sessions: Tally
    viewers: int
    tokens_per_second: float
    turns_per_minute: float
    errors_per_minute: float
    cost_usd_today: float | None
    loop_lag_ms: float
    memory_mib: float


class Fleet(Frame, frozen=True):
    """All rows with `at` first (`full`), then changed rows with the ids that are `gone`."""

    full: bool
    sessions: tuple[Row, ...]
    totals: Totals
    at: str | None = None
    gone: tuple[str, ...] | None = None


# ---- bytes -------------------------------------------------------------------------------------

encode = msgspec.json.Encoder().encode
"""A frame or a Session -> its JSON."""


class Outgoing(Struct, frozen=True):
    """A durable event on its way: `body` is the whole JSON event, as stored and as sent.

    It closes the open item or call named in `closes`, and with it whatever is still open of the
    turn named in `ends`.
    """

    body: bytes
    closes: ItemId | CallId | None = None
    ends: TurnId | None = None


def outgoing(seq: int, at: str, event: AnyEvent) -> Outgoing:
    """The one encoding of an event: the store keeps it and every viewer gets it."""
    body = numbered(seq, at, encode_event(event))
    match event:
        case AssistantMessage(item=item):
            return Outgoing(body, closes=item)
        case ToolOutput(call=call):
            return Outgoing(body, closes=call)
        case JobEnded(job=job):
            return Outgoing(body, closes=job)
        case TurnEnded(turn=turn):
            return Outgoing(body, ends=turn)
        case _:
            return Outgoing(body)


def numbered(seq: int, at: str, body: bytes) -> bytes:
    """`{"type":...}` -> `{"seq":N,"at":"...","type":...}`."""
    return b'{"seq":%d,"at":"%s",%s' % (seq, at.encode(), body[1:])
