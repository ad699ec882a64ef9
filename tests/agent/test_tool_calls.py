"""The calls of a reply: side by side, each answered once, whatever the tool does."""

import pytest

from agent.errors import Problem
from agent.protocol import (
    Approval,
    Decision,
    Notice,
    PlanUpdated,
    ToolCall,
    ToolOutput,
    ToolStarted,
    TurnEnded,
)
from tests.agent.doubles import Gate, calls, calm, says, until
from tests.agent.points import ECHO, PUBLISH, STUBBORN, WAIT, parked, tool_running
from tests.agent.stage import Stage, check

PLAN = ("plan", '{"items": [{"id": "a", "content": "Read", "status": "completed"}]}')


async def played(*made: tuple[str, str]) -> Stage:
    """A turn with these calls that came to its end."""
    stage = Stage()
    stage.model.replies += [calls(*made), says("Done.")]
    stage.wait.gate.open()
    await stage.say()
    await stage.rest()
    await check(stage)
    return stage


def outputs(stage: Stage) -> list[tuple[str, str, str]]:
    """Tool, status and output, in the order of the calls."""
    answered = {o.call: o for o in stage.of(ToolOutput)}
    made = [(c.tool, answered[c.call]) for c in stage.of(ToolCall)]
    return [(tool, o.status, o.output) for tool, o in made]


async def test_calls_run_side_by_side_and_are_told_in_their_order() -> None:
    stage = Stage()
    stage.model.replies += [calls(WAIT, ECHO), says("Done.")]
    await stage.say()
    await stage.wait.gate.reached()
    await until(lambda: stage.of(ToolOutput))
    assert [o.output for o in stage.of(ToolOutput)] == ["Echo."]
    stage.wait.gate.open()
    await stage.rest()
    await check(stage)
    told = [m for m in stage.model.requests[-1].messages if m.role == "tool"]
    assert [m.text for m in told] == ["Working.", "Echo."]


async def test_no_tool_starts_before_its_start_is_on_disk() -> None:
    stage = Stage()
    stage.model.replies.append(calls(ECHO, WAIT))
    stage.journal.hold(at=ToolStarted)
    await stage.say()
    await until(lambda: stage.journal.is_holding)
    await calm()
    assert stage.ran == []
    stage.journal.release()
    await until(lambda: len(stage.ran) == 2)
    assert [s.call for s in stage.of(ToolStarted)] == stage.ran


async def test_the_model_is_asked_again_when_all_outputs_are_on_disk() -> None:
    stage = Stage()
    stage.model.replies += [calls(ECHO), says("Done.")]
    stage.journal.hold(at=ToolOutput)
    await stage.say()
    await until(lambda: stage.journal.is_holding)
    await calm()
    assert len(stage.model.requests) == 1
    stage.journal.release()
    await stage.rest()
    assert len(stage.model.requests) == 2


@pytest.mark.parametrize(
    ("call", "status", "says"),
    [
        (("broken", "{}"), "error", "failed inside"),
        (("quitting", '{"text": "x"}'), "unknown", "Outcome unknown"),
        (("nosuch", "{}"), "error", "There is no tool 'nosuch'"),
        (("echo", '{"bad": 1}'), "error", "not valid"),
        (("echo", "{"), "error", "not a JSON object"),
    ],
    ids=["raises", "cancels itself", "unknown", "wrong arguments", "malformed"],
)
async def test_a_call_that_fails_is_a_result(call: tuple[str, str], status: str, says: str) -> None:
    stage = await played(ECHO, call)
    assert outputs(stage)[0] == ("echo", "ok", "Echo.")
    assert (outputs(stage)[1][1], says in outputs(stage)[1][2]) == (status, True)
    assert stage.of(TurnEnded)[0].status == "completed"


async def test_a_call_that_its_own_tool_cancelled_keeps_what_it_printed() -> None:
    stage = await played(("quitting", '{"text": "Half of it."}'))
    assert outputs(stage)[0][2].startswith("Half of it.\nOutcome unknown")


async def test_what_a_call_prints_is_shown_as_it_runs_and_in_its_output() -> None:
    stage = await tool_running()
    call = stage.ran[0]
    assert stage.journal.texts["tool_log", call].shown == "Working."
    assert stage.journal.activities[-1] == "tools"
    stage.wait.gate.open()
    await until(lambda: stage.of(ToolOutput))
    assert stage.of(ToolOutput)[0].output == "Working."
    assert stage.journal.texts["tool_log", call].closed


async def test_a_plan_is_updated_in_the_commit_of_its_output() -> None:
    stage = await played(PLAN)
    kinds = stage.kinds
    assert kinds[kinds.index("PlanUpdated") + 1] == "ToolOutput"
    assert stage.of(PlanUpdated)[0].items[0].content == "Read"


async def test_what_a_human_edited_is_what_runs_and_what_is_said_to_run() -> None:
    stage = await parked()
    call = stage.of(ToolCall)[0].call
    edited = Decision(call, "approve", arguments={"text": "A part of it."})
    stage.model.replies.append(says("Done."))
    assert (await (await stage.send(Approval("ok", (edited,)))).accepted()).seq > 0
    await stage.rest()
    await check(stage)
    assert stage.of(ToolStarted)[0].arguments == {"text": "A part of it."}
    assert stage.of(ToolOutput)[0].output == "A part of it."


async def test_a_call_that_was_not_edited_says_nothing_of_arguments() -> None:
    stage = await parked()
    stage.model.replies.append(says("Done."))
    await stage.rule(publish="approve")
    await stage.rest()
    assert stage.of(ToolStarted)[0].arguments is None


async def test_rejected_calls_are_answered_and_the_others_run() -> None:
    stage = Stage()
    stage.model.replies += [calls(PUBLISH, ECHO), says("Done.")]
    await stage.say()
    await until(lambda: stage.history.state == "awaiting_approval")
    await stage.rule(publish="reject")
    await stage.rest()
    await check(stage)
    assert [o[:2] for o in outputs(stage)] == [("publish", "rejected"), ("echo", "ok")]


async def test_files_are_kept_before_the_first_call_that_may_change_them() -> None:
    assert (await played(ECHO)).workspace.checkpoints == []
    stage = Stage()
    stage.workspace.gate = Gate()
    stage.model.replies.append(calls(ECHO, ("write", "{}")))
    await stage.say()
    await stage.workspace.gate.reached()
    await calm()
    assert stage.ran == []
    stage.workspace.gate.open()
    await until(lambda: len(stage.ran) == 2)
    assert len(stage.workspace.checkpoints) == 1


async def test_without_a_usable_workspace_no_call_starts() -> None:
    stage = Stage()
    stage.workspace.problem = Problem("no_room", "The disk is full.")
    stage.model.replies += [calls(ECHO, ("write", "{}")), says("I cannot.")]
    await stage.say()
    await stage.rest()
    await check(stage)
    why = "The workspace is not usable: The disk is full."
    assert outputs(stage) == [("echo", "error", why), ("write", "error", why)]
    assert stage.of(ToolStarted) == []
    assert stage.of(TurnEnded)[0].status == "completed"


async def test_a_fault_of_the_workspace_ends_the_turn_and_answers_its_calls(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    stage.workspace.problem = ValueError("a fault")
    stage.model.replies.append(calls(ECHO))
    await stage.say()
    await stage.rest()
    await check(stage)
    assert outputs(stage)[0][1] == "cancelled"
    assert stage.of(TurnEnded)[0].status == "failed"
    assert "a fault" in caplog.text


async def test_a_stop_keeps_what_each_call_had_printed() -> None:
    stage = Stage()
    stage.model.replies.append(calls(WAIT, ECHO, STUBBORN))
    await stage.say()
    await until(lambda: len(stage.of(ToolOutput)) == 1 and len(stage.ran) == 3)
    stopped = await stage.stop()
    await calm()
    stage.stubborn.gate.open()
    assert (await stopped.accepted()).seq > 0
    await check(stage)
    note = "[Stopped before it was done.]"
    assert outputs(stage) == [
        ("wait", "cancelled", f"Working.\n{note}"),
        ("echo", "ok", "Echo."),
        ("stubborn", "cancelled", f"(not yet)\n\n{note}"),
    ]


async def test_a_stop_answers_a_call_that_printed_nothing() -> None:
    stage = Stage()
    stage.model.replies.append(calls(("wait", "{}")))
    await stage.say()
    await stage.wait.gate.reached()
    assert (await (await stage.stop()).accepted()).seq > 0
    assert outputs(stage) == [("wait", "cancelled", "[Stopped before it was done.]")]
    assert stage.journal.texts["tool_log", stage.ran[0]].shown == outputs(stage)[0][2]


async def test_outputs_say_how_long_they_are() -> None:
    stage = await played(ECHO)
    output = stage.of(ToolOutput)[0]
    assert (output.size, output.truncated, output.seconds) == (5, False, 0.0)
    assert stage.of(Notice) == []
