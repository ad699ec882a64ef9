"""The pen: what is handed over is folded at once, and counts when it is on disk."""

import asyncio

import pytest

from agent.errors import Unrecorded
from agent.history import History
from agent.log_writer import LogWriter
from agent.protocol import Notice, SessionCreated, TurnStarted, UserInput, UserMessage
from agent.receipts import Accepted, Receipts, given
from tests.agent.doubles import calm
from tests.agent.memory_journal import MemoryJournal

SAID = UserInput("u1", "Do it.")
NOTE = Notice("note", "Mind this.")


class Pen:
    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.journal.hold()
        self.history = History()
        self.receipts = Receipts(())
        self.quiet = 0
        self.now = 100.0
        self.writer = LogWriter(
            self.history, self.receipts, self.journal, lambda _: 1000, self._rest, lambda: self.now
        )

    def _rest(self) -> None:
        self.quiet += 1


async def test_events_are_folded_before_they_are_on_disk() -> None:
    pen = Pen()
    done = pen.writer.record([SessionCreated("m1", "New")])
    assert (pen.history.title, pen.writer.quiet, done.done()) == ("New", False, False)
    pen.journal.land()
    await pen.writer.settled()
    assert (pen.writer.quiet, done.done()) == (True, True)


async def test_a_turn_has_worked_as_long_as_it_did_whatever_the_time_is() -> None:
    pen = Pen()
    _ = pen.writer.record([SessionCreated("m1", "New")])
    _ = pen.writer.record([UserMessage("t1", "u1", "Do it.", "ann"), TurnStarted("t1", "u1", "m1")])
    pen.now += 40.0
    _ = pen.writer.record([NOTE, NOTE])
    pen.now += 2.5
    _ = pen.writer.record([NOTE])
    assert pen.history.turns["t1"].worked == 42.5


async def test_it_is_quiet_when_the_last_commit_has_landed() -> None:
    pen = Pen()
    first, second = pen.writer.record([NOTE]), pen.writer.record([NOTE])
    pen.journal.land()
    await calm()
    assert (first.done(), second.done(), pen.quiet) == (True, False, 0)
    pen.journal.land()
    await calm()
    assert (second.done(), pen.quiet) == (True, 1)


async def test_a_submission_is_answered_with_the_first_event_of_its_commit() -> None:
    pen = Pen()
    answer = pen.receipts.expect(SAID)
    _ = pen.writer.record([NOTE])
    _ = pen.writer.record([NOTE, NOTE], answers="u1")
    pen.journal.release()
    assert await given(answer) == Accepted(2)
    assert [r.seq for r in pen.journal.receipts] == [2]


async def test_a_commit_that_fails_is_the_end() -> None:
    pen = Pen()
    answer = pen.receipts.expect(SAID)
    first = pen.writer.record([NOTE], answers="u1")
    second = pen.writer.record([NOTE])
    pen.journal.fail()
    pen.journal.land()
    await asyncio.wait([first, second])
    with pytest.raises(Unrecorded):
        await given(answer)
    await pen.writer.settled()
    assert pen.writer.failed.done()
    assert pen.quiet == 0


async def test_what_lands_behind_a_failure_is_not_believed() -> None:
    pen = Pen()
    answer = pen.receipts.expect(SAID)
    done = pen.writer.record([NOTE])
    _ = pen.writer.record([NOTE], answers="u1")
    pen.journal.fail("after the fact")
    with pytest.raises(Unrecorded):
        await done
    pen.journal.land()
    with pytest.raises(Unrecorded):
        await given(answer)
    assert pen.quiet == 0


async def test_a_commit_that_is_given_up_is_a_failed_one() -> None:
    pen = Pen()
    _ = pen.writer.record([NOTE]).cancel()
    assert isinstance(await pen.writer.failed, Unrecorded)


async def test_what_is_not_even_taken_is_the_end_too_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pen = Pen()
    pen.journal.broken = Unrecorded("It is closed.")
    with pytest.raises(Unrecorded):
        _ = pen.writer.record([NOTE])
    assert pen.writer.failed.done()
    assert "1 events could not be handed over" in caplog.text
    assert "It is closed." in caplog.text


async def test_one_dies_once() -> None:
    pen = Pen()
    pen.writer.die(Unrecorded("First."))
    pen.writer.die(Unrecorded("Second."))
    assert str(await pen.writer.failed) == "First."


async def test_a_pen_that_wrote_nothing_is_settled() -> None:
    pen = Pen()
    await pen.writer.settled()
    assert pen.writer.quiet
