"""Points at which something may come in between: each brings a session there and stays."""

from collections.abc import Awaitable, Callable

import pytest

from agent.models.port import Text
from agent.protocol import (
    ApprovalRequired,
    AssistantMessage,
    Compact,
    Compacted,
    Notice,
    Retrying,
    SessionCreated,
    SetModel,
    ToolOutput,
    ToolStarted,
    TurnEnded,
    UserInput,
)
from tests.agent.doubles import Gate, calls, fails, says, until
from tests.agent.logs import Log
from tests.agent.stage import Stage

Point = Callable[[], Awaitable[Stage]]

WAIT = ("wait", '{"text": "Working."}')
ECHO = ("echo", '{"text": "Echo."}')
STUBBORN = ("stubborn", "{}")
PUBLISH = ("publish", '{"text": "All of it."}')


def talked(turns: int = 7) -> Stage:
    """A session that can be compacted."""
    log = Log((SessionCreated("m1", "A title"),))
    for n in range(1, turns + 1):
        log = log.talk(f"t{n}", f"Question {n}.", f"Answer {n}.")
    return Stage(log.events)


async def _held(stage: Stage) -> Stage:
    await until(lambda: stage.journal.is_holding and stage.journal.held)
    return stage


# ---- while a turn runs ---------------------------------------------------------------------------


async def begun_and_not_committed() -> Stage:
    stage = Stage()
    stage.journal.hold()
    await stage.say()
    return stage


async def committed_and_not_working() -> Stage:
    """What is sent next is judged before the turn's first step."""
    stage = await begun_and_not_committed()
    stage.journal.release()
    return stage


async def waiting_for_a_slot() -> Stage:
    stage = Stage()
    stage.slots.gate = Gate()
    await stage.say()
    await stage.slots.gate.reached()
    return stage


async def opening_the_stream() -> Stage:
    stage = Stage()
    gate = Gate()
    stage.model.replies.append((gate,))
    await stage.say()
    await gate.reached()
    return stage


async def in_the_middle_of_a_sentence() -> Stage:
    stage = Stage()
    gate = Gate()
    stage.model.replies.append((Text("Half a "), gate))
    await stage.say()
    await gate.reached()
    return stage


async def retry_being_announced() -> Stage:
    stage = Stage()
    stage.model.replies.append(fails())
    stage.journal.hold(at=Retrying)
    await stage.say()
    return await _held(stage)


async def sleeping_before_a_retry() -> Stage:
    stage = Stage()
    stage.model.replies.append(fails())
    stage.sleeper.gate = Gate()
    await stage.say()
    await stage.sleeper.gate.reached()
    return stage


async def making_room() -> Stage:
    """An automatic compaction, after the provider said that the context is too long."""
    stage = talked()
    gate = Gate()
    stage.model.replies.append(fails("context_overflow", retryable=False))
    stage.model.asides.append((Text("They"), gate))
    await stage.say()
    await gate.reached()
    return stage


async def room_made_and_not_committed() -> Stage:
    stage = talked()
    stage.model.replies.append(fails("context_overflow", retryable=False))
    stage.model.asides.append(says("They talked."))
    stage.journal.hold(at=Compacted)
    await stage.say()
    return await _held(stage)


async def reply_on_its_way() -> Stage:
    stage = Stage()
    stage.model.replies.append(calls(WAIT, text="I work."))
    stage.journal.hold(at=AssistantMessage)
    await stage.say()
    return await _held(stage)


async def keeping_a_checkpoint() -> Stage:
    stage = Stage()
    stage.workspace.gate = Gate()
    stage.model.replies.append(calls(WAIT))
    await stage.say()
    await stage.workspace.gate.reached()
    return stage


async def tool_start_on_its_way() -> Stage:
    stage = Stage()
    stage.model.replies.append(calls(WAIT))
    stage.journal.hold(at=ToolStarted)
    await stage.say()
    return await _held(stage)


async def tool_running() -> Stage:
    stage = Stage()
    stage.model.replies.append(calls(WAIT, text="I work."))
    await stage.say()
    await stage.wait.gate.reached()
    return stage


async def one_tool_done_the_other_running() -> Stage:
    stage = Stage()
    stage.model.replies.append(calls(ECHO, WAIT))
    await stage.say()
    await stage.wait.gate.reached()
    await until(lambda: stage.of(ToolOutput))
    return stage


async def output_on_its_way() -> Stage:
    stage = Stage()
    stage.model.replies.append(calls(ECHO, WAIT))
    stage.journal.hold(at=ToolOutput)
    await stage.say()
    await stage.wait.gate.reached()
    return await _held(stage)


async def after_a_tool() -> Stage:
    """The model is asked what to do with the result."""
    stage = Stage()
    gate = Gate()
    stage.model.replies += [calls(ECHO), (gate,)]
    await stage.say()
    await gate.reached()
    return stage


async def refused_call_on_its_way() -> Stage:
    stage = Stage()
    stage.model.replies.append(calls(("nosuch", "{}")))
    stage.journal.hold(at=ToolOutput)
    await stage.say()
    return await _held(stage)


async def next_turn_in_the_commit_of_an_end() -> Stage:
    stage = await in_the_middle_of_a_sentence()
    await stage.say("Then this.", "u2")
    stage.journal.hold(at=TurnEnded)
    stage.model.waits_at.open()
    return await _held(stage)


async def approved_and_not_committed() -> Stage:
    stage = await parked()
    stage.journal.hold()
    await stage.rule(publish="approve")
    return stage


RUNNING: tuple[Point, ...] = (
    begun_and_not_committed,
    committed_and_not_working,
    waiting_for_a_slot,
    opening_the_stream,
    in_the_middle_of_a_sentence,
    retry_being_announced,
    sleeping_before_a_retry,
    making_room,
    room_made_and_not_committed,
    reply_on_its_way,
    keeping_a_checkpoint,
    tool_start_on_its_way,
    tool_running,
    one_tool_done_the_other_running,
    output_on_its_way,
    after_a_tool,
    refused_call_on_its_way,
    next_turn_in_the_commit_of_an_end,
    approved_and_not_committed,
)
"""A turn runs, by the log with all that is on its way to it."""

# ---- while it asks -------------------------------------------------------------------------------


async def question_on_its_way() -> Stage:
    stage = Stage()
    stage.model.replies.append(calls(PUBLISH, text="May I?"))
    stage.journal.hold(at=ApprovalRequired)
    await stage.say()
    return await _held(stage)


async def question_committed() -> Stage:
    """What is sent next is judged before the turn's task has seen the commit."""
    stage = await question_on_its_way()
    stage.journal.release()
    return stage


async def parked() -> Stage:
    stage = Stage()
    stage.model.replies.append(calls(PUBLISH, text="May I?"))
    await stage.say()
    await until(lambda: stage.session.resting and stage.history.state == "awaiting_approval")
    return stage


ASKING: tuple[Point, ...] = (question_on_its_way, question_committed, parked)

# ---- while it compacts by hand -------------------------------------------------------------------


async def compaction_not_begun() -> Stage:
    """Something is on its way to the log, so it waits."""
    stage = talked()
    stage.journal.hold()
    await stage.send(SetModel("model", "m2"))
    await stage.send(Compact("compact"))
    return stage


async def compaction_behind_the_end_of_a_turn() -> Stage:
    """Asked for while the turn's task still waits for its last commit."""
    stage = await end_on_its_way()
    await stage.send(Compact("compact"))
    return stage


async def compaction_opening_the_stream() -> Stage:
    stage = talked()
    gate = Gate()
    stage.model.asides.append((gate, *says("They talked.")))
    await stage.send(Compact("compact"))
    await gate.reached()
    return stage


async def compaction_in_the_middle() -> Stage:
    stage = talked()
    gate = Gate()
    stage.model.asides.append((Text("They"), gate))
    await stage.send(Compact("compact"))
    await gate.reached()
    return stage


async def compaction_before_a_retry() -> Stage:
    stage = talked()
    stage.model.asides.append(fails())
    stage.sleeper.gate = Gate()
    await stage.send(Compact("compact"))
    await stage.sleeper.gate.reached()
    return stage


COMPACTING: tuple[Point, ...] = (
    compaction_not_begun,
    compaction_behind_the_end_of_a_turn,
    compaction_opening_the_stream,
    compaction_in_the_middle,
    compaction_before_a_retry,
)

# ---- at rest, by the log with all that is on its way to it ---------------------------------------


async def untouched() -> Stage:
    return Stage()


async def end_on_its_way() -> Stage:
    stage = talked()
    stage.model.replies.append(says("Done."))
    stage.journal.hold(at=TurnEnded)
    await stage.say()
    return await _held(stage)


async def end_committed() -> Stage:
    """What is sent next is judged before the turn's task has seen the commit."""
    stage = await end_on_its_way()
    stage.journal.release()
    return stage


async def failure_on_its_way() -> Stage:
    stage = talked()
    stage.model.replies.append(fails("unauthorized", retryable=False))
    stage.journal.hold(at=TurnEnded)
    await stage.say()
    return await _held(stage)


async def compaction_on_its_way() -> Stage:
    stage = talked()
    stage.model.asides.append(says("They talked."))
    stage.journal.hold(at=Compacted)
    await stage.send(Compact("compact"))
    return await _held(stage)


async def failed_compaction_on_its_way() -> Stage:
    stage = talked()
    stage.model.asides.append(fails("unauthorized", retryable=False))
    stage.journal.hold(at=Notice)
    await stage.send(Compact("compact"))
    return await _held(stage)


IDLE: tuple[Point, ...] = (
    untouched,
    end_on_its_way,
    end_committed,
    failure_on_its_way,
    compaction_on_its_way,
    failed_compaction_on_its_way,
)

# ---- a turn that begins in the commit that ends a compaction -------------------------------------


async def turn_begun_by_a_compaction() -> Stage:
    stage = await compaction_in_the_middle()
    await stage.say()
    stage.journal.hold(at=Compacted)
    stage.model.waits_at.open()
    return await _held(stage)


async def turn_begun_by_a_failed_compaction() -> Stage:
    stage = talked()
    gate = Gate()
    stage.model.asides.append((gate, *fails("unauthorized", retryable=False)))
    await stage.send(Compact("compact"))
    await gate.reached()
    await stage.send(UserInput("u1", "Do it.", "steer"))
    stage.journal.hold(at=Notice)
    gate.open()
    return await _held(stage)


BEGUN_BY_COMPACTION: tuple[Point, ...] = (
    turn_begun_by_a_compaction,
    turn_begun_by_a_failed_compaction,
)

BUSY = (*RUNNING, *BEGUN_BY_COMPACTION)
ANY = (*BUSY, *ASKING, *COMPACTING, *IDLE)


def at(points: tuple[Point, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("point", points, ids=lambda p: p.__name__)
