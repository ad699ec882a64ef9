"""Compactions by hand: their answers, their faults, and who comes meanwhile."""

import asyncio

import pytest

from agent.protocol import (
    AssistantMessage,
    Compact,
    Notice,
    Retry,
    Undo,
)
from agent.receipts import Accepted
from tests.agent.doubles import Gate, calm, says
from tests.agent.points import (
    ASKING,
    BUSY,
    COMPACTING,
    Point,
    at,
    compaction_in_the_middle,
    compaction_on_its_way,
    failed_compaction_on_its_way,
    talked,
    turn_begun_by_a_failed_compaction,
)
from tests.agent.stage import check, effects, finish


async def test_what_is_compacted_is_answered_by_its_commit() -> None:
    stage = await compaction_on_its_way()
    compacting = stage.answers[0]
    await calm()
    assert not compacting.given
    stage.journal.release()
    assert (await compacting.accepted()).seq == len(stage.journal.disk) - 1
    assert await (await stage.send(Compact("compact"))).accepted() == Accepted(
        len(stage.journal.disk) - 1, duplicate=True
    )


async def test_a_compaction_that_failed_says_why_and_its_id_stays_free() -> None:
    stage = await failed_compaction_on_its_way()
    stage.journal.release()
    assert await stage.answers[0].refused() == "unavailable"
    stage.model.asides.append(says("They talked."))
    assert (await (await stage.send(Compact("compact"))).accepted()).duplicate is False
    assert stage.of(Notice)[0].code == "compaction_failed"


async def test_a_second_compaction_may_be_asked_for_before_the_end_of_a_failed_one_is_written() -> (
    None
):
    stage = await failed_compaction_on_its_way()
    again = await stage.send(Compact("again"))
    stage.model.asides.append(says("They talked."))
    stage.journal.release()
    assert await stage.answers[0].refused() == "unavailable"
    assert (await again.accepted()).duplicate is False
    await check(stage)


async def test_a_summary_without_words_is_no_summary() -> None:
    stage = talked()
    stage.model.asides.append(says("  "))
    assert await (await stage.send(Compact("compact"))).refused() == "unavailable"
    await check(stage)
    assert "empty summary" in stage.of(Notice)[0].text


@at((*BUSY, *ASKING, *COMPACTING))
async def test_who_wants_to_undo_retry_or_compact_meanwhile_is_refused(point: Point) -> None:
    stage = await point()
    assert await (await stage.send(Undo("undo"))).refused() == "busy"
    assert await (await stage.send(Retry("retry"))).refused() == "busy"
    assert await (await stage.send(Compact("more"))).refused() == "busy"


async def test_a_fault_in_a_compaction_lets_the_queue_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = talked()
    gate = Gate()
    stage.model.asides.append((gate, ValueError("a fault")))
    compacting = await stage.send(Compact("compact"))
    await gate.reached()
    await stage.say("Then this.", "late")
    gate.open()
    assert await compacting.refused() == "unavailable"
    await finish(stage)
    assert effects(stage, "late") == 1
    assert stage.history.queue == {}
    assert "a fault" in caplog.text


async def test_a_compaction_that_something_else_cancels_lets_the_queue_go_on() -> None:
    stage = talked()
    gate = Gate()
    stage.model.asides.append((gate, asyncio.CancelledError()))
    compacting = await stage.send(Compact("compact"))
    await gate.reached()
    await stage.say("Then this.", "late")
    gate.open()
    assert await compacting.refused() == "unavailable"
    await finish(stage)
    assert stage.history.queue == {}


async def test_a_turn_begun_by_a_failed_compaction_runs() -> None:
    stage = await turn_begun_by_a_failed_compaction()
    await finish(stage)
    assert await stage.answers[0].refused() == "unavailable"
    assert stage.of(AssistantMessage)[-1].text == "Done."


async def test_a_compaction_is_announced() -> None:
    stage = await compaction_in_the_middle()
    assert stage.journal.activities[-1] == "compacting"
    await finish(stage)
    assert stage.journal.activities[-1] is None
