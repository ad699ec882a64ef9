"""Input at every point: heard once, queued, joined, held or begun."""

import pytest

from agent.protocol import (
    Compacted,
    ToolOutput,
    TurnEnded,
    TurnStarted,
    UserInput,
    UserMessage,
)
from tests.agent.doubles import Gate, calls, calm, says, until
from tests.agent.points import (
    ASKING,
    BUSY,
    COMPACTING,
    IDLE,
    Point,
    at,
    compaction_in_the_middle,
    in_the_middle_of_a_sentence,
)
from tests.agent.stage import Stage, check, effects, finish


@at((*BUSY, *COMPACTING, *IDLE))
@pytest.mark.parametrize("delivery", ["queue", "steer"])
async def test_input_is_heard_once_wherever_it_comes(point: Point, delivery: str) -> None:
    stage = await point()
    answer = await stage.send(UserInput("late", "Mind this.", delivery))  # type: ignore[arg-type]
    await finish(stage)
    assert (await answer.accepted()).seq > 0
    assert effects(stage, "late") == 1
    assert stage.history.held == bool(stage.history.queue)
    if not stage.history.queue:
        assert stage.of(TurnEnded)[-1].status == "completed"


@at(BUSY)
async def test_what_is_steered_joins_the_turn_that_runs(point: Point) -> None:
    stage = await point()
    turn = stage.history.open_turn
    await stage.say("Mind this.", "late", "steer")
    await finish(stage)
    joined = next(m for m in stage.of(UserMessage) if m.submission == "late")
    assert turn is not None
    assert (joined.turn, joined.steered) == (turn.id, True)


@at(COMPACTING)
async def test_input_during_a_compaction_begins_in_the_commit_that_ends_it(point: Point) -> None:
    stage = await point()
    await stage.say("Then this.", "late")
    stage.journal.release()
    await calm()
    assert "late" not in [m.submission for m in stage.of(UserMessage)]
    await finish(stage)
    began = next(n for n, e in enumerate(stage.log) if isinstance(e, Compacted))
    assert isinstance(stage.log[began + 1], UserMessage)
    assert isinstance(stage.log[began + 2], TurnStarted)


@at(ASKING)
async def test_input_while_a_question_is_open_begins_a_turn_of_its_own(point: Point) -> None:
    stage = await point()
    answer = await stage.say("Never mind.", "late")
    await finish(stage)
    assert (await answer.accepted()).seq > 0
    assert [(e.status, e.reason) for e in stage.of(TurnEnded)] == [
        ("interrupted", "superseded"),
        ("completed", None),
    ]
    assert stage.ran == []


@at(ASKING)
async def test_what_is_steered_at_a_question_waits_for_its_answer(point: Point) -> None:
    stage = await point()
    await stage.say("And quick.", "late", "steer")
    stage.journal.release()
    await calm()
    assert stage.history.state == "awaiting_approval"
    await stage.rule(publish="approve")
    await finish(stage)
    assert [m.steered for m in stage.of(UserMessage)] == [False, True]
    assert len(stage.ran) == 1


async def test_what_is_steered_before_the_first_reply_joins_it_even_without_room() -> None:
    stage = Stage()
    stage.models.window = 40
    stage.slots.gate = Gate()
    await stage.say("A long story. " * 20)
    await stage.slots.gate.reached()
    await stage.say("Mind this.", "late", "steer")
    stage.slots.gate.open()
    stage.model.replies.append(says("I see."))
    await stage.rest()
    await check(stage)
    assert "Mind this." in stage.model.requests[0].messages[-1].text


async def test_a_full_queue_refuses_and_stays_as_it_is() -> None:
    stage = Stage(queue_limit=1)
    await stage.say()
    await until(lambda: stage.model.gates)
    await stage.say("Second.", "u2")
    assert await (await stage.say("Third.", "u3")).refused() == "too_many_queued"
    await finish(stage)
    assert effects(stage, "u3") == 0


async def test_input_while_a_turn_is_being_stopped_is_held() -> None:
    stage = Stage()
    stage.model.replies.append(calls(("stubborn", "{}")))
    await stage.say()
    await until(lambda: stage.ran)
    stopped = await stage.stop()
    await calm()
    assert not stopped.given
    late = await stage.say("Then this.", "late")
    stage.stubborn.gate.open()
    assert (await stopped.accepted()).seq > 0
    assert (await late.accepted()).seq > 0
    await check(stage)
    assert stage.history.held
    assert stage.of(ToolOutput)[0].output == "(not yet)\n\n[Stopped before it was done.]"
    assert stage.kinds[-2:] == ["ToolOutput", "TurnEnded"]


@pytest.mark.parametrize(
    ("queue", "left"), [("hold", ["u2", "u3"]), ("drop", []), ("continue", [])]
)
async def test_a_stop_says_what_becomes_of_the_queue(queue: str, left: list[str]) -> None:
    stage = await in_the_middle_of_a_sentence()
    await stage.say("Second.", "u2")
    await stage.say("Third.", "u3")
    assert (await (await stage.stop(queue=queue)).accepted()).seq > 0
    await finish(stage)
    assert list(stage.history.queue) == left
    assert effects(stage, "u2") == (queue != "drop")


@pytest.mark.parametrize(("queue", "left"), [("hold", ["u2"]), ("drop", []), ("continue", [])])
async def test_a_stopped_compaction_says_it_too(queue: str, left: list[str]) -> None:
    stage = await compaction_in_the_middle()
    await stage.say("Second.", "u2")
    assert (await (await stage.stop(queue=queue)).accepted()).seq > 0
    assert await stage.answers[0].refused() == "unavailable"
    await finish(stage)
    assert list(stage.history.queue) == left
    assert stage.history.held == (queue == "hold")
