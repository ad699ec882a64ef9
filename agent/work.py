"""What a session is at, one thing at a time: how it writes, and how it can end."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from agent.journal import Activity, GrowthKind, Journal, OpenText
from agent.log_writer import LogWriter
from agent.protocol import AnyEvent, SubmissionId, TurnId
from agent.stop import Stop


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

    async def record(self, *events: AnyEvent, answers: SubmissionId | None = None) -> None:
        if self._is_over():
            raise asyncio.CancelledError("this work is over")
        await asyncio.shield(self._writer.record(events, answers=answers))

    def open(self, kind: GrowthKind, item: str) -> OpenText:
        return self._journal.open(kind, self._turn or "", item)

    def activity(self, activity: Activity | None) -> None:
        if not self._is_over():
            self._journal.activity(activity)
