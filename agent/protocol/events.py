"""What a session reports: the durable events of its log."""

import msgspec
from msgspec import Struct

from agent.protocol.jobs import JobEnded, JobStarted
from agent.protocol.questions import QuestionAnswered, QuestionAsked
from agent.protocol.words import (
    CallId,
    Decision,
    Delivery,
    Effect,
    EndStatus,
    Event,
    ItemId,
    JobId,
    JsonObject,
    OutputStatus,
    PlanStatus,
    Purpose,
    SubmissionId,
    TurnId,
    UserId,
)


class Origin(Struct, frozen=True):
    """Where a fork comes from: an exact prefix of `session`, up to the end of `turn`."""

    session: str
    turn: TurnId


class SessionCreated(Event, frozen=True):
    """`mcp_servers` are those that it works with, of the configured; None: all of them."""

    model: str
    title: str
    forked_from: Origin | None = None
    mcp_servers: tuple[str, ...] | None = None


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
    """`arguments` are there when a human edited them; `unasked`: it asks by itself, but was allowed
    beforehand, by auto-approval or by an approval that is remembered."""

    turn: TurnId
    call: CallId
    arguments: JsonObject | None = None
    unasked: bool = False


class ToolOutput(Event, frozen=True):
    """Closes a call. `size` counts the characters of the whole output, `seconds` its run time,
    `files` are paths in the workspace that it left for people to see, first the whole of what
    was cut."""

    turn: TurnId
    call: CallId
    status: OutputStatus
    output: str
    truncated: bool
    size: int
    seconds: float
    files: tuple[str, ...] = ()


class Step(Event, frozen=True):
    """What a research did on its way: a call of its own, whose id `step` is; `output` is cut."""

    turn: TurnId
    call: CallId
    step: CallId
    tool: str
    arguments: JsonObject
    status: OutputStatus
    output: str
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
    """A note; one with a turn is shown to the model, with a `job` it tells of that job's end."""

    code: str
    text: str
    turn: TurnId | None = None
    job: JobId | None = None


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
    | QuestionAsked
    | QuestionAnswered
    | ToolOutput
    | Step
    | JobStarted
    | JobEnded
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


decode_event = msgspec.json.Decoder(AnyEvent).decode
"""A stored event body -> event; `seq` and `at` in it are ignored (they are the row's)."""
encode_event = msgspec.json.Encoder().encode
