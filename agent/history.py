"""The log folded: turns, their open calls, what is queued, held, undone or compacted."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from agent.folded import (
    COMPACTION_STOPPED,
    HOLDING,
    CallState,
    Digest,
    Entry,
    Inquired,
    Queued,
    Shown,
    Spent,
    State,
    Summary,
    Turn,
    estimate_tokens,
    seconds_between,
)
from agent.jobs import Jobs
from agent.protocol import (
    AnyEvent,
    ApprovalRequired,
    ApprovalResolved,
    AssistantMessage,
    AutoApproval,
    CallId,
    Compacted,
    Effect,
    InputQueued,
    InputWithdrawn,
    JobEnded,
    JobStarted,
    Notice,
    PlanItem,
    PlanUpdated,
    QuestionAnswered,
    QuestionAsked,
    QuestionId,
    Recorded,
    SessionCreated,
    SessionEnded,
    SessionUpdated,
    SubmissionId,
    ToolCall,
    ToolOutput,
    ToolStarted,
    TurnEnded,
    TurnId,
    TurnStarted,
    TurnUndone,
    Usage,
    UserMessage,
)

HUMAN = (ApprovalResolved, QuestionAnswered)
"""What ends a wait for a person: that is no time in which a turn has worked."""

__all__ = [
    "COMPACTION_STOPPED",
    "CallState",
    "Digest",
    "Entry",
    "History",
    "Inquired",
    "Queued",
    "Shown",
    "Spent",
    "State",
    "Summary",
    "Turn",
    "estimate_tokens",
]


class History:
    """A fold over the log: `apply` is its only writer, everything else reads."""

    def __init__(self, entries: Iterable[Recorded] = ()) -> None:
        self.head, self._at = 0, ""
        self.title = self.model = ""
        self.mcp_servers: tuple[str, ...] | None = None
        self.turns: dict[TurnId, Turn] = {}
        self.open_turn: Turn | None = None
        self.queue: dict[SubmissionId, Queued] = {}
        self.jobs = Jobs()
        self.held = False
        self.ended = False
        self.auto_approval = AutoApproval(enabled=False)
        self.spent = Spent()
        self.context_used = 0
        self._summaries: list[Summary] = []
        for entry in entries:
            self.apply(entry)

    @property
    def state(self) -> State:
        if self.ended:
            return "ended"
        if self.open_turn is None:
            return "idle"
        return "awaiting_approval" if self.open_turn.waiting_calls else "running"

    @property
    def counting(self) -> tuple[Turn, ...]:
        """The turns that were not undone."""
        return tuple(t for t in self.turns.values() if not t.undone)

    @property
    def undone(self) -> frozenset[TurnId]:
        return frozenset(t.id for t in self.turns.values() if t.undone)

    @property
    def last_turn(self) -> Turn | None:
        """The last turn that was not undone: what undo and retry are about."""
        return next((t for t in reversed(self.turns.values()) if not t.undone), None)

    @property
    def plan(self) -> tuple[PlanItem, ...]:
        plans = (t.plan for t in reversed(self.turns.values()) if not t.undone)
        return next((p for p in plans if p is not None), ())

    @property
    def remembered(self) -> frozenset[tuple[str, Effect]]:
        """What a human allowed for the session, in turns that count: a tool, to have an effect."""
        return frozenset(allowed for turn in self.counting for allowed in turn.remembered)

    @property
    def summary(self) -> Summary | None:
        """The last compaction of which every turn it summarises counts."""
        return next((s for s in reversed(self._summaries) if self._counts(s)), None)

    def _counts(self, summary: Summary) -> bool:
        return not any(t.undone and summary.tells_of(t) for t in self.turns.values())

    def steering(self) -> tuple[Queued, ...]:
        """Queued input that joins the open turn at its next model call."""
        turn = self.open_turn
        if turn is None:
            return ()
        waiting = (q for q in self.queue.values() if q.delivery == "steer")
        return tuple(q for q in waiting if q.during == turn.id)

    def find_call(self, call: CallId) -> CallState | None:
        return next((t.calls[call] for t in self.turns.values() if call in t.calls), None)

    def find_question(self, question: QuestionId) -> tuple[CallState, Inquired] | None:
        calls = (call for turn in self.turns.values() for call in turn.calls.values())
        return next(((c, c.questions[question]) for c in calls if question in c.questions), None)

    def shown(self) -> Iterator[Entry]:
        """What the model is shown of the turns that count, oldest first, compaction aside."""
        for turn in self.counting:
            yield from turn.entries

    def digest(self, context_limit: int) -> Digest:
        return Digest(
            title=self.title,
            model=self.model,
            state=self.state,
            turn=self.open_turn.id if self.open_turn else None,
            queue=tuple(self.queue.values()),
            held=self.held,
            pending_approvals=len(self.open_turn.waiting_calls) if self.open_turn else 0,
            pending_questions=len(self.open_turn.open_questions) if self.open_turn else 0,
            spent_input=self.spent.input_tokens,
            spent_output=self.spent.output_tokens,
            cost_usd=self.spent.cost_usd,
            context_used=self.context_used,
            context_limit=context_limit,
            jobs=0 if self.ended else len(self.jobs.open),
            last=self.last_turn.end if self.last_turn else None,
        )

    def apply(self, recorded: Recorded, since: float | None = None) -> None:
        """Take the next event of the log; `since`: seconds since the last one, if measured."""
        event = recorded.event
        if self.open_turn is not None and not isinstance(event, HUMAN):
            self.open_turn.worked += seconds_between(self._at, recorded.at, since)
        self.head, self._at = recorded.seq, recorded.at
        match event:
            case UserMessage():
                self._hear(recorded.seq, event)
            case AssistantMessage() | ToolCall() | ToolOutput() | Notice():
                self._show(recorded.seq, event)
            case ApprovalRequired() | ApprovalResolved() | ToolStarted() | PlanUpdated():
                self.turns[event.turn].take(event)
            case QuestionAsked() | QuestionAnswered():
                self.turns[event.turn].take(event)
            case TurnEnded() | TurnUndone() | Compacted() | Usage():
                self._settle(recorded.seq, event)
            case _:
                self._administer(event)

    def _hear(self, seq: int, event: UserMessage) -> None:
        if self.queue.pop(event.submission, None) and not event.steered:
            self.held = False
        self._release_empty_queue()
        turn = self.turns.get(event.turn) or self._begin(event, event)
        turn.entries.append(Entry(seq, event))
        self.context_used += estimate_tokens(event.text)

    def _begin(self, by: UserMessage | TurnStarted, message: UserMessage | None) -> Turn:
        turn = Turn(by.turn, by.submission, message, self.head, self.context_used)
        self.turns[turn.id] = self.open_turn = turn
        return turn

    def _show(self, seq: int, event: AssistantMessage | ToolCall | ToolOutput | Notice) -> None:
        if event.turn is None:
            self.held = self.held or (event.code == COMPACTION_STOPPED and bool(self.queue))
            return
        turn = self.turns[event.turn]
        turn.entries.append(Entry(seq, event))
        match event:
            case AssistantMessage():
                turn.replies += 1
            case ToolCall():
                turn.calls[event.call] = CallState(event)
            case ToolOutput():
                turn.calls[event.call].output = event
                self.context_used += estimate_tokens(event.output)
            case Notice():
                turn.told += [] if event.job is None else [event.job]
                self.context_used += estimate_tokens(event.text)
            case _ as never:
                assert_never(never)

    def _settle(self, seq: int, event: TurnEnded | TurnUndone | Compacted | Usage) -> None:
        match event:
            case TurnEnded():
                turn = self.turns[event.turn]
                turn.end, turn.ended = event, seq
                self.open_turn = None
                holds = event.status in HOLDING and event.reason != "superseded"
                self.held = bool(self.queue) if holds else self.held
            case TurnUndone():
                turn = self.turns[event.turn]
                turn.undone_at = seq
                self.context_used = turn.context_before
            case Compacted():
                self._sum_up(seq, event)
            case Usage():
                self.spent.add(event)
                if event.turn is not None:
                    self.turns[event.turn].spent.add(event)
                shown = event.input_tokens + event.output_tokens
                self.context_used = shown if event.purpose == "main" else self.context_used
            case _ as never:
                assert_never(never)

    def _sum_up(self, seq: int, event: Compacted) -> None:
        """A later turn that is undone goes back to the summary, not to what it stands for."""
        summary = Summary(seq, event.summary, event.through)
        self._summaries.append(summary)
        self.context_used = event.after_tokens
        for turn in self.turns.values():
            if not summary.tells_of(turn):
                turn.context_before = min(turn.context_before, event.after_tokens)

    def _administer(self, event: AnyEvent) -> None:
        match event:
            case SessionCreated():
                self.title, self.model = event.title, event.model
                self.mcp_servers = event.mcp_servers
            case InputQueued():
                during = self.open_turn.id if self.open_turn else None
                self.queue[event.submission] = Queued(
                    event.submission,
                    event.text,
                    event.delivery,
                    event.author,
                    event.attachments,
                    during,
                )
            case InputWithdrawn():
                del self.queue[event.submission]
                self._release_empty_queue()
            case JobStarted() | JobEnded():
                self.jobs.take(event)
            case TurnStarted():
                turn = self.turns.get(event.turn) or self._begin(event, None)
                turn.started = True
                self.model = event.model
            case SessionUpdated():
                self.title = self.title if event.title is None else event.title
                self.model = self.model if event.model is None else event.model
                self.auto_approval = event.auto_approval or self.auto_approval
            case SessionEnded():
                self.ended = True
            case _:
                pass  # retrying and steps are for people to see; nothing follows from them

    def _release_empty_queue(self) -> None:
        if not self.queue:
            self.held = False
