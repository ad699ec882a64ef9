"""The one pen of a session: hands events over, folds them, settles receipts once on disk."""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence

from agent.errors import Problem, Unrecorded
from agent.history import Digest, History
from agent.journal import Commit, Journal, NewReceipt
from agent.protocol import AnyEvent, QuestionAnswered, QuestionId, Recorded, SubmissionId
from agent.receipts import Receipts

log = logging.getLogger(__name__)

NOT_WRITTEN = "The log could not be written. Try again in a moment."


class LogWriter:
    """`failed` is done when a commit failed, and cancelled when the actor is let go of: nothing of
    it counts any more.

    `when_quiet` is called each time that everything handed over is on disk. `clock` counts seconds,
    and is never set: how long a turn has worked does not depend on what time it is.
    """

    def __init__(
        self,
        history: History,
        receipts: Receipts,
        journal: Journal,
        context_of: Callable[[str], int],
        when_quiet: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self.failed: asyncio.Future[Problem] = asyncio.get_running_loop().create_future()
        self._history = history
        self._receipts = receipts
        self._journal = journal
        self._context_of = context_of
        self._when_quiet = when_quiet
        self._clock = clock
        self._folded_at = clock()
        self._uncommitted = 0
        self._last: Commit | None = None
        self._asked: dict[QuestionId, asyncio.Future[QuestionAnswered]] = {}
        self.failed.add_done_callback(self._let_go)

    @property
    def quiet(self) -> bool:
        """Nothing is on its way to the log."""
        return self._uncommitted == 0

    def record(
        self, events: Sequence[AnyEvent], *, answers: SubmissionId | None = None
    ) -> asyncio.Future[None]:
        """Hand over now; the future is done when the events are committed, or raises Unrecorded.

        What the journal does not even take kills the actor, too: it may have been folded by then.
        """
        receipts = [] if answers is None else [self._receipts.to_record(answers)]
        commit = None
        try:
            commit = self._last = self._journal.record(events, receipts, self._fold)
        finally:
            if commit is None:
                why = sys.exception()
                log.error("%d events could not be handed over", len(events), exc_info=why)
                self.die(Unrecorded(NOT_WRITTEN))
        self._uncommitted += 1
        entries = commit.entries
        commit.done.add_done_callback(lambda done: self._committed(done, receipts, entries))
        return commit.done

    def answer_to(self, question: QuestionId) -> asyncio.Future[QuestionAnswered]:
        """Done when an answer is committed; who cancels it no longer waits for one."""
        waiting: asyncio.Future[QuestionAnswered] = asyncio.get_running_loop().create_future()
        self._asked[question] = waiting
        waiting.add_done_callback(lambda _: self._asked.pop(question, None))
        return waiting

    def die(self, why: Problem) -> None:
        """What was on its way may or may not have happened: its senders are told to ask again."""
        self._receipts.lost(Unrecorded(why.message))
        if not self.failed.done():
            self.failed.set_result(why)

    async def settled(self) -> None:
        """Returns when nothing is on its way any more."""
        while self._last is not None and not self.quiet:
            await asyncio.wait([self._last.done])

    def _let_go(self, failed: object) -> None:
        """Whoever was told has this writer, too: a ring, which would keep the whole actor."""
        self._when_quiet = lambda: None

    def _fold(self, entries: Sequence[Recorded]) -> Digest:
        before, self._folded_at = self._folded_at, self._clock()
        since = self._folded_at - before
        for entry in entries:
            self._history.apply(entry, since)
            since = 0.0
        return self._history.digest(self._context_of(self._history.model))

    def _committed(
        self,
        done: asyncio.Future[None],
        receipts: Sequence[NewReceipt],
        entries: Sequence[Recorded],
    ) -> None:
        self._uncommitted -= 1
        if done.cancelled() or done.exception() is not None:
            self.die(Unrecorded(NOT_WRITTEN))
        elif not self.failed.done():
            for receipt in receipts:
                self._receipts.committed(receipt, entries[0].seq)
            self._hear(entries)
            if self.quiet:
                self._when_quiet()

    def _hear(self, entries: Sequence[Recorded]) -> None:
        answers = (e.event for e in entries if isinstance(e.event, QuestionAnswered))
        for answer in answers:
            asked = self._asked.get(answer.question)
            if asked is not None and not asked.done():
                asked.set_result(answer)
