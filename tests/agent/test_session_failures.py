"""What becomes of a session whose commit fails, and of those who wait for an answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.errors import Problem, Unrecorded
from agent.history import History
from agent.models.port import Text
from agent.protocol import (
    AssistantMessage,
    Compact,
    Retry,
    SessionCreated,
    ToolOutput,
    ToolStarted,
    TurnEnded,
    Undo,
)
from agent.receipts import Accepted
from agent.recovery import Draft
from tests.agent.doubles import Gate, calls, calm, fails, says, until
from tests.agent.memory_journal import Failure
from tests.agent.points import (
    ECHO,
    PUBLISH,
    STUBBORN,
    WAIT,
    approved_and_not_committed,
    begun_and_not_committed,
    in_the_middle_of_a_sentence,
    parked,
    tool_running,
)
from tests.agent.stage import Stage, check, check_log


async def a_day(stage: Stage) -> AsyncIterator[None]:
    """All that can be recorded, one thing after the other."""
    stage.model.replies += [
        (Text("Let me see."), *calls(ECHO, PUBLISH, ("nosuch", "{}"))),
        fails(),
        calls(("wait", "{}"), ECHO),
        says("Done."),
        says("And that, too."),
        fails("unauthorized", retryable=False),
        says("Again."),
        says("It fits now."),
    ]
    stage.model.asides.append(says("They talked."))
    await stage.say("Publish it.", "u1")
    yield
    await stage.say("And be quick.", "u2", "steer")
    yield
    if stage.history.state == "awaiting_approval":
        await stage.rule(publish="approve")
    yield
    await stage.say("Then this.", "u3")
    stage.wait.gate.open()
    yield
    await stage.say("Fail.", "u4")
    yield
    await stage.send(Retry("again"))
    yield
    await stage.send(Undo("undo"))
    yield
    await stage.send(Compact("compact"))
    yield
    await stage.say("Stop me.", "u5")
    yield


async def live(stage: Stage) -> None:
    async for _ in a_day(stage):
        await calm()
        if stage.session.failed.done():
            return


async def test_a_day_without_a_failure_is_a_long_one() -> None:
    stage = Stage()
    await live(stage)
    await check(stage)
    assert [await answer.refused() for answer in stage.answers if answer.task.exception()] == []
    assert stage.journal.commits > 20
    assert [e.status for e in stage.of(TurnEnded)] == ["completed"] * 2 + ["failed"] + [
        "completed"
    ] * 2


@pytest.mark.parametrize("how", ["lost", "after the fact"])
@pytest.mark.parametrize("commit", range(25))
async def test_an_actor_whose_commit_fails_is_dead_and_another_goes_on(
    commit: int, how: Failure
) -> None:
    stage = Stage()
    stage.journal.fail_at, stage.journal.fail_how = commit, how
    await live(stage)
    dead, handed, asked = stage.session, stage.journal.handed, len(stage.model.requests)
    assert isinstance(dead.failed.result(), Unrecorded)
    await dead.close()
    await calm()
    assert stage.journal.handed == handed
    assert (stage.model.open, stage.slots.taken, len(stage.model.requests)) == (0, 0, asked)
    assert stage.faults == []
    for answer in stage.answers:
        assert answer.given
    check_prefix(stage)
    stage.wake(stage.journal.drafts())
    await stage.rest()
    check_log(stage.journal.disk)
    assert vars(stage.history) == vars(History(stage.journal.disk))
    assert len(set(stage.ran)) == len(stage.ran)
    assert len(stage.model.requests) == asked


def check_prefix(stage: Stage) -> None:
    """Who was accepted has a receipt; what a dead actor started is known to the log."""
    kept = {r.id for r in stage.journal.receipts}
    given = [a.task.result() for a in stage.answers if a.task.exception() is None]
    assert len(given) <= len(kept)
    assert set(stage.ran) <= {e.call for e in stage.of(ToolStarted)}


async def test_those_who_wait_are_told_that_nobody_knows() -> None:
    stage = await begun_and_not_committed()
    second = await stage.say("And this.", "u2")
    stage.journal.fail()
    assert await stage.answers[0].refused() == "unavailable"
    assert await second.refused() == "unavailable"
    assert await (await stage.say("And that.", "u3")).refused() == "unavailable"
    assert await (await stage.say("Do it.", "u1")).refused() == "unavailable"


async def test_a_repeat_that_waits_is_told_so_too() -> None:
    stage = await begun_and_not_committed()
    repeat = await stage.say()
    stage.journal.fail()
    assert await repeat.refused() == "unavailable"


async def test_what_was_accepted_before_is_still_known_to_a_dead_actor() -> None:
    stage = await in_the_middle_of_a_sentence()
    stage.journal.hold()
    await stage.say("And this.", "u2")
    stage.journal.fail()
    assert await (await stage.say()).accepted() == Accepted(2, duplicate=True)


async def test_a_commit_that_failed_after_the_fact_is_found_by_the_next_actor() -> None:
    stage = await begun_and_not_committed()
    stage.journal.fail("after the fact")
    assert await stage.answers[0].refused() == "unavailable"
    stage.wake()
    await stage.rest()
    assert await (await stage.say()).accepted() == Accepted(2, duplicate=True)
    assert stage.of(TurnEnded)[0].reason == "server_restart"


async def test_a_dead_actor_that_is_closed_adds_nothing() -> None:
    stage = await approved_and_not_committed()
    stage.journal.fail("after the fact")
    handed = stage.journal.handed
    await calm()
    await stage.session.close()
    assert stage.journal.handed == handed


async def test_a_tool_that_outlives_its_actor_is_waited_for_and_says_nothing() -> None:
    stage = Stage()
    stage.model.replies.append(calls(STUBBORN, WAIT))
    await stage.say()
    await stage.wait.gate.reached()
    handed, discarding = stage.journal.handed, stage.discarding()
    await calm()
    assert not discarding.done()
    stage.stubborn.gate.open()
    await discarding
    assert stage.journal.handed == handed


async def test_what_the_journal_does_not_take_kills_the_actor() -> None:
    stage = await parked()
    stage.journal.broken = Problem("broken", "It cannot be written down.")
    assert await (await stage.rule(publish="reject")).refused() == "broken"
    assert isinstance(stage.session.failed.result(), Unrecorded)
    await calm()
    assert await (await stage.stop()).refused() == "unavailable"


async def test_a_commit_that_is_given_up_is_a_failed_one() -> None:
    stage = await begun_and_not_committed()
    stage.journal.held[0].done.cancel()
    assert await stage.answers[0].refused() == "unavailable"
    assert stage.session.failed.done()


async def test_a_renaming_that_is_not_written_is_told_so() -> None:
    stage = await in_the_middle_of_a_sentence()
    stage.journal.hold()
    renaming = asyncio.create_task(stage.session.rename("New", "ann"))
    await asyncio.sleep(0)
    stage.journal.fail()
    with pytest.raises(Unrecorded):
        await renaming


async def test_a_restart_keeps_what_was_said_and_runs_nothing_again() -> None:
    stage = await tool_running()
    await stage.crash()
    await stage.rest()
    await check(stage)
    output = stage.of(ToolOutput)[0]
    assert output.status == "unknown"
    assert output.output.startswith("Working.\n")
    assert len(stage.ran) == 1


async def test_a_restart_keeps_half_a_sentence() -> None:
    stage = await in_the_middle_of_a_sentence()
    await stage.crash()
    await stage.rest()
    assert [m.text for m in stage.of(AssistantMessage) if m.partial] == ["Half a "]


async def test_a_session_that_was_at_rest_adds_nothing_when_it_wakes() -> None:
    stage = await parked()
    handed = stage.journal.handed
    stage.wake([Draft("turn1", "item1", "text", "Old.")])
    await calm()
    assert stage.journal.handed == handed
    stage.model.replies.append(says("It is out."))
    assert (await (await stage.rule(publish="approve")).accepted()).seq == handed + 1
    await stage.rest()
    assert stage.of(TurnEnded)[0].status == "completed"


async def test_a_session_is_not_at_rest_while_its_answer_is_on_its_way() -> None:
    stage = Stage((SessionCreated("m1", "A title"),))
    await stage.rest()
    stage.journal.hold()
    await stage.say()
    assert not stage.session.resting
    assert stage.session.knows("u1")
    stage.model.replies.append((Gate(),))
    stage.journal.release()
    await until(lambda: stage.model.requests)
    assert not stage.session.resting
