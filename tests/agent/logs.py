"""Logs written by hand: one call per thing that happened, each giving a new log."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from agent.approval import Policy, Rule, Rules
from agent.budget import Allowance
from agent.history import History
from agent.protocol import (
    Action,
    AnyEvent,
    ApprovalRequired,
    ApprovalResolved,
    AssistantMessage,
    Compacted,
    Decision,
    Delivery,
    Effect,
    EndStatus,
    Field,
    InputQueued,
    JobEnded,
    JobStarted,
    JobStatus,
    JsonObject,
    Notice,
    OutputStatus,
    PlanItem,
    PlanUpdated,
    Question,
    QuestionAnswered,
    QuestionAsked,
    Recorded,
    SessionCreated,
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
from agent.turn import Limits

AT = "2026-01-01T00:00:00.000Z"
ROOMY = Limits(Allowance(), context=100_000)


def numbered(events: tuple[AnyEvent, ...], after: int = 0) -> tuple[Recorded, ...]:
    return tuple(Recorded(seq, AT, event) for seq, event in enumerate(events, after + 1))


def call(
    id: str = "c1",
    tool: str = "bash",
    arguments: JsonObject | None = None,
    effect: Effect = "execute",
    malformed: str | None = None,
) -> ToolCall:
    """A call for `Log.reply`, which says in which turn it is made."""
    return ToolCall("", id, tool, arguments or {}, effect, malformed)


def plan(**items: str) -> tuple[PlanItem, ...]:
    """plan(test="pending")"""
    return msgspec.convert(
        [{"id": name, "content": name, "status": status} for name, status in items.items()],
        tuple[PlanItem, ...],
    )


class Log(Struct, frozen=True):
    """Events so far; those about a turn belong to the one that began last."""

    events: tuple[AnyEvent, ...] = (SessionCreated("m1", ""),)

    def add(self, *events: AnyEvent) -> "Log":
        return Log((*self.events, *events))

    @property
    def entries(self) -> tuple[Recorded, ...]:
        return numbered(self.events)

    @property
    def history(self) -> History:
        return History(self.entries)

    @property
    def turn(self) -> TurnId:
        return next(e.turn for e in reversed(self.events) if isinstance(e, TurnStarted))

    def begin(self, turn: str = "t1", text: str = "Do it.", submission: str = "") -> "Log":
        said = submission or f"s-{turn}"
        return self.add(UserMessage(turn, said, text, "ann"), TurnStarted(turn, said, "m1"))

    def reply(
        self, text: str, *calls: ToolCall, partial: bool = False, tokens: tuple[int, int] = (10, 2)
    ) -> "Log":
        turn, item = self.turn, f"i{len(self.events)}"
        return self.add(
            AssistantMessage(turn, item, text, partial=partial),
            Usage("m1", *tokens, 0, 0.5, "main", turn),
            *(msgspec.structs.replace(c, turn=turn) for c in calls),
        )

    def ask(self, *calls: str, tool: str = "bash") -> "Log":
        asked = tuple(Question(c, tool, {}, "because") for c in calls)
        return self.add(ApprovalRequired(self.turn, asked))

    def rule(self, **rulings: str | Mapping[str, Any]) -> "Log":
        """rule(c1="approve", c2={"decision": "reject", "feedback": "no"})"""
        decisions = tuple(
            msgspec.convert({"call": c, **({"decision": r} if isinstance(r, str) else r)}, Decision)
            for c, r in rulings.items()
        )
        return self.add(ApprovalResolved(self.turn, decisions, "ann", "ruling"))

    def start(self, *calls: str) -> "Log":
        return self.add(*(ToolStarted(self.turn, c) for c in calls))

    def output(self, id: str, output: str = "done", status: OutputStatus = "ok") -> "Log":
        return self.add(ToolOutput(self.turn, id, status, output, False, len(output), 0.1))

    def run(self, call: ToolCall, output: str = "done", text: str = "") -> "Log":
        """A reply with this one call, which ran."""
        return self.reply(text, call).start(call.call).output(call.call, output)

    def job(self, job: str = "ada/j1", call: str = "c1", title: str = "a training") -> "Log":
        return self.add(JobStarted(self.turn, call, job, title))

    def over(self, job: str = "ada/j1", status: JobStatus = "ok", output: str = "Bye.") -> "Log":
        return self.add(JobEnded(job, status, output, 60.0, 0.5))

    def woken(self, turn: str = "t2", job: str = "ada/j1") -> "Log":
        """A turn that the end of a job began."""
        began = TurnStarted(turn, job, "m1")
        return self.add(began, Notice("job_ended", f"{job} has ended.", turn, job))

    def plan(self, **items: str) -> "Log":
        return self.add(PlanUpdated(self.turn, plan(**items)))

    def note(self, code: str, text: str = "Mind this.") -> "Log":
        return self.add(Notice(code, text, self.turn))

    def inquire(
        self, question: str = "q1", call: str = "c1", fields: tuple[Field, ...] = ()
    ) -> "Log":
        return self.add(QuestionAsked(self.turn, call, question, "shop", "Who?", fields))

    def answer(self, question: str = "q1", call: str = "c1", action: Action = "decline") -> "Log":
        return self.add(QuestionAnswered(self.turn, call, question, action, "ann", f"s-{question}"))

    def queue(
        self, submission: str, delivery: Delivery = "queue", text: str = "Then this."
    ) -> "Log":
        return self.add(InputQueued(submission, text, delivery, "ann"))

    def join(self, submission: str, text: str = "Then this.") -> "Log":
        return self.add(UserMessage(self.turn, submission, text, "ann", steered=True))

    def end(self, status: EndStatus = "completed", reason: str | None = None) -> "Log":
        return self.add(TurnEnded(self.turn, status, reason))

    def undo(self, turn: str) -> "Log":
        return self.add(TurnUndone(turn, f"undo-{turn}"))

    def compact(self, through: int, summary: str = "They talked.", after: int = 50) -> "Log":
        return self.add(Compacted(1000, after, summary, through))

    def talk(self, turn: str, text: str = "Do it.", answer: str = "Done.") -> "Log":
        """A whole turn of one question and one answer."""
        return self.begin(turn, text).reply(answer).end()


def check(tool: str, arguments: JsonObject) -> str | None:
    """There is no tool `nosuch`, and no tool takes an argument `bad`."""
    if tool == "nosuch":
        return "There is no tool nosuch."
    return "`bad` is not an argument." if "bad" in arguments else None


def rules(*found: Rule, ask: tuple[str, ...] = ()) -> Rules:
    return Rules(Policy(ask, found), check)
