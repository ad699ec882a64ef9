"""What a log folds into: turns with their calls, input that waits, what was spent."""

from datetime import datetime
from typing import Literal, assert_never

from msgspec import Struct, field

from agent.protocol import (
    ApprovalRequired,
    ApprovalResolved,
    AssistantMessage,
    CallId,
    Decision,
    Delivery,
    Effect,
    JobId,
    JsonObject,
    Notice,
    PlanItem,
    PlanUpdated,
    QuestionAnswered,
    QuestionAsked,
    QuestionId,
    SubmissionId,
    ToolCall,
    ToolOutput,
    ToolStarted,
    TurnEnded,
    TurnId,
    Usage,
    UserId,
    UserMessage,
)

State = Literal["idle", "running", "awaiting_approval", "ended"]
Shown = UserMessage | AssistantMessage | ToolCall | ToolOutput | Notice
"""The events a model is shown."""

Progress = (
    ApprovalRequired
    | ApprovalResolved
    | ToolStarted
    | QuestionAsked
    | QuestionAnswered
    | PlanUpdated
)
"""The events that bring the calls of a turn on."""

HOLDING = ("interrupted", "failed", "limit")
"""Ends of a turn after which queued input waits to be resumed."""
COMPACTION_STOPPED = "compaction_stopped"
"""The notice that ends a compaction somebody stopped; it holds the queue as a stopped turn does."""


LONGEST_GAP = 3600.0
"""Seconds from one event of a turn at work to the next; where it seems more, a clock was set."""


def seconds_between(earlier: str, later: str, measured: float | None = None) -> float:
    """From one time of the log to another; a clock that was set back counts as nothing."""
    if measured is not None:
        return measured
    if earlier == later:
        return 0.0
    gap = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return min(max(gap.total_seconds(), 0.0), LONGEST_GAP)


def estimate_tokens(text: str) -> int:
    """About four bytes of UTF-8 a token: what is used where no provider has counted."""
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return size // 4 + 4


class Entry(Struct, frozen=True):
    """A shown event in its place in the log."""

    seq: int
    event: Shown


class Inquired(Struct):
    """A question of a server of tools; open until it is answered, or its call is over."""

    asked: QuestionAsked
    answer: QuestionAnswered | None = None


class CallState(Struct):
    """How far a call has come."""

    made: ToolCall
    asked: bool = False
    decision: Decision | None = None
    started: bool = False
    output: ToolOutput | None = None
    questions: dict[QuestionId, Inquired] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.output is None

    @property
    def is_waiting(self) -> bool:
        """A human was asked and has not ruled."""
        return self.asked and self.decision is None and self.output is None

    @property
    def open_questions(self) -> tuple[QuestionAsked, ...]:
        """What a person may still answer."""
        return tuple(q.asked for q in self.questions.values() if self.is_open and not q.answer)

    @property
    def arguments(self) -> JsonObject:
        """What will run, or ran: a human's edit goes before what the model wrote."""
        if self.decision is not None and self.decision.arguments is not None:
            return self.decision.arguments
        return self.made.arguments


class Queued(Struct, frozen=True):
    """Input that waits; `during` is the turn that was open when it came."""

    submission: SubmissionId
    text: str
    delivery: Delivery
    author: UserId
    attachments: tuple[str, ...]
    during: TurnId | None


class Spent(Struct):
    """What a turn, or a session, has used; `cost_usd` is None once any part is unknown."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0

    def add(self, usage: Usage) -> None:
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        known = self.cost_usd is not None and usage.cost_usd is not None
        self.cost_usd = (self.cost_usd or 0.0) + (usage.cost_usd or 0.0) if known else None


class Turn(Struct):
    """One turn: what was said and done in it; no `message` began it where a job's end did."""

    id: TurnId
    submission: SubmissionId
    message: UserMessage | None
    began: int
    context_before: int
    started: bool = False
    entries: list[Entry] = field(default_factory=list)
    calls: dict[CallId, CallState] = field(default_factory=dict)
    told: list[JobId] = field(default_factory=list)
    """The jobs of whose end the model was told in it."""
    plan: tuple[PlanItem, ...] | None = None
    spent: Spent = field(default_factory=Spent)
    replies: int = 0
    worked: float = 0.0
    """Seconds between its events, those not counted in which a ruling was waited for."""
    end: TurnEnded | None = None
    ended: int = 0
    """The seq of its end."""
    undone_at: int | None = None

    @property
    def undone(self) -> bool:
        return self.undone_at is not None

    @property
    def remembered(self) -> tuple[tuple[str, Effect], ...]:
        """What a human allowed for the session in this turn: a tool, to have an effect."""
        ruled = ((c.made, c.decision) for c in self.calls.values() if c.decision)
        return tuple(
            (made.tool, made.effect)
            for made, ruling in ruled
            if ruling.decision == "approve" and ruling.remember
        )

    @property
    def open_calls(self) -> tuple[CallState, ...]:
        return tuple(c for c in self.calls.values() if c.is_open)

    @property
    def waiting_calls(self) -> tuple[CallState, ...]:
        return tuple(c for c in self.calls.values() if c.is_waiting)

    @property
    def open_questions(self) -> tuple[QuestionAsked, ...]:
        return tuple(q for c in self.calls.values() for q in c.open_questions)

    def take(self, event: Progress) -> None:
        match event:
            case ApprovalRequired():
                for question in event.calls:
                    self.calls[question.call].asked = True
            case ApprovalResolved():
                for ruling in event.decisions:
                    self.calls[ruling.call].decision = ruling
            case ToolStarted():
                self.calls[event.call].started = True
            case QuestionAsked():
                self.calls[event.call].questions[event.question] = Inquired(event)
            case QuestionAnswered():
                self.calls[event.call].questions[event.question].answer = event
            case PlanUpdated():
                self.plan = event.items
            case _ as never:
                assert_never(never)


class Summary(Struct, frozen=True):
    """A compaction: `text` stands for the log up to `through`."""

    seq: int
    text: str
    through: int

    def tells_of(self, turn: Turn) -> bool:
        """Part of the turn is in it: what was undone before was left out."""
        kept_then = turn.undone_at is None or turn.undone_at > self.seq
        return kept_then and turn.began <= self.through


class Digest(Struct, frozen=True):
    """What lists and the status line show of a session; a function of its log."""

    title: str
    model: str
    state: State
    turn: TurnId | None
    queue: tuple[Queued, ...]
    held: bool
    pending_approvals: int
    pending_questions: int
    spent_input: int
    spent_output: int
    cost_usd: float | None
    context_used: int
    context_limit: int
    jobs: int
    """How many go on and are waited for."""
    last: TurnEnded | None
    """How the last turn that counts ended; None while it is open."""
