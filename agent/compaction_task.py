"""A compaction that somebody asked for, while no turn runs."""

from agent.asking import Desk
from agent.compacting import summarise
from agent.edges import begin_next
from agent.errors import Refused
from agent.history import COMPACTION_STOPPED, History
from agent.means import Means
from agent.models.port import ModelError
from agent.protocol import AnyEvent, InputWithdrawn, Notice, SubmissionId
from agent.stop import Stop


class CompactionTask:
    """Ends with one commit that begins what was queued meanwhile. Cancelling `run` stops it."""

    def __init__(
        self, history: History, through: int, submission: SubmissionId, means: Means, desk: Desk
    ) -> None:
        self.submission = submission
        self.over = False
        """Its end is handed over: what comes now meets the session as it is after it."""
        self._history = history
        self._through = through
        self._means = means
        self._desk = desk

    async def run(self) -> None:
        """Raises Refused when the model did not give a summary; the queue has begun by then."""
        try:
            events = await summarise(
                self._means,
                self._desk,
                self._history,
                self._through,
                submission=self.submission,
            )
        except ModelError as error:
            self.over = True
            text = f"The conversation was not compacted: {error.message}"
            await self._desk.record(Notice("compaction_failed", text), *self._begin())
            raise Refused("unavailable", text) from error
        self.over = True
        await self._desk.record(*events, *self._begin(), answers=self.submission)

    def stopped(self, stop: Stop) -> tuple[AnyEvent, ...]:
        """What to record when it was stopped: the notice that holds the queue."""
        notice = Notice(COMPACTION_STOPPED, "The compaction was stopped; nothing was compacted.")
        if stop.queue == "drop":
            return (*(InputWithdrawn(s, stop.by) for s in self._history.queue), notice)
        if stop.queue == "continue":
            return (notice, *begin_next(self._history, self._means.new_id))
        return (notice,)

    def crashed(self) -> tuple[AnyEvent, ...]:
        """What to record when a fault of this server ended it."""
        if self.over:
            return ()
        return (Notice("compaction_failed", "The server made a mistake."), *self._begin())

    def _begin(self) -> tuple[AnyEvent, ...]:
        return () if self._history.held else begin_next(self._history, self._means.new_id)
