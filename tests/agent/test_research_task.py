"""A research: what its helper is told, what it may do, and what stops it."""

import pytest

from agent.approval import Rule
from agent.budget import Allowance
from agent.edges import UNKNOWN
from agent.models.port import CallFragment, Finished, ModelRequest, Text, Used
from agent.protocol import (
    AssistantMessage,
    Retrying,
    SetAutoApproval,
    Step,
    ToolCall,
    ToolOutput,
    TurnEnded,
    Usage,
)
from agent.reply import DROPPED
from agent.research_task import CONCLUDE, CUT_OFF, LONGEST_OUTPUT, LONGEST_SHOWN, ONLY_READS
from agent.tools.research import ResearchSettings
from tests.agent.doubles import Gate, Script, calls, fails, says, until
from tests.agent.points import ECHO, PUBLISH, WAIT
from tests.agent.stage import Stage, check

RESEARCH = ("research", '{"task": "What is the tide?", "context": "It is May."}')
LOOK = ("look", '{"text": "The sea."}')


async def researched(*replies: Script, stage: Stage | None = None) -> Stage:
    """A turn with one research that came to its end; `replies` are those to its helper."""
    stage = stage or Stage()
    stage.model.replies += [calls(RESEARCH), *replies, says("Done.")]
    stage.look.gate.open()
    await stage.say()
    await stage.rest()
    await check(stage)
    assert stage.model.replies == []
    return stage


def result(stage: Stage) -> tuple[str, str]:
    """Of the research: how it ended, and its last line."""
    [output] = stage.of(ToolOutput)
    return output.status, output.output.splitlines()[-1]


def helped(stage: Stage) -> list[ModelRequest]:
    """The requests to the helper."""
    return [r for r in stage.model.requests if r.messages[0].text == "Look it up."]


def answers(request: ModelRequest) -> list[str]:
    return [message.text for message in request.messages if message.role == "tool"]


async def test_its_result_is_the_last_word_of_a_helper_that_looked() -> None:
    stage = await researched(calls(ECHO, text="I look."), says("High at noon."))
    assert result(stage) == ("ok", "High at noon.")
    kinds = stage.kinds
    of_it = kinds[kinds.index("ToolStarted") + 1 : kinds.index("ToolOutput")]
    assert of_it == ["Usage", "Step", "Usage"]
    assert [usage.purpose for usage in stage.of(Usage)][:4] == [
        "main",
        "research",
        "research",
        "main",
    ]
    said = [message.text for message in stage.of(AssistantMessage)]
    assert said == ["", "Done."]


async def test_the_helper_has_a_conversation_of_its_own() -> None:
    stage = await researched(calls(ECHO, text="I look."), says("High at noon."))
    first, second = helped(stage)
    assert [(m.role, m.text) for m in first.messages] == [
        ("system", "Look it up."),
        ("user", "What is the tide?\n\n[What is known already]\nIt is May."),
    ]
    assert second.messages[:2] == first.messages
    assert [(m.role, m.text) for m in second.messages[2:]] == [
        ("assistant", "I look."),
        ("tool", "Echo."),
    ]


async def test_the_helper_is_offered_what_only_reads() -> None:
    stage = await researched(says("High at noon."))
    offered = {tool.name for tool in helped(stage)[0].tools}
    assert offered == {"ask", "echo", "look", "broken", "quitting"}


async def test_a_step_tells_what_was_called_and_what_came_of_it() -> None:
    stage = await researched(calls(ECHO), says("High at noon."))
    [step] = stage.of(Step)
    [parent] = stage.of(ToolCall)
    assert (step.turn, step.call) == (parent.turn, parent.call)
    assert (step.tool, step.arguments) == ("echo", {"text": "Echo."})
    assert (step.status, step.output, [step.step]) == ("ok", "Echo.", stage.ran)


async def test_a_call_is_announced_in_the_live_output_when_it_begins() -> None:
    stage = Stage()
    stage.model.replies += [calls(RESEARCH), calls(LOOK)]
    await stage.say()
    await stage.look.gate.reached()
    [parent] = stage.of(ToolCall)
    assert stage.journal.texts["tool_log", parent.call].shown == 'look {"text":"The sea."}\n'
    assert stage.of(Step) == []
    assert stage.journal.activities[-1] == "tools"


async def test_its_calls_run_side_by_side_and_are_told_in_their_order() -> None:
    stage = Stage()
    stage.model.replies += [calls(RESEARCH), calls(LOOK, ECHO), says("High."), says("Done.")]
    await stage.say()
    await until(lambda: stage.of(Step))
    assert [step.tool for step in stage.of(Step)] == ["echo"]
    stage.look.gate.open()
    await stage.rest()
    await check(stage)
    assert answers(helped(stage)[-1]) == ["The sea.", "Echo."]


async def test_several_go_on_side_by_side() -> None:
    stage = Stage()
    gates = [Gate(), Gate()]
    stage.model.replies += [calls(RESEARCH, RESEARCH)]
    stage.model.replies += [(gate, *says(f"Answer {n}.")) for n, gate in enumerate(gates)]
    stage.model.replies += [says("Done.")]
    await stage.say()
    await gates[1].reached()
    assert gates[0].was_reached
    gates[1].open()
    await until(lambda: stage.of(ToolOutput))
    gates[0].open()
    await stage.rest()
    await check(stage)
    assert [output.output for output in stage.of(ToolOutput)] == ["Answer 1.", "Answer 0."]


# ---- what it may not do --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "status", "says_so"),
    [
        (("echo", '{"text": "secret plans"}'), "rejected", "do not allow"),
        (
            ("echo", '{"text": "please"}'),
            "rejected",
            "A human has to allow this call first (ask me)",
        ),
        (("write", "{}"), "rejected", ONLY_READS),
        (WAIT, "rejected", ONLY_READS),
        (PUBLISH, "rejected", "A human has to allow this call first (it leaves the sandbox"),
        (("plan", '{"items": []}'), "rejected", ONLY_READS),
        (RESEARCH, "rejected", ONLY_READS),
        (("nosuch", "{}"), "error", "There is no tool 'nosuch'"),
        (("echo", "{"), "error", "not a JSON object"),
        (("echo", '{"bad": 1}'), "error", "not valid"),
        (("broken", "{}"), "error", "failed inside"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
async def test_what_may_not_run_is_told_to_the_helper(
    call: tuple[str, str], status: str, says_so: str
) -> None:
    rules = (
        Rule("deny", "echo", {"text": "secret"}),
        Rule("ask", "echo", {"text": "please"}, "ask me"),
    )
    stage = await researched(calls(call), says("High at noon."), stage=Stage(rules=rules))
    [step] = stage.of(Step)
    assert (step.tool, step.status) == (call[0], status)
    assert says_so in step.output
    assert answers(helped(stage)[-1]) == [step.output]
    assert stage.ran in ([], [step.step])
    assert (stage.ran != []) == (call[0] == "broken")


async def test_auto_approval_does_not_let_it_change_anything() -> None:
    stage = Stage()
    allowed = await stage.send(SetAutoApproval("auto", True))
    assert (await allowed.accepted()).seq > 0
    stage = await researched(calls(PUBLISH), says("High at noon."), stage=stage)
    [step] = stage.of(Step)
    assert (step.status, step.output) == ("rejected", ONLY_READS)
    assert stage.ran == []


async def test_a_call_that_its_own_tool_cancelled_has_an_unknown_outcome() -> None:
    stage = await researched(calls(("quitting", "{}"), ECHO), says("High at noon."))
    assert answers(helped(stage)[-1]) == [UNKNOWN, "Echo."]
    assert result(stage) == ("ok", "High at noon.")


# ---- how much it may do --------------------------------------------------------------------------


async def test_at_its_last_call_it_has_to_conclude() -> None:
    stage = Stage(research=ResearchSettings(max_iterations=2))
    stage = await researched(calls(ECHO), says("So far: noon."), stage=stage)
    assert result(stage) == ("ok", "So far: noon.")
    first, last = helped(stage)
    assert last.messages[-1].text == CONCLUDE
    assert CONCLUDE not in [message.text for message in first.messages]


async def test_calls_of_a_reply_that_had_to_conclude_are_not_run() -> None:
    stage = Stage(research=ResearchSettings(max_iterations=1))
    stage = await researched(calls(ECHO, text="One more."), stage=stage)
    assert result(stage) == ("ok", "One more.")
    assert stage.ran == []


@pytest.mark.parametrize(
    ("tokens", "settings"),
    [(90_001, ResearchSettings()), (5_001, ResearchSettings(max_context=5_000))],
    ids=["of the window", "of the settings"],
)
async def test_near_the_end_of_its_context_it_has_to_conclude(
    tokens: int, settings: ResearchSettings
) -> None:
    long = (CallFragment(0, *ECHO), Used(tokens, 0), Finished())
    stage = await researched(long, says("So far: noon."), stage=Stage(research=settings))
    assert helped(stage)[-1].messages[-1].text == CONCLUDE


async def test_its_tokens_count_in_what_the_turn_may_use() -> None:
    stage = Stage(allowance=Allowance(max_tokens=20))
    stage.model.replies += [calls(RESEARCH), calls(ECHO, text="I look.")]
    await stage.say()
    await stage.rest()
    await check(stage)
    [output] = stage.of(ToolOutput)
    assert output.status == "error"
    assert "The turn has reached its limit (tokens)." in output.output
    assert output.output.endswith("The last that the helper said:\nI look.")
    [end] = stage.of(TurnEnded)
    assert (end.status, end.reason) == ("limit", "tokens")
    assert len(helped(stage)) == 1


async def test_the_helper_and_people_are_shown_the_ends_of_a_long_output() -> None:
    stage = await researched(
        calls(("echo", f'{{"text": "{"a" * 9_000}z"}}')), says("High at noon.")
    )
    [told] = answers(helped(stage)[-1])
    [step] = stage.of(Step)
    assert LONGEST_OUTPUT < len(told) < LONGEST_OUTPUT + 100
    assert LONGEST_SHOWN < len(step.output) < LONGEST_SHOWN + 100
    assert told.endswith("z")
    assert step.output.endswith("z")


async def test_the_helper_is_shown_no_credentials() -> None:
    token = "hf_" + "a1B2" * 8
    stage = await researched(calls(("echo", f'{{"text": "It is {token}."}}')), says("Noon."))
    assert answers(helped(stage)[-1]) == ["It is [hidden: Hugging Face token]."]


async def test_a_configured_model_is_asked() -> None:
    stage = Stage(research=ResearchSettings(model="m-cheap"))
    stage = await researched(says("High at noon."), stage=stage)
    assert [request.model for request in stage.model.requests[:3]] == ["m1", "m-cheap", "m1"]
    assert [usage.model for usage in stage.of(Usage)][:3] == ["m1", "m-cheap", "m1"]


# ---- when its model fails ------------------------------------------------------------------------


async def test_a_passing_failure_is_announced_and_tried_again_though_half_was_said() -> None:
    half = (Text("Hi"), *fails())
    stage = await researched(half, says("High at noon."))
    assert result(stage) == ("ok", "High at noon.")
    [parent] = stage.of(ToolCall)
    assert [(note.attempt, note.turn) for note in stage.of(Retrying)] == [(1, parent.turn)]


async def test_a_failure_becomes_its_result_with_what_was_said_last() -> None:
    stage = await researched(calls(ECHO, text="I look."), fails("unauthorized", retryable=False))
    [output] = stage.of(ToolOutput)
    assert output.status == "error"
    assert "The model failed: It is unauthorized." in output.output
    assert output.output.endswith("I look.")
    assert stage.of(TurnEnded)[0].status == "completed"


async def test_calls_of_a_reply_that_ran_into_its_limit_are_dropped() -> None:
    cut = (Text("I"), CallFragment(0, *ECHO), Used(10, 2), Finished(truncated=True))
    mute = (CallFragment(0, *ECHO), Used(10, 2), Finished(truncated=True))
    stage = await researched(cut, mute, says("High at noon."))
    assert stage.ran == []
    assert [m.text for m in helped(stage)[-1].messages[2:]] == ["I", DROPPED, DROPPED]


async def test_an_answer_that_ran_into_its_limit_says_so() -> None:
    stage = await researched((Text("High at"), Used(10, 2), Finished(truncated=True)))
    [output] = stage.of(ToolOutput)
    assert (output.status, output.output) == ("ok", "High at" + CUT_OFF)


async def test_no_answer_is_an_error() -> None:
    stage = await researched(says(""))
    assert result(stage) == (
        "error",
        "The research is not finished. The helper ended without an answer.",
    )


# ---- what stops it -------------------------------------------------------------------------------


async def test_a_stop_reaches_its_calls() -> None:
    stage = Stage()
    stage.model.replies += [calls(RESEARCH), calls(LOOK)]
    await stage.say()
    await stage.look.gate.reached()
    assert (await (await stage.stop()).accepted()).seq > 0
    await stage.rest()
    await check(stage)
    [output] = stage.of(ToolOutput)
    assert output.status == "cancelled"
    assert output.output.startswith('look {"text":"The sea."}\n')
    assert stage.of(Step) == []


async def test_a_stop_reaches_its_model() -> None:
    stage = Stage()
    gate = Gate()
    stage.model.replies += [calls(RESEARCH), (Text("High"), gate)]
    await stage.say()
    await gate.reached()
    assert (await (await stage.stop()).accepted()).seq > 0
    await stage.rest()
    await check(stage)
    assert stage.of(ToolOutput)[0].status == "cancelled"
    assert stage.of(TurnEnded)[0].status == "interrupted"


async def test_a_stop_reaches_its_wait_for_another_try() -> None:
    stage = Stage()
    stage.sleeper.gate = Gate()
    stage.model.replies += [calls(RESEARCH), fails()]
    await stage.say()
    await stage.sleeper.gate.reached()
    assert stage.journal.activities[-1] == "retrying"
    assert (await (await stage.stop()).accepted()).seq > 0
    await stage.rest()
    await check(stage)
    assert stage.of(ToolOutput)[0].status == "cancelled"


async def test_after_a_crash_its_outcome_is_unknown_and_it_is_not_run_again() -> None:
    stage = Stage()
    stage.model.replies += [calls(RESEARCH), calls(LOOK)]
    await stage.say()
    await stage.look.gate.reached()
    asked = len(stage.model.requests)
    await stage.crash()
    await stage.rest()
    assert stage.of(ToolOutput)[0].status == "unknown"
    assert stage.of(TurnEnded)[0].reason == "server_restart"
    assert len(stage.model.requests) == asked


async def test_a_step_that_cannot_be_written_ends_with_its_session() -> None:
    stage = Stage()
    stage.model.replies += [calls(RESEARCH), calls(ECHO)]
    stage.journal.hold(at=Step)
    await stage.say()
    await until(lambda: stage.journal.is_holding and stage.journal.held)
    stage.journal.fail()
    assert (await stage.session.failed).code
    await stage.crash()
    await stage.rest()
    assert stage.of(Step) == []
    assert stage.of(ToolOutput)[0].status == "unknown"
