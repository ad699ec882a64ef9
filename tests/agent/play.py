"""A session played by chance: people submit, a model replies, tools answer, and a log grows.

What runs follows the automaton and the judge alone, as the actor does, but without a loop.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import TypeVar

from hypothesis import strategies as st

from agent.approval import Ask, Rule
from agent.budget import Allowance
from agent.compaction import cut_point, summary_request
from agent.edges import answer_open, begin_next, end
from agent.errors import Refused
from agent.folded import COMPACTION_STOPPED, CallState, Queued, Turn
from agent.history import History
from agent.judge import (
    CANCELLED,
    Do,
    Situation,
    StartCompaction,
    StopCompaction,
    StopTurn,
    judge,
)
from agent.protocol import (
    AnyEvent,
    AnySubmission,
    Approval,
    ApprovalRequired,
    AssistantMessage,
    Compact,
    Compacted,
    Decision,
    Effect,
    InputWithdrawn,
    Interrupt,
    JobEnded,
    JobId,
    JobStarted,
    JobStatus,
    Notice,
    PlanItem,
    PlanUpdated,
    Question,
    Recorded,
    Resume,
    Retry,
    SessionCreated,
    SessionEnded,
    SetAutoApproval,
    SetModel,
    Shutdown,
    ToolCall,
    ToolOutput,
    ToolStarted,
    TurnError,
    Undo,
    Usage,
    UserInput,
    UserMessage,
    Withdraw,
)
from agent.turn import (
    TRUNCATED,
    AskHuman,
    AskModel,
    Finish,
    Limits,
    RunTools,
    next_step,
)
from agent.turn import Compact as MakeRoom
from agent.waking import hear
from tests.agent.logs import numbered, rules

T = TypeVar("T")
EFFECTS: dict[str, Effect] = {
    "read": "read",
    "bash": "execute",
    "drop": "write",
    "train": "spend",
    "upload": "publish",
    "nosuch": "read",
}
RULES = rules(
    Rule("deny", "bash", {"command": "forbidden"}),
    Rule("always_ask", "bash", {"command": "careful"}),
    Rule("ask", "drop"),
)
COMMANDS = ("ls", "forbidden", "careful")
LIMITS = Limits(Allowance(max_iterations=6), context=2_000)
MARK = re.compile(r"<\w+>")
"""Every text that is said, printed or noted holds a mark of its own, so that it can be traced."""


class Play:
    """`entries` is the log, `borders` where its commits end, `refusals` codes that were said."""

    def __init__(self, below: Callable[[int], int], limits: Limits = LIMITS) -> None:
        self._below = below
        self._limits = limits
        self.alone = False
        """Nobody submits anything while it works."""
        self._ids = count(1)
        self._compacting: tuple[str, int] | None = None
        self.history = History()
        self.entries: list[Recorded] = []
        self.borders: list[int] = []
        self.refusals: list[str] = []
        self.ran: list[tuple[CallState, bool]] = []
        """What was started, and whether the rules deny it."""
        self.commit(SessionCreated("m1", ""))

    # -- the log --

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self._ids)}"

    def text(self, what: str = "") -> str:
        return f"{what}<{self.new_id('x')}>" + "." * self._pick(0, 0, 0, 1_500)

    def commit(self, *events: AnyEvent) -> None:
        for recorded in numbered(events, len(self.entries)):
            self.entries.append(recorded)
            self.history.apply(recorded)
        self.borders.append(len(self.entries))

    def _pick(self, *options: T) -> T:
        return options[self._below(len(options))]

    # -- people --

    def submit(self, submission: AnySubmission) -> bool:
        """Whether it took effect."""
        now = Situation(
            by="ann",
            compacting=self._compacting is not None,
            stopping=False,
            queue_limit=3,
            rules=RULES,
            redact=str,
            new_id=self.new_id,
            model_exists={"m1", "m2"}.__contains__,
            file_exists=lambda path: path == "there",
            can_compact=lambda h: cut_point(h, self._limits.context) is not None,
        )
        try:
            ruling = judge(self.history, submission, now)
        except Refused as refused:
            self.refusals.append(refused.code)
            return False
        match ruling:
            case Do(events):
                self.commit(*events)
            case StopTurn(queue, ends):
                printed = answer_open(self.history, "cancelled", CANCELLED)
                stop = end(self.history, "interrupted", queue=queue, by="ann", new_id=self.new_id)
                self.commit(*printed, *stop, *([SessionEnded("shutdown", "ann")] if ends else []))
            case StopCompaction(queue, ends):
                self._stop_compaction(queue == "drop", queue == "continue", ends)
            case StartCompaction():
                through = cut_point(self.history, self._limits.context)
                assert through is not None
                self._compacting = (submission.id, through)
        return True

    def _stop_compaction(self, drop: bool, go_on: bool, ends: bool) -> None:
        self._compacting = None
        dropped = [InputWithdrawn(s, "ann") for s in self.history.queue] if drop else []
        begun = begin_next(self.history, self.new_id) if go_on else ()
        ended = [SessionEnded("shutdown", "ann")] if ends else []
        self.commit(*dropped, Notice(COMPACTION_STOPPED, "Stopped."), *begun, *ended)

    def anything(self) -> AnySubmission:
        """Something that somebody might send now."""
        id = self.new_id("s")
        turns = [*self.history.turns, "t-none"]
        waiting = [*self.history.queue, "s-none"]
        asked = self.history.state == "awaiting_approval"
        submissions: tuple[Callable[[], AnySubmission], ...] = (
            *([lambda: Approval(id, self._decisions())] * (12 if asked else 1)),
            lambda: UserInput(id, self.text()),
            lambda: UserInput(id, self.text(), "steer"),
            lambda: Interrupt(id, None, self._pick("hold", "drop", "continue")),
            lambda: Interrupt(id, self._pick(*turns)),
            lambda: Resume(id),
            lambda: Withdraw(id, self._pick(*waiting)),
            lambda: Undo(id),
            lambda: Retry(id),
            lambda: Compact(id),
            lambda: SetModel(id, self._pick("m1", "m2", "m3")),
            lambda: SetAutoApproval(id, self._pick(True, False)),
            lambda: Shutdown(id) if self._pick(*[False] * 9, True) else Resume(id),
        )
        return self._pick(*submissions)()

    def _decisions(self) -> tuple[Decision, ...]:
        turn = self.history.open_turn
        waiting = [c.made.call for c in turn.waiting_calls] if turn else []
        others = [*turn.calls, "c-none"] if turn else ["c-none"]
        named = waiting[: self._pick(1, 2, 3)]
        if not named or not self._pick(*[True] * 7, False):
            named.append(self._pick(*others))
        return tuple(
            self._pick(
                Decision(c, "approve"),
                Decision(c, "approve", remember="session"),
                Decision(c, "approve", arguments={"command": self._pick(*COMMANDS)}),
                Decision(c, "reject", feedback="No."),
            )
            for c in named
        )

    def interlude(self) -> None:
        if not self.alone and self._pick(False, False, False, True):
            self.happen()

    def happen(self) -> None:
        """From outside: somebody submits something, or a job ends."""
        jobs = [*self.history.jobs.known]
        if jobs and self._compacting is None and self._pick(True, False):
            self.end_job(self._pick(*jobs))
        else:
            self.submit(self.anything())

    def end_job(self, job: JobId) -> None:
        status: JobStatus = self._pick("ok", "error", "cancelled", "unknown")
        heard = hear(self.history, JobEnded(job, status, self.text(), 1.0), self.new_id)
        if heard:
            self.commit(*heard)

    # -- work --

    @property
    def works(self) -> bool:
        return self._compacting is not None or self.history.state == "running"

    def step(self) -> None:
        """One thing happens."""
        if self.works and self._pick(True, True, True, False):
            self.work()
        else:
            self.happen()

    def work(self) -> None:
        """The next step of what runs."""
        if self._compacting is not None:
            submission, through = self._compacting
            self._compacting = None
            begun = () if self.history.held else begin_next(self.history, self.new_id)
            self.commit(*self._summary(through, submission), *begun)
            return
        turn = self.history.open_turn
        assert turn is not None
        match next_step(self.history, RULES, self._limits):
            case AskModel(joining, notes):
                self._join(turn, joining)
                for note in notes:
                    self.commit(Notice(note.code, note.text, turn.id, note.job))
                self._ask_model(turn)
            case RunTools(calls, refused):
                for c, why in refused:
                    self._answer(
                        turn, c, ToolOutput(turn.id, c.made.call, why.status, why.why, False, 1, 0)
                    )
                self._run(turn, calls)
            case AskHuman(questions):
                asked = tuple(_question(c.made, why) for c, why in questions)
                if asked:
                    self.commit(ApprovalRequired(turn.id, asked))
            case MakeRoom():
                cut = cut_point(self.history, self._limits.context)
                if cut is None:
                    self._ask_model(turn)
                else:
                    self.commit(*self._summary(cut, None, turn))
            case Finish(status, reason, error):
                self.commit(
                    *end(self.history, status, reason=reason, error=error, new_id=self.new_id)
                )

    def _is_on(self, turn: Turn) -> bool:
        return self.history.open_turn is turn

    def _join(self, turn: Turn, joining: Iterable[Queued]) -> None:
        said = [UserMessage(turn.id, q.submission, q.text, q.author, True) for q in joining]
        if said:
            self.commit(*said)

    def _ask_model(self, turn: Turn) -> None:
        self.interlude()
        if not self._is_on(turn):
            return
        if not self._pick(*[True] * 19, False):
            failed = TurnError("unreachable", "Nobody there.", retryable=True)
            self.commit(*end(self.history, "failed", error=failed, new_id=self.new_id))
            return
        truncated = self._pick(*[False] * 9, True)
        calls = (
            () if truncated else tuple(self._call(turn) for _ in range(self._pick(0, 1, 1, 1, 3)))
        )
        text = self._pick("", self.text()) if calls else self.text()
        size = sum(len(str(e.event)) for e in self.entries) // 8
        note = self._pick((), (Notice(TRUNCATED, "Cut.", turn.id),)) if truncated else ()
        verdicts = [(c, RULES.verdict(CallState(c), self.history)) for c in calls]
        asked = tuple(_question(c, v) for c, v in verdicts if isinstance(v, Ask))
        self.commit(
            AssistantMessage(turn.id, self.new_id("i"), text, partial=truncated),
            Usage("m1", size, 5, 0, self._pick(0.1, None), "main", turn.id),
            *calls,
            *note,
            *([ApprovalRequired(turn.id, asked)] if asked else []),
        )

    def _call(self, turn: Turn) -> ToolCall:
        tool = self._pick("read", "bash", "drop", "train", "upload", "nosuch")
        malformed = self._pick(None, None, None, '{"half')
        arguments = {} if malformed else {"command": self._pick(*COMMANDS)}
        return ToolCall(turn.id, self.new_id("c"), tool, arguments, EFFECTS[tool], malformed)

    def _run(self, turn: Turn, calls: Sequence[CallState]) -> None:
        if not calls:
            return
        for c in calls:
            denied = RULES.objection(c.made.tool, c.arguments) is not None
            self.ran.append((c, denied))
        self.commit(*(ToolStarted(turn.id, c.made.call) for c in calls))
        for c in calls:
            self.interlude()
            text = self._pick("same", self.text())
            output = ToolOutput(turn.id, c.made.call, "ok", text, False, len(text), 0.1)
            self._answer(turn, c, output)

    def _answer(self, turn: Turn, call: CallState, output: ToolOutput) -> None:
        if not self._is_on(turn):
            return
        plan = PlanUpdated(turn.id, (PlanItem("a", "build", self._pick("pending", "completed")),))
        planned = [plan] if self._pick(*[False] * 5, True) else []
        left = [self._job(output)] if call.started and call.made.tool == "train" else []
        self.commit(*planned, output, *left)

    def _job(self, output: ToolOutput) -> JobStarted:
        return JobStarted(output.turn, output.call, self.new_id("j"), self.text("train"))

    def _summary(
        self, through: int, submission: str | None, turn: Turn | None = None
    ) -> tuple[AnyEvent, ...]:
        """A summary that forgets nothing: all marks it was shown."""
        asked = summary_request(self.history, through, 1_000_000)[1].text
        summary = " ".join(MARK.findall(asked))
        usage = Usage("m1", 9, 9, 0, 0.1, "compaction", turn.id if turn else None)
        return (usage, Compacted(self.history.context_used, 100, summary, through, submission))


def _question(made: ToolCall, why: Ask) -> Question:
    return Question(made.call, made.tool, made.arguments, why.reason)


@st.composite
def plays(draw: st.DrawFn, steps: int = 40, at_rest: bool = False) -> Play:
    """A session after up to `steps` things happened; `at_rest`: and after its work was done."""

    play = Play(lambda limit: draw(st.integers(0, limit - 1)))
    for _ in range(draw(st.integers(1, steps))):
        play.step()
    while at_rest and play.works:
        play.work()
    return play
