"""The actor: the only writer of its log, with at most one piece of work running."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from agent.compaction import cut_point
from agent.compaction_task import CompactionTask
from agent.errors import Problem, Refused, Unrecorded
from agent.history import History
from agent.journal import Journal, Receipt
from agent.judge import Do, Situation, StartCompaction, StopCompaction, StopTurn, judge
from agent.log_writer import LogWriter
from agent.means import Means
from agent.models.port import ModelError
from agent.protocol import (
    AnyEvent,
    AnySubmission,
    JobEnded,
    Retry,
    SessionEnded,
    SessionUpdated,
    SubmissionId,
    TurnId,
    Undo,
    UserId,
)
from agent.receipts import Accepted, Answer, Receipts, given
from agent.recovery import Draft, Interruption, recover
from agent.stop import Stop
from agent.titling import find_title, wants_title
from agent.transcript import Transcript
from agent.turn_task import TurnTask
from agent.waking import hear
from agent.work import Chores, Work, WorkDesk, rewound

log = logging.getLogger(__name__)

SERVER_RESTART = "server_restart"
COMPACTION_FAILED = "The conversation was not compacted."


class Session:
    """Judges and hands over in one synchronous step; acts only on what is committed.

    All of it is one event loop's. Once a commit failed it is dead (`failed` is done): make another.
    """

    def __init__(
        self, history: History, receipts: Iterable[Receipt], journal: Journal, means: Means
    ) -> None:
        self.history = history
        self._receipts = Receipts(receipts)
        self._journal = journal
        self._means = means
        self._writer = LogWriter(
            history, self._receipts, journal, means.models.context, self._go_on, means.clock
        )
        self._transcript = Transcript(history)
        self._work: tuple[asyncio.Task[None], Work] | None = None
        self._compaction: CompactionTask | None = None
        self._stop: Stop | None = None
        self._chores = Chores()
        self._closing = False
        self._title_tried = False
        self.failed.add_done_callback(lambda _: self._cancel_all())

    # -- what others may ask --

    @property
    def failed(self) -> asyncio.Future[Problem]:
        return self._writer.failed

    @property
    def resting(self) -> bool:
        """Nothing runs and nothing is on its way: the log is all there is."""
        busy = self._work or self._chores.tasks or self._receipts.pending or not self._writer.quiet
        return not busy and self.history.state != "running"

    def knows(self, submission: SubmissionId) -> bool:
        """It was sent before: answering it again has no effect."""
        return self._receipts.knows(submission)

    async def submit(self, submission: AnySubmission, by: UserId) -> Accepted:
        """The receipt, when the effect is committed. Raises Refused, or Unrecorded of a dead actor.

        Judging and handing over happen before the first pause: calls take effect in their order.
        """
        if (before := await self._receipts.repeated(submission)) is not None:
            return before
        self._refuse_when_closing()
        ruling = judge(self.history, submission, self._situation(by))
        answer = self._receipts.expect(submission)
        match ruling:
            case Do(events):
                self._record(events, answers=submission.id)
            case StopTurn(queue, ends) | StopCompaction(queue, ends):
                reason = "shutdown" if ends else None
                self._stop_work(Stop(queue, by, reason, submission.id, ends))
            case StartCompaction():
                self._compaction = self._new_compaction(submission.id)
                self._go_on()
        if isinstance(submission, Undo | Retry):
            rewinding = self._chores.begin(self._rewind_after(answer))
            if isinstance(submission, Undo):
                await asyncio.wait([rewinding])
        return await given(answer)

    async def rename(self, title: str, by: UserId) -> None:
        """Raises Refused in an ended session, Unrecorded when it could not be committed."""
        self._refuse_when_closing()
        if self.history.ended:
            raise Refused("session_ended", "This session has ended.")
        await asyncio.shield(self._writer.record((SessionUpdated(by, title=title),)))

    async def report(self, ended: JobEnded) -> None:
        """A background job has ended. Raises Refused `busy` for the moment, or Unrecorded."""
        self._refuse_when_closing()
        if self._compacting:
            raise Refused("busy", "The session is being compacted.", retry_after=1)
        if events := hear(self.history, ended, self._means.new_id):
            await asyncio.shield(self._writer.record(events))

    def start(self, drafts: Sequence[Draft], interruption: Interruption) -> None:
        """Append what a log that ends mid-turn lacks, then go on. Once, before anything else."""
        recovered = recover(self.history, drafts, self._means.new_id, interruption)
        if recovered:
            self._record(recovered)
        if self.history.undone:
            _ = self._chores.begin(self._rewind())
        self._go_on()

    async def close(self) -> None:
        """Stop what runs, say so in the log; returns when all is committed or the actor is dead."""
        self._closing = True
        self._chores.cancel()
        runs = self._compacting or self.history.state == "running"
        if runs and self._stop is None and not self.failed.done():
            self._stop_work(Stop(reason=SERVER_RESTART))
        await self.settled()

    async def discard(self) -> None:
        """Stop what runs without a word: the log is gone, or the actor is dead."""
        self._writer.die(Unrecorded("The session is being loaded again. Send it once more."))
        await self.settled()

    async def written(self) -> None:
        """Returns when no commit is on its way."""
        await self._writer.settled()

    async def settled(self) -> None:
        """Returns when no task runs and no commit is on its way."""
        while tasks := [*self._chores.tasks, *([self._work[0]] if self._work else [])]:
            await asyncio.wait(tasks)
        await self._writer.settled()

    @property
    def _compacting(self) -> bool:
        """A compaction was asked for, and its end is not handed over yet."""
        return self._compaction is not None and not self._compaction.over

    def _situation(self, by: UserId) -> Situation:
        means = self._means
        return Situation(
            by=by,
            compacting=self._compacting,
            stopping=self._stop is not None,
            queue_limit=means.queue_limit,
            rules=means.rules,
            redact=means.redactor.text,
            new_id=means.new_id,
            model_exists=means.models.knows,
            file_exists=means.file_exists,
            can_compact=lambda h: cut_point(h, means.models.context(h.model)) is not None,
        )

    def _refuse_when_closing(self) -> None:
        if self.failed.done():
            raise Unrecorded("The session is being loaded again. Send it once more.")
        if self._closing:
            raise Refused("unavailable", "The server is going away.", retry_after=1)

    # -- working --

    def _record(self, events: Sequence[AnyEvent], *, answers: SubmissionId | None = None) -> None:
        _ = self._writer.record(events, answers=answers)

    def _go_on(self) -> None:
        """Do what the log says comes next. Acts only when everything known is on disk."""
        if self._work or self._closing or self.failed.done() or not self._writer.quiet:
            return
        if self._compaction is not None:
            self._begin_work(self._compaction)
        elif self.history.state == "running":
            self._begin_work(self._turn_task())
        else:
            self._journal.activity(None)
            if wants_title(self.history) and not self._title_tried:
                self._title_tried = True
                _ = self._chores.begin(self._find_title())

    def _turn_task(self) -> TurnTask:
        turn = self.history.open_turn
        assert turn is not None, "a session runs only in a turn"
        return TurnTask(self.history, self._transcript, turn, self._means, self._desk(turn.id))

    def _new_compaction(self, submission: SubmissionId) -> CompactionTask:
        through = cut_point(self.history, self._means.models.context(self.history.model))
        assert through is not None, "judged just before"
        return CompactionTask(self.history, through, submission, self._means, self._desk(None))

    def _desk(self, turn: TurnId | None) -> WorkDesk:
        """Of a turn, or of a compaction where there is none."""

        def is_over() -> bool:
            now = self.history.open_turn
            return self._stop is not None or self.failed.done() or (now.id if now else None) != turn

        return WorkDesk(self._writer, self._journal, turn, is_over)

    def _begin_work(self, work: Work) -> None:
        task = asyncio.create_task(work.run(), name=type(work).__name__)
        self._work = (task, work)
        task.add_done_callback(self._work_done)

    def _stop_work(self, stop: Stop) -> None:
        """A stop beats everything that goes on by itself: what runs may record no more."""
        self._stop = stop
        if self._work is not None:
            self._work[0].cancel()
        else:
            self._end_stopped(None)

    def _work_done(self, task: asyncio.Task[None]) -> None:
        """The one way work ends, also when it was cancelled before its first step."""
        assert self._work is not None
        work, self._work = self._work[1], None
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if self.failed.done():
            return
        if self._stop is not None:
            self._end_stopped(work)
        elif error is not None and not isinstance(error, Refused):
            self._end_crashed(work, error)
        if isinstance(work, CompactionTask):
            self._end_compaction(work, error)
        self._go_on()

    def _end_stopped(self, work: Work | None) -> None:
        """What is stopped may not have begun: `work` may be the turn before, at its last commit."""
        assert self._stop is not None
        stop, self._stop = self._stop, None
        compaction = self._compaction if self._compacting else None
        stopped = compaction or (work if isinstance(work, TurnTask) else self._turn_task())
        ended = (SessionEnded(stop.reason or "shutdown", stop.by),) if stop.ends_session else ()
        self._record((*stopped.stopped(stop), *ended), answers=stop.submission)
        if compaction is not None:
            self._end_compaction(compaction, None)

    def _end_crashed(self, work: Work, error: BaseException) -> None:
        """Also what something else than a stop cancelled while it was not over: it would hang."""
        events = work.crashed()
        if events or not isinstance(error, asyncio.CancelledError):
            log.error("the work of a session failed", exc_info=error)
        if events:
            self._record(events)

    def _end_compaction(self, work: CompactionTask, error: BaseException | None) -> None:
        """Where no commit carries its answer it came to nothing."""
        if self._compaction is work:
            self._compaction = None
        if self._receipts.expects(work.submission):
            why = error if isinstance(error, Refused) else Refused("unavailable", COMPACTION_FAILED)
            self._receipts.refused(work.submission, why)

    # -- chores --

    async def _rewind_after(self, undone: Answer) -> None:
        if isinstance(await asyncio.shield(undone), Accepted):
            await self._rewind()

    async def _rewind(self) -> None:
        """The files go back to before what was undone."""
        notices = await rewound(self._means.workspace, self.history.undone)
        if notices and not self.history.ended and not self.failed.done():
            self._record(notices)

    async def _find_title(self) -> None:
        try:
            events = await find_title(self.history, self._means)
        except ModelError as error:
            log.info("no title: %s", error.message)
            return
        if not self.history.ended and not self.failed.done():
            self._record(events[:1] if self.history.title else events)

    def _cancel_all(self) -> None:
        self._chores.cancel()
        if self._work is not None:
            self._work[0].cancel()
