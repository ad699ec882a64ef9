"""Titles that are found and names that are given, at any time; other settings, too."""

import asyncio

import pytest

from agent.errors import Refused
from agent.models.port import Text
from agent.protocol import (
    AssistantMessage,
    InputQueued,
    SessionCreated,
    SessionEnded,
    SessionUpdated,
    SetModel,
    Shutdown,
    TurnEnded,
    Undo,
    Usage,
    Withdraw,
)
from tests.agent.doubles import Gate, fails, says, until
from tests.agent.points import (
    ANY,
    BUSY,
    Point,
    at,
    compaction_behind_the_end_of_a_turn,
    in_the_middle_of_a_sentence,
    talked,
)
from tests.agent.stage import Stage, check, effects, finish

UNTITLED = (SessionCreated("m1", ""),)


async def test_a_session_without_a_title_gets_one_after_its_first_turn() -> None:
    stage = Stage(UNTITLED)
    stage.model.replies.append(says("Done."))
    stage.model.asides.append(says('"Doing it"'))
    await stage.say()
    await stage.rest()
    await check(stage)
    assert stage.history.title == "Doing it"
    assert stage.model.requests[-1].tools == ()
    assert [u.purpose for u in stage.of(Usage)] == ["main", "title"]


async def test_a_title_delays_no_turn() -> None:
    stage = Stage(UNTITLED)
    gate = Gate()
    stage.model.replies += [says("Done."), says("Done, too.")]
    stage.model.asides.append((gate, *says("Doing it")))
    await stage.say()
    await gate.reached()
    await stage.say("And that.", "u2")
    await until(lambda: len(stage.of(TurnEnded)) == 2)
    assert stage.history.title == ""
    gate.open()
    await stage.rest()
    await check(stage)
    assert stage.history.title == "Doing it"


async def test_a_person_who_renames_meanwhile_has_the_last_word() -> None:
    stage = Stage(UNTITLED)
    gate = Gate()
    stage.model.replies.append(says("Done."))
    stage.model.asides.append((gate, *says("Doing it")))
    await stage.say()
    await gate.reached()
    await stage.session.rename("Mine", "ann")
    gate.open()
    await stage.rest()
    await check(stage)
    assert stage.history.title == "Mine"
    assert [u.purpose for u in stage.of(Usage)] == ["main", "title"]


async def test_a_title_that_comes_after_the_end_is_dropped() -> None:
    stage = Stage(UNTITLED)
    gate = Gate()
    stage.model.replies.append(says("Done."))
    stage.model.asides.append((gate, *says("Doing it")))
    await stage.say()
    await gate.reached()
    await stage.send(Shutdown("down"))
    gate.open()
    await stage.rest()
    await check(stage)
    assert isinstance(stage.log[-1], SessionEnded)


async def test_a_title_is_asked_for_once_and_then_left() -> None:
    stage = Stage(UNTITLED)
    stage.model.replies += [says("Done."), says("Done.")]
    stage.model.asides.append(fails("unauthorized", retryable=False))
    await stage.say()
    await stage.rest()
    await stage.say("And that.", "u2")
    await stage.rest()
    await check(stage)
    assert len(stage.model.requests) == 3


@pytest.mark.parametrize("rounds", range(8))
async def test_an_undo_at_the_moment_when_a_title_is_wanted_does_no_harm(
    rounds: int, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(UNTITLED)
    stage.model.replies.append(says("Done."))
    stage.model.asides.append(says("Doing it"))
    stage.journal.hold(at=TurnEnded)
    await stage.say()
    await until(lambda: stage.journal.is_holding)
    stage.journal.release()
    for _ in range(rounds):
        await asyncio.sleep(0)
    undone = await stage.send(Undo("undo"))
    await stage.rest()
    await check(stage)
    assert (await undone.accepted()).seq > 0
    assert "a chore of a session failed" not in caplog.text


async def test_a_closing_server_asks_for_no_title() -> None:
    stage = Stage(UNTITLED)
    gate = Gate()
    stage.model.replies.append(says("Done."))
    stage.model.asides.append((gate,))
    await stage.say()
    await gate.reached()
    await stage.session.close()
    await check(stage)
    assert stage.history.title == ""


async def test_an_ended_or_closing_session_is_not_renamed() -> None:
    stage = Stage()
    await stage.send(Shutdown("down"))
    await stage.rest()
    with pytest.raises(Refused, match="has ended"):
        await stage.session.rename("New", "ann")
    await stage.session.close()
    with pytest.raises(Refused, match="going away"):
        await stage.session.rename("New", "ann")


@at(ANY)
async def test_a_session_is_renamed_at_any_time(point: Point) -> None:
    stage = await point()
    renaming = asyncio.create_task(stage.session.rename("New", "ann"))
    await finish(stage)
    await renaming
    assert stage.history.title == "New"
    assert stage.of(SessionUpdated)[-1].by == "ann"


@at(BUSY)
async def test_another_model_is_asked_from_the_next_call_on(point: Point) -> None:
    stage = await point()
    await stage.send(SetModel("set", "m2"))
    await stage.say("Go on.", "late", "steer")
    await finish(stage)
    assert stage.model.requests[-1].model == "m2"


async def test_what_waits_can_be_taken_back_while_the_end_is_on_its_way_not_after() -> None:
    stage = await in_the_middle_of_a_sentence()
    await stage.say("Second.", "u2")
    assert (await (await stage.send(Withdraw("w1", "u2"))).accepted()).seq > 0
    assert await (await stage.send(Withdraw("w2", "u2"))).refused() == "not_queued"
    await finish(stage)
    assert len(stage.of(InputQueued)) == 1
    assert effects(stage, "u2") == 0


async def test_a_compaction_behind_the_end_of_a_turn_hears_what_comes_meanwhile() -> None:
    stage = await compaction_behind_the_end_of_a_turn()
    await stage.say("Then this.", "late")
    await finish(stage)
    assert (await stage.answers[1].accepted()).seq > 0
    assert stage.kinds.index("Compacted") < len(stage.kinds) - 1
    assert effects(stage, "late") == 1


async def test_half_a_reply_is_not_taken_back_by_making_room() -> None:
    stage = talked()
    overflow = fails("context_overflow", retryable=False)
    stage.model.replies.append((Text("Half a "), *overflow))
    await stage.say()
    await stage.rest()
    await check(stage)
    assert stage.of(AssistantMessage)[-1].text == "Half a "
    assert stage.of(TurnEnded)[-1].status == "failed"
