"""The end of a background job, told to an actor at one moment or another."""

import asyncio

from agent.errors import Refused
from agent.protocol import (
    Compact,
    JobEnded,
    JobStarted,
    Notice,
    SessionCreated,
    ToolOutput,
    TurnEnded,
    TurnStarted,
    UserMessage,
)
from tests.agent.doubles import Gate, calls, calm, says
from tests.agent.logs import Log, call
from tests.agent.stage import Stage, check, finish

NEW = Log((SessionCreated("m1", "A title"),))
RESTING = NEW.begin().run(call("c1")).job().reply("It runs.").end()
END = JobEnded("ada/j1", "ok", "Bye.", 60.0)
LAUNCH = ("launch", "{}")


def told(stage: Stage) -> asyncio.Task[None]:
    return asyncio.create_task(stage.session.report(END))


async def test_a_job_is_in_the_commit_of_the_output_that_tells_of_it() -> None:
    stage = Stage()
    stage.model.replies += [calls(LAUNCH), says("It runs.")]
    await stage.say()
    await stage.rest()
    kinds = [type(event) for event in stage.log]
    at = kinds.index(JobStarted)
    assert kinds[at - 1] is ToolOutput
    await check(stage)


async def test_an_end_wakes_a_session_at_rest_once() -> None:
    stage = Stage(RESTING.events)
    stage.model.replies += [says("It is over.")]
    await asyncio.gather(told(stage), told(stage))
    await stage.rest()
    assert stage.kinds.count("JobEnded") == 1
    assert len(stage.of(TurnStarted)) == 2
    assert len(stage.of(UserMessage)) == 1
    assert "Bye." in stage.of(Notice)[0].text
    await check(stage)


async def test_an_end_behind_that_of_a_turn_begins_the_next() -> None:
    stage = Stage(RESTING.events)
    stage.model.replies += [says("Fine."), says("It is over.")]
    stage.journal.hold()
    await stage.say()
    await calm()
    while not stage.history.turns or stage.history.open_turn is not None:
        stage.journal.land()
        await calm()
    reported = told(stage)
    await finish(stage)
    await reported
    assert [e.status for e in stage.of(TurnEnded)] == ["completed"] * 3
    await check(stage)


async def test_an_end_waits_for_a_compaction() -> None:
    turns = RESTING
    for number in range(2, 9):
        turns = turns.talk(f"t{number}", f"Question {number}.", f"Answer {number}.")
    stage = Stage(turns.events)
    gate = Gate()
    stage.model.asides.append((gate, *says("They talked.")))
    await stage.send(Compact("compact"))
    await gate.reached()
    [problem] = await asyncio.gather(told(stage), return_exceptions=True)
    assert isinstance(problem, Refused)
    assert problem.code == "busy"
    gate.open()
    await stage.rest()
    stage.model.replies += [says("It is over.")]
    await told(stage)
    await stage.rest()
    await check(stage)


async def test_an_end_that_was_not_committed_can_be_told_again() -> None:
    stage = Stage(RESTING.events)
    stage.journal.hold()
    lost = told(stage)
    await calm()
    await stage.crash()
    await asyncio.gather(lost, return_exceptions=True)
    assert lost.exception() is not None
    stage.model.replies += [says("It is over.")]
    await told(stage)
    await stage.rest()
    assert stage.kinds.count("JobEnded") == 1
    await check(stage)
