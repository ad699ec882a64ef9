"""What a session is at: its one piece of work and how that writes, and chores beside it."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from typing import Protocol

from agent.errors import Problem
from agent.journal import Activity, GrowthKind, Journal, OpenText
from agent.log_writer import LogWriter
from agent.protocol import (
    AnyEvent,
    Notice,
    QuestionAnswered,
    QuestionId,
    SubmissionId,
    TurnId,
)
from agent.sandbox.port import Workspace
from agent.stop import Stop

log = logging.getLogger(__name__)


class Work(Protocol):
    """A turn, or a compaction. Cancelling `run` stops it; `stopped` says what to record then."""

    async def run(self) -> None: ...

    def stopped(self, stop: Stop) -> tuple[AnyEvent, ...]: ...

    def crashed(self) -> tuple[AnyEvent, ...]: ...


class WorkDesk:
    """How work writes. When it is over, by a stop or by its own last event, it writes no more."""

    def __init__(
        self, writer: LogWriter, journal: Journal, turn: TurnId | None, is_over: Callable[[], bool]
    ) -> None:
        self._writer = writer
        self._journal = journal
        self._turn = turn
        self._is_over = is_over
        self._last: asyncio.Future[None] | None = None

    async def record(self, *events: AnyEvent, answers: SubmissionId | None = None) -> None:
        self.hand_over(*events, answers=answers)
        await self.written()

    def hand_over(self, *events: AnyEvent, answers: SubmissionId | None = None) -> None:
        if self._is_over():
            raise asyncio.CancelledError("this work is over")
        self._last = self._writer.record(events, answers=answers)

    async def written(self) -> None:
        if self._last is not None:
            await asyncio.shield(self._last)

    def answer_to(self, question: QuestionId) -> asyncio.Future[QuestionAnswered]:
        return self._writer.answer_to(question)

    def open(self, kind: GrowthKind, item: str) -> OpenText:
        return self._journal.open(kind, self._turn or "", item)

    def activity(self, activity: Activity | None) -> None:
        if not self._is_over():
            self._journal.activity(activity)


class Chores:
    """Work that nothing waits for: a title, files that go back. A failure is logged, no more."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def begin(self, chore: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(chore)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def cancel(self) -> None:
        for task in self.tasks:
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a chore of a session failed", exc_info=error)


async def rewound(workspace: Workspace, undone: Collection[TurnId]) -> tuple[Notice, ...]:
    """Let the files go back to before what was undone; a notice where they stay as they are."""
    try:
        if await workspace.rewind(undone):
            return ()
        text = "The files could not go back: their checkpoint is gone. They stay as they are."
    except Problem as problem:
        text = f"The files could not go back: {problem.message}"
    return (Notice("workspace_not_restored", text),)
