"""The vocabulary: what may be asked of a session (submissions) and what it reports (events)."""

import re
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

SubmissionId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
TurnId: TypeAlias = str
ItemId: TypeAlias = str
CallId: TypeAlias = str
UserId: TypeAlias = str
JsonObject: TypeAlias = dict[str, Any]
"""A tool's arguments: the one dict that travels, because its shape belongs to the tool."""

MOORING: UserId = "mooring"
"""Who acted when no person did."""
MAX_TEXT = 100_000
"""Characters in one message; longer is refused `too_long`."""

MAX_ATTACHMENTS = 100
"""Files attached to one message; more are refused `malformed`."""

Delivery = Literal["queue", "steer"]
Ruling = Literal["approve", "reject"]
QueueFate = Literal["hold", "drop", "continue"]
Effect = Literal["read", "write", "execute", "spend", "publish"]
OutputStatus = Literal["ok", "error", "rejected", "cancelled", "unknown"]
EndStatus = Literal["completed", "interrupted", "failed", "limit"]
Purpose = Literal["main", "compaction", "research", "title"]
PlanStatus = Literal["pending", "in_progress", "completed"]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


# ---- submissions -------------------------------------------------------------------------------


class Decision(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One ruling; `arguments` replaces the call's arguments whole."""

    call: CallId
    decision: Ruling
    feedback: str | None = None
    arguments: JsonObject | None = None
    remember: Literal["session"] | None = None


class Submission(Struct, frozen=True, tag=_snake, tag_field="type", forbid_unknown_fields=True):
    """What a client asks of a session; the class name is its name on the wire.

    The id is the client's, unique in the session and reused when the same thing is sent again.
    """

    id: SubmissionId


class UserInput(Submission, frozen=True):
    text: str
    delivery: Delivery = "queue"
    attachments: tuple[str, ...] = ()


class Approval(Submission, frozen=True):
    """Rule on calls the agent asked about; a call not named stays open."""

    decisions: Annotated[tuple[Decision, ...], Meta(min_length=1)]


class Interrupt(Submission, frozen=True):
    turn: TurnId | None = None
    queue: QueueFate = "hold"


class Resume(Submission, frozen=True): ...


class Withdraw(Submission, frozen=True):
    submission: SubmissionId


class Undo(Submission, frozen=True): ...


class Retry(Submission, frozen=True): ...


class Compact(Submission, frozen=True): ...


class SetModel(Submission, frozen=True):
    model: Annotated[str, Meta(min_length=1, max_length=200)]


class SetAutoApproval(Submission, frozen=True):
    enabled: bool
    cost_cap_usd: Annotated[float, Meta(ge=0)] | None = None


class Shutdown(Submission, frozen=True): ...


class Ping(Submission, frozen=True): ...


AnySubmission = (
    UserInput
    | Approval
    | Interrupt
    | Resume
    | Withdraw
    | Undo
    | Retry
    | Compact
    | SetModel
    | SetAutoApproval
    | Shutdown
    | Ping
)

# ---- events ------------------------------------------------------------------------------------


class Event(Struct, frozen=True, tag=_snake, tag_field="type", omit_defaults=True):
    """Something that happened and is in the log for good; fields at their default are left out."""


class Origin(Struct, frozen=True):
    """Where a fork comes from: an exact prefix of `session`, up to the end of `turn`."""

    session: str
    turn: TurnId


class SessionCreated(Event, frozen=True):
    model: str
    title: str
    forked_from: Origin | None = None


class InputQueued(Event, frozen=True):
    submission: SubmissionId
    text: str
    delivery: Delivery
    author: UserId
    attachments: tuple[str, ...] = ()


class InputWithdrawn(Event, frozen=True):
    submission: SubmissionId
    by: UserId


class UserMessage(Event, frozen=True):
    turn: TurnId
    submission: SubmissionId
    text: str
    author: UserId
    steered: bool = False
    attachments: tuple[str, ...] = ()


class TurnStarted(Event, frozen=True):
    turn: TurnId
    submission: SubmissionId
    model: str


class AssistantMessage(Event, frozen=True):
    """Closes the open item: its text is authoritative; `partial` when it was cut short."""

    turn: TurnId
    item: ItemId
    text: str
    reasoning: str = ""
    partial: bool = False


class ToolCall(Event, frozen=True):
    """A call the model made. `malformed` is the model's text where it was no JSON object."""

    turn: TurnId
    call: CallId
    tool: str
    arguments: JsonObject
    effect: Effect
    malformed: str | None = None


class Question(Struct, frozen=True, omit_defaults=True):
    """One call that waits for a human, and why."""

    call: CallId
    tool: str
    arguments: JsonObject
    reason: str
    estimated_cost_usd: float | None = None


class ApprovalRequired(Event, frozen=True):
    turn: TurnId
    calls: tuple[Question, ...]


class ApprovalResolved(Event, frozen=True):
    turn: TurnId
    decisions: tuple[Decision, ...]
    by: UserId
    submission: SubmissionId


class ToolStarted(Event, frozen=True):
    """`arguments` are there when a human edited them."""

    turn: TurnId
    call: CallId
    arguments: JsonObject | None = None


class ToolOutput(Event, frozen=True):
    """Closes a call. `size` counts the characters of the whole output, `seconds` its run time."""

    turn: TurnId
    call: CallId
    status: OutputStatus
    output: str
    truncated: bool
    size: int
    seconds: float


# Required fields are written even when false or zero: only fields with defaults are left out.


class PlanItem(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    content: str
    status: PlanStatus


class PlanUpdated(Event, frozen=True):
    turn: TurnId
    items: tuple[PlanItem, ...]


class Usage(Event, frozen=True):
    """What one model request used; a cost of None is unknown, never free."""

    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float | None
    purpose: Purpose
    turn: TurnId | None = None


class ErrorNote(Struct, frozen=True):
    code: str
    message: str


class Retrying(Event, frozen=True):
    """`attempt` is the one that failed, from 1; the next begins after `wait_seconds`."""

    attempt: int
    of: int
    wait_seconds: float
    error: ErrorNote
    turn: TurnId | None = None


class Notice(Event, frozen=True):
    """A note; one with a turn is shown to the model beside the conversation."""

    code: str
    text: str
    turn: TurnId | None = None


class Compacted(Event, frozen=True):
    """The model is shown `summary` in place of the log up to `through`, the first message aside."""

    before_tokens: int
    after_tokens: int
    summary: str
    through: int
    submission: SubmissionId | None = None


class TurnUndone(Event, frozen=True):
    turn: TurnId
    submission: SubmissionId


class AutoApproval(Struct, frozen=True):
    enabled: bool
    cost_cap_usd: float | None = None


class SessionUpdated(Event, frozen=True):
    by: UserId
    title: str | None = None
    model: str | None = None
    auto_approval: AutoApproval | None = None


class TurnError(Struct, frozen=True):
    code: str
    message: str
    retryable: bool


class TurnEnded(Event, frozen=True):
    turn: TurnId
    status: EndStatus
    reason: str | None = None
    error: TurnError | None = None


class SessionEnded(Event, frozen=True):
    reason: str
    by: UserId | None = None


AnyEvent = (
    SessionCreated
    | InputQueued
    | InputWithdrawn
    | UserMessage
    | TurnStarted
    | AssistantMessage
    | ToolCall
    | ApprovalRequired
    | ApprovalResolved
    | ToolStarted
    | ToolOutput
    | PlanUpdated
    | Usage
    | Retrying
    | Notice
    | Compacted
    | TurnUndone
    | SessionUpdated
    | TurnEnded
    | SessionEnded
)


class Recorded(Struct, frozen=True):
    """An event in its place in the log: `seq` is dense from 1, `at` is RFC 3339 UTC."""

    seq: int
    at: str
    event: AnyEvent


decode_submission = msgspec.json.Decoder(AnySubmission).decode
"""Bytes or text of one client frame -> submission; raises msgspec.DecodeError naming the field."""
decode_event = msgspec.json.Decoder(AnyEvent).decode
"""A stored event body -> event; `seq` and `at` in it are ignored (they are the row's)."""
encode_event = msgspec.json.Encoder().encode
