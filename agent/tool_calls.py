"""The calls of a reply: run side by side, each with its own output, answered once."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from agent.approval import Refuse
from agent.asking import Desk
from agent.errors import Problem
from agent.history import CallState, History
from agent.journal import OpenText
from agent.means import Means
from agent.protocol import (
    AnyEvent,
    CallId,
    JobStarted,
    OutputStatus,
    PlanUpdated,
    ToolOutput,
    ToolStarted,
    TurnId,
)
from agent.questioner import QuestionDesk, Questioner
from agent.research_task import ResearchTask
from agent.tools.port import Call, Launched
from agent.tools.toolbox import Finished, Printed, kept_at


class CallDesk(Desk, QuestionDesk, Protocol):
    """What calls write through."""


class RunningCall:
    """One started call: what it printed, and since when it runs."""

    def __init__(self, call: CallState, text: OpenText, clock: Callable[[], float]) -> None:
        self.call = call
        self.printed = Printed()
        self._text = text
        self._clock = clock
        self._began = clock()

    def show(self, text: str) -> None:
        self.printed.add(text)
        self._text.grow(text)

    @property
    def seconds(self) -> float:
        return round(self._clock() - self._began, 3)


class ToolCalls:
    """Runs the calls of one turn. What was started and is not answered is known to `cancelled`."""

    def __init__(self, turn: TurnId, history: History, means: Means, desk: CallDesk) -> None:
        self._turn = turn
        self._history = history
        self._means = means
        self._desk = desk
        self._running: dict[CallId, RunningCall] = {}

    async def refuse(self, refused: Sequence[tuple[CallState, Refuse]]) -> None:
        """Answer calls that must not start."""
        outputs = [self._refused(c, v) for c, v in refused]
        if outputs:
            await self._desk.record(*outputs)

    async def run(self, calls: Sequence[CallState], undone: Collection[TurnId]) -> None:
        """Returns when each has its output on disk; the model is told them in the calls' order."""
        if not calls:
            return
        self._desk.activity("tools")
        try:
            await self._prepare(calls, undone)
        except Problem as problem:
            why = f"The workspace is not usable: {problem.message}"
            await self._desk.record(*(self._unstarted(c, "error", why) for c in calls))
            return
        await self._desk.record(*(self._started(c) for c in calls))
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(self._run_one(call), name=f"call {call.made.call}")

    def cancelled(self, note: str) -> dict[CallId, ToolOutput]:
        """Outputs of the calls that are not answered; `note` is shown behind what they printed."""
        outputs: dict[CallId, ToolOutput] = {}
        for id, running in self._running.items():
            if not running.call.is_open:
                continue
            outputs[id] = self._cut_short(running, "cancelled", note)
        self._running.clear()
        return outputs

    async def _prepare(self, calls: Sequence[CallState], undone: Collection[TurnId]) -> None:
        """The files are at the right checkpoint, and kept before anything may change them."""
        workspace = self._means.workspace
        await workspace.rewind(undone)
        if any(c.made.effect != "read" for c in calls):
            await workspace.checkpoint(self._turn)

    async def _run_one(self, call: CallState) -> None:
        id, tool = call.made.call, call.made.tool
        text = self._desk.open("tool_log", id)
        running = self._running[id] = RunningCall(call, text, self._means.clock)
        questioner = Questioner(call, self._means, self._desk)
        try:
            seat = self._seat(running, questioner)
            result = await self._means.toolbox.call(tool, call.arguments, seat)
        finally:
            questioner.close()
        await self._desk.record(*self._answer(id, result, running.seconds))
        del self._running[id]

    def _seat(self, running: RunningCall, questioner: Questioner) -> Call:
        means, id = self._means, running.call.made.call
        helper = ResearchTask(id, self._turn, self._history, means, self._desk)
        return Call(
            *(id, means.workspace, running.show, means.keys),
            ask=questioner.ask,
            study=helper.study,
        )

    def _answer(self, id: CallId, result: Finished, seconds: float) -> tuple[AnyEvent, ...]:
        output = ToolOutput(
            turn=self._turn,
            call=id,
            status=result.status,
            output=result.output,
            truncated=result.truncated,
            size=result.size,
            seconds=seconds,
            files=result.files,
        )
        planned = () if result.plan is None else (PlanUpdated(self._turn, result.plan),)
        return (*planned, output, *self._left_behind(id, result.job))

    def _left_behind(self, id: CallId, job: Launched | None) -> tuple[JobStarted, ...]:
        if job is None:
            return ()
        title, url, cost = job.title, job.url, job.cost_usd
        return (JobStarted(self._turn, id, job.job, title, url, job.hardware, cost),)

    def _started(self, call: CallState) -> ToolStarted:
        edited = call.decision.arguments if call.decision is not None else None
        unasked = self._means.rules.is_unasked(call)
        return ToolStarted(self._turn, call.made.call, edited, unasked)

    def _refused(self, call: CallState, verdict: Refuse) -> ToolOutput:
        """One that was started and left without an answer by its tool keeps what it printed."""
        if (running := self._running.pop(call.made.call, None)) is not None:
            return self._cut_short(running, verdict.status, verdict.why)
        return self._unstarted(call, verdict.status, verdict.why)

    def _cut_short(self, running: RunningCall, status: OutputStatus, note: str) -> ToolOutput:
        running.show(f"\n{note}" if running.printed.size else note)
        id, size = running.call.made.call, running.printed.size
        text, truncated = running.printed.cut(kept := kept_at(id))
        files = (kept,) if truncated else ()
        return ToolOutput(self._turn, id, status, text, truncated, size, running.seconds, files)

    def _unstarted(self, call: CallState, status: OutputStatus, why: str) -> ToolOutput:
        return ToolOutput(self._turn, call.made.call, status, why, False, len(why), 0.0)
