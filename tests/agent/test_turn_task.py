"""A running turn takes its steps: what is recorded, what the model is shown, and how it ends."""

import asyncio

import pytest

from agent.approval import Rule
from agent.budget import Allowance
from agent.models.port import CallFragment, Finished, ModelError, Text
from agent.protocol import (
    AssistantMessage,
    Compacted,
    Notice,
    Retrying,
    SetAutoApproval,
    ToolOutput,
    TurnEnded,
    TurnError,
    Usage,
)
from agent.turn_task import CRASHED, NO_ROOM
from tests.agent.doubles import Gate, Script, calls, calm, fails, says, until
from tests.agent.points import ECHO, PUBLISH, in_the_middle_of_a_sentence, parked, talked
from tests.agent.stage import Stage, check

OPEN_PLAN = ("plan", '{"items": [{"id": "a", "content": "Read", "status": "pending"}]}')
OVERFLOW = fails("context_overflow", retryable=False)


async def played(*replies: Script, stage: Stage | None = None) -> Stage:
    """A turn with these replies, which came to its end."""
    stage = stage or Stage()
    stage.model.replies += replies
    await stage.say()
    await stage.rest()
    await check(stage)
    return stage


def end_of(stage: Stage) -> TurnEnded:
    return stage.of(TurnEnded)[-1]


def notes(stage: Stage) -> list[str]:
    return [n.code for n in stage.of(Notice)]


async def test_a_turn_is_a_message_a_reply_and_an_end() -> None:
    stage = await played(says("Done.", used=(40, 4)))
    assert stage.kinds == ["UserMessage", "TurnStarted", "AssistantMessage", "Usage", "TurnEnded"]
    assert end_of(stage).status == "completed"
    used = stage.of(Usage)[0]
    assert (used.input_tokens, used.output_tokens, used.purpose) == (40, 4, "main")
    assert stage.journal.activities == [None, "model", None]
    text = stage.journal.texts["text", stage.of(AssistantMessage)[0].item]
    assert (text.shown, text.closed) == ("Done.", True)


async def test_a_reply_is_one_commit() -> None:
    stage = Stage()
    stage.model.replies.append(calls(PUBLISH, text="May I?"))
    stage.journal.hold(at=AssistantMessage)
    await stage.say()
    await until(lambda: stage.journal.is_holding)
    (held,) = stage.journal.held
    assert [type(e.event).__name__ for e in held.entries] == [
        "AssistantMessage",
        "Usage",
        "ToolCall",
        "ApprovalRequired",
    ]


async def test_the_end_of_a_turn_does_not_wait_until_its_last_reply_is_on_disk() -> None:
    stage = Stage()
    stage.model.replies.append(says("Done."))
    stage.journal.hold(at=AssistantMessage)
    await stage.say()
    await until(lambda: stage.journal.is_holding)
    reply, ended = stage.journal.held
    assert [type(e.event) for e in reply.entries] == [AssistantMessage, Usage]
    assert [type(e.event) for e in ended.entries] == [TurnEnded]


async def test_nothing_runs_before_the_start_of_the_turn_is_on_disk() -> None:
    stage = Stage()
    stage.journal.hold()
    await stage.say()
    await calm()
    assert (stage.slots.taken, stage.model.requests) == (0, [])
    stage.journal.release()
    await until(lambda: stage.model.requests)
    assert stage.slots.taken == 1


async def test_a_turn_waits_for_its_slot_and_says_so() -> None:
    stage = Stage()
    stage.slots.gate = Gate()
    await stage.say()
    await stage.slots.gate.reached()
    assert stage.journal.activities[1:] == ["waiting"]
    stage.slots.gate.open()
    await until(lambda: stage.model.requests)
    assert stage.journal.activities[1:] == ["waiting", "model"]


async def test_a_parked_turn_holds_no_slot_and_goes_on_under_its_id() -> None:
    stage = await parked()
    turn = stage.history.open_turn
    assert stage.slots.taken == 0
    stage.model.replies.append(says("It is out."))
    await stage.rule(publish="approve")
    await stage.rest()
    await check(stage)
    assert turn is not None
    assert [e.turn for e in stage.of(TurnEnded)] == [turn.id]


async def test_the_model_is_offered_all_tools_and_told_the_conversation() -> None:
    stage = await played(calls(ECHO), says("Done."))
    first, second = stage.model.requests
    assert {t.name for t in first.tools} >= {"echo", "plan"}
    assert [m.role for m in second.messages] == ["system", "user", "assistant", "tool"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (fails("unauthorized", retryable=False), ("unauthorized", False)),
        ((Text("Half a "), *fails("stream_cut")), ("stream_cut", True)),
    ],
    ids=["a retry cannot mend it", "part of it was shown"],
)
async def test_a_model_that_fails_for_good_ends_the_turn(
    error: Script, said: tuple[str, bool]
) -> None:
    stage = await played(error)
    failed = end_of(stage).error
    assert failed is not None
    assert (failed.code, failed.retryable) == said
    assert end_of(stage).status == "failed"
    assert [m.text for m in stage.of(AssistantMessage)] == ["Half a "] * (len(error) > 1)
    assert stage.of(Retrying) == []


async def test_a_model_that_recovers_is_asked_again() -> None:
    stage = await played(fails(), says("Done."))
    assert [r.attempt for r in stage.of(Retrying)] == [1]
    assert end_of(stage).status == "completed"
    assert len(stage.of(AssistantMessage)) == 1


async def test_there_being_no_such_model_is_a_failure_like_others() -> None:
    stage = Stage()

    def missing(model: str) -> None:
        raise ModelError("model_not_found", f"There is no {model}.", retryable=False)

    stage.models.adapter = missing  # type: ignore[method-assign, assignment]
    await stage.say()
    await stage.rest()
    assert end_of(stage).error == TurnError("model_not_found", "There is no m1.", retryable=False)


@pytest.mark.parametrize("said", ["", "Half a "])
async def test_a_fault_ends_the_turn_and_keeps_what_was_said(
    said: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = (Text(said),) if said else ()
    stage = await played((*before, ValueError("a fault")))
    assert (end_of(stage).status, end_of(stage).error) == ("failed", CRASHED)
    assert [m.text for m in stage.of(AssistantMessage)] == [said] * bool(said)
    assert "a fault" in caplog.text
    assert "a fault" not in str(stage.log)


async def test_what_something_else_cancels_is_a_fault_and_not_begun_again() -> None:
    stage = await played((Text("Half a "), asyncio.CancelledError()))
    assert (end_of(stage).status, end_of(stage).error) == ("failed", CRASHED)
    assert len(stage.model.requests) == 1


async def test_a_fault_behind_the_end_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    stage.slots.problem_on_leaving = ValueError("a fault")
    await played(says("Done."), stage=stage)
    assert [e.status for e in stage.of(TurnEnded)] == ["completed"]
    assert "a fault" in caplog.text


async def test_notes_reach_the_model_and_the_log() -> None:
    stage = await played(calls(OPEN_PLAN), says("Later."), says("Later."), says("Later."))
    assert notes(stage) == ["plan_open"] * 2
    assert "[Note from Mooring]" in stage.model.requests[-1].messages[-1].text


async def test_going_in_circles_is_told_and_then_ended() -> None:
    stage = await played(*[calls(ECHO)] * 30)
    assert (end_of(stage).status, end_of(stage).reason) == ("limit", "repetition")
    assert set(notes(stage)) == {"repetition"}


async def test_a_turn_ends_where_its_allowance_ends() -> None:
    stage = Stage(allowance=Allowance(max_iterations=2))
    await played(*[calls(ECHO)] * 5, stage=stage)
    assert (end_of(stage).status, end_of(stage).reason) == ("limit", "iterations")
    assert len(stage.model.requests) == 2


async def test_a_reply_cut_off_by_its_limit_ends_the_turn() -> None:
    stage = await played((Text("I wr"), Finished(truncated=True)))
    assert (end_of(stage).status, end_of(stage).reason) == ("limit", "tokens")
    assert stage.of(AssistantMessage)[0].partial


async def test_calls_cut_off_by_the_limit_are_made_again() -> None:
    cut = (CallFragment(0, "echo", '{"te'), Finished(truncated=True))
    stage = await played(cut, says("Smaller, then."))
    assert notes(stage) == ["truncated_output"]
    assert end_of(stage).status == "completed"


async def test_room_is_made_before_a_call_that_would_not_fit() -> None:
    stage = talked()
    stage.models.window = 18
    stage.model.asides.append(says("They talked."))
    await played(says("Done."), stage=stage)
    assert stage.of(Compacted)[0].summary == "They talked."
    assert end_of(stage).status == "completed"
    assert [u.purpose for u in stage.of(Usage)][-2:] == ["compaction", "main"]
    assert "They talked." in str(stage.model.requests[-1].messages)


async def test_room_is_made_when_the_provider_says_that_it_does_not_fit() -> None:
    stage = talked()
    stage.model.asides.append(says("They talked."))
    await played(OVERFLOW, says("Done."), stage=stage)
    assert len(stage.of(Compacted)) == 1
    assert stage.of(Compacted)[0].submission is None
    assert end_of(stage).status == "completed"


async def test_a_conversation_that_never_fits_ends_with_advice() -> None:
    stage = talked()
    stage.model.asides.append(says("They talked."))
    await played(OVERFLOW, OVERFLOW, stage=stage)
    assert end_of(stage).error == TurnError("context_overflow", NO_ROOM, retryable=True)


async def test_the_first_message_of_all_cannot_be_summed_up() -> None:
    stage = await played(OVERFLOW)
    assert end_of(stage).error == TurnError("context_overflow", NO_ROOM, retryable=True)


async def test_a_summary_that_fails_ends_the_turn() -> None:
    stage = talked()
    stage.model.asides.append(fails("unauthorized", retryable=False))
    await played(OVERFLOW, stage=stage)
    failed = end_of(stage).error
    assert failed is not None
    assert failed.code == "unauthorized"


async def test_a_first_message_above_the_limit_is_tried_all_the_same() -> None:
    stage = Stage()
    stage.models.window = 40
    stage.model.replies.append(says("I see."))
    await stage.say("A long story. " * 20)
    await stage.rest()
    await check(stage)
    assert end_of(stage).status == "completed"
    assert stage.of(Compacted) == []


async def test_refused_calls_are_told_and_the_turn_goes_on() -> None:
    stage = Stage(rules=(Rule("deny", "echo"),))
    await played(calls(ECHO), says("I will not."), stage=stage)
    assert [o.status for o in stage.of(ToolOutput)] == ["rejected"]
    assert stage.ran == []


async def test_a_question_that_comes_up_later_is_asked_then() -> None:
    """Auto-approval was on when the reply was judged, and off before its calls could start."""
    stage = Stage()
    await stage.send(SetAutoApproval("on", True))
    await stage.rest()
    stage.model.replies.append(calls(PUBLISH))
    stage.journal.hold(at=AssistantMessage)
    await stage.say()
    await until(lambda: stage.journal.is_holding)
    await stage.send(SetAutoApproval("off", False))
    stage.journal.release()
    await until(lambda: stage.session.resting)
    await check(stage)
    assert stage.history.state == "awaiting_approval"
    assert stage.kinds[-1] == "ApprovalRequired"
    assert stage.ran == []


async def test_half_a_sentence_is_kept_once() -> None:
    stage = await in_the_middle_of_a_sentence()
    assert (await (await stage.stop()).accepted()).seq > 0
    assert [(m.text, m.partial) for m in stage.of(AssistantMessage)] == [("Half a ", True)]
    assert stage.model.open == 0


async def test_a_stop_between_two_replies_keeps_the_first_whole() -> None:
    stage = Stage()
    gate = Gate()
    stage.model.replies += [calls(ECHO, text="First."), (gate,)]
    await stage.say()
    await gate.reached()
    assert (await (await stage.stop()).accepted()).seq > 0
    assert [(m.text, m.partial) for m in stage.of(AssistantMessage)] == [("First.", False)]
