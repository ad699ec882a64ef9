"""A running turn: takes the steps that the automaton names, until it ends or waits for a human."""

from typing import Protocol

from agent.asking import ask, usage_of
from agent.compacting import summarise
from agent.compaction import cut_point
from agent.edges import answer_open, end
from agent.history import History, Queued, Turn
from agent.judge import CANCELLED
from agent.means import Means
from agent.models.port import ModelError, ModelRequest
from agent.protocol import (
    AnyEvent,
    ApprovalRequired,
    AssistantMessage,
    Notice,
    TurnError,
    TurnId,
    UserMessage,
)
from agent.reply import Reply, question, reply_events
from agent.stop import Stop
from agent.tool_calls import CallDesk, ToolCalls
from agent.tools.port import News
from agent.transcript import Transcript
from agent.turn import (
    AskHuman,
    AskModel,
    Compact,
    Finish,
    Limits,
    Note,
    RunTools,
    Step,
    just_compacted,
    next_step,
)

STOPPED = "[Stopped before it was done.]"
CRASHED = TurnError(
    "internal_error", "The server made a mistake; its log says more. Try again.", retryable=True
)
NO_ROOM = (
    "The conversation no longer fits into the model's context window. "
    "Compact it, choose a model with a larger window, or start another session."
)


class TurnDesk(CallDesk, Protocol):
    """What a turn writes through."""

    def hand_over(self, *events: AnyEvent) -> None:
        """`record` without the wait, where the next one may follow in the same moment."""
        ...

    async def written(self) -> None:
        """Returns when what was handed over is committed."""
        ...


class TurnTask:
    """One stay of one turn in memory: cancelling `run` stops it."""

    def __init__(
        self, history: History, transcript: Transcript, turn: Turn, means: Means, desk: TurnDesk
    ) -> None:
        self._history = history
        self._transcript = transcript
        self._turn = turn
        self._means = means
        self._desk = desk
        self._reply: Reply | None = None
        self._calls = ToolCalls(turn.id, history, means, desk)

    async def run(self) -> None:
        """Returns when the turn has ended or is parked; its end is recorded by then."""
        async with self._means.admission(lambda: self._desk.activity("waiting")):
            try:
                while await self._step():
                    pass
            except ModelError as error:
                await self._fail(error)

    def stopped(self, stop: Stop) -> tuple[AnyEvent, ...]:
        """What to record when it was stopped: what was said and printed is kept."""
        ending = end(
            self._history,
            "interrupted",
            reason=stop.reason,
            queue=stop.queue,
            by=stop.by,
            new_id=self._means.new_id,
        )
        return (*self._half_done(STOPPED), *ending)

    def crashed(self) -> tuple[AnyEvent, ...]:
        """What to record when a fault of this server ended it; nothing where it was over."""
        if self._history.open_turn is not self._turn:
            return ()
        ending = end(self._history, "failed", error=CRASHED, new_id=self._means.new_id)
        return (*self._half_done(STOPPED), *ending)

    def _half_done(self, note: str) -> tuple[AnyEvent, ...]:
        outputs = answer_open(self._history, "cancelled", CANCELLED, self._calls.cancelled(note))
        return (*self._half_said(), *outputs)

    def _half_said(self) -> tuple[AssistantMessage, ...]:
        """The reply that was being shown, cut short."""
        if self._reply is None or not self._reply.was_shown:
            return ()
        return (self._reply.message(self._turn.id, partial=True),)

    async def _step(self) -> bool:
        """One step; whether another follows."""
        means, history = self._means, self._history
        if history.open_turn is not self._turn:
            return False  # it was ended from outside while a step was on its way
        match self._next():
            case AskModel(joining, notes):
                await self._join(joining)
                told: tuple[Note | News, ...] = (*notes, *await means.toolbox.news())
                await self._record(*(_noticed(n, self._turn.id) for n in told))
                await self._ask()
            case RunTools(calls, refused):
                await self._calls.refuse(refused)
                await self._calls.run(calls, undone=history.undone)
            case AskHuman(questions):
                asked = tuple(question(c.made, v, means.toolbox.stakes) for c, v in questions)
                await self._record(*([ApprovalRequired(self._turn.id, asked)] if asked else []))
                return False
            case Compact():
                if not await self._compact():
                    await self._join(history.steering())
                    await self._ask()
            case Finish(status, reason, error):
                ending = end(history, status, reason=reason, error=error, new_id=means.new_id)
                await self._desk.record(*ending)
                return False
        return True

    def _next(self) -> Step:
        means, history = self._means, self._history
        limits = Limits(means.allowance, means.models.context(history.model))
        return next_step(history, means.rules, limits)

    async def _record(self, *events: Notice | ApprovalRequired) -> None:
        if events:
            await self._desk.record(*events)

    async def _join(self, joining: tuple[Queued, ...]) -> None:
        if not joining:
            return
        turn = self._turn.id
        await self._desk.record(
            *(
                UserMessage(turn, q.submission, q.text, q.author, True, q.attachments)
                for q in joining
            )
        )

    async def _ask(self) -> None:
        """A model reply, whole, in one commit."""
        means, history = self._means, self._history
        try:
            request = self._request()
            reply = await ask(
                means, self._desk, request, self._new_reply, turn=self._turn.id, busy="model"
            )
        except ModelError as error:
            unseen = self._reply is None or not self._reply.was_shown
            if error.code == "context_overflow" and unseen and await self._compact():
                return
            raise
        used = reply.used(request.messages)
        usage = usage_of(used, request.model, "main", self._turn.id)
        await means.toolbox.learn((call.name for call in reply.calls), means.keys)
        events = reply_events(
            reply,
            history,
            means.rules,
            usage=usage,
            turn=self._turn.id,
            new_id=means.new_id,
            stakes_of=means.toolbox.stakes,
        )
        self._reply = None  # from here on the log tells it
        self._desk.hand_over(*events)
        if not isinstance(self._next(), Finish):
            await self._desk.written()  # else it shares its commit with the end of the turn

    def _request(self) -> ModelRequest:
        shown = self._transcript.messages(self._means.system_prompt)
        return ModelRequest(self._history.model, shown, self._means.toolbox.schemas())

    def _new_reply(self) -> Reply:
        self._reply = Reply(self._means.new_id("item"), self._desk.open)
        return self._reply

    async def _compact(self) -> bool:
        """Make room; False where there is nothing to sum up since the last reply."""
        means, history = self._means, self._history
        limit = means.models.context(history.model)
        through = cut_point(history, limit)
        if through is None or just_compacted(history, self._turn):
            return False
        events = await summarise(means, self._desk, history, through, turn=self._turn.id)
        await self._desk.record(*events)
        return True

    async def _fail(self, error: ModelError) -> None:
        message = NO_ROOM if error.code == "context_overflow" else error.message
        retryable = error.retryable or error.code == "context_overflow"
        failed = TurnError(error.code, message, retryable)
        half_said = self._half_said()
        self._reply = None
        ending = end(self._history, "failed", error=failed, new_id=self._means.new_id)
        await self._desk.record(*half_said, *ending)


def _noticed(note: Note | News, turn: TurnId) -> Notice:
    return Notice(note.code, note.text, turn, note.job if isinstance(note, Note) else None)
