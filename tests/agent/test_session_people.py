"""What people send while a session is at something: repeats, input, rulings, undo, names."""

import asyncio

import pytest

from agent.errors import Problem, Refused
from agent.models.port import Text
from agent.protocol import (
    Approval,
    ApprovalResolved,
    AssistantMessage,
    Compact,
    Compacted,
    Decision,
    InputQueued,
    Notice,
    Retry,
    SessionCreated,
    SessionEnded,
    SessionUpdated,
    SetModel,
    Shutdown,
    ToolOutput,
    TurnEnded,
    TurnStarted,
    TurnUndone,
    Undo,
    Usage,
    UserInput,
    UserMessage,
    Withdraw,
)
from agent.receipts import Accepted
from tests.agent.doubles import Gate, calls, calm, fails, says, until
from tests.agent.points import (
    ANY,
    ASKING,
    BUSY,
    COMPACTING,
    ECHO,
    IDLE,
    PUBLISH,
    Point,
    at,
    begun_and_not_committed,
    compaction_behind_the_end_of_a_turn,
    compaction_in_the_middle,
    compaction_on_its_way,
    failed_compaction_on_its_way,
    in_the_middle_of_a_sentence,
    parked,
    talked,
    tool_running,
    turn_begun_by_a_failed_compaction,
)
from tests.agent.stage import Stage, check

UNTITLED = (SessionCreated("m1", ""),)


async def finish(stage: Stage) -> None:
    """Open every gate and let all that is left be done, with replies without end."""
    stage.model.replies += [says("Done.")] * 20
    stage.model.asides += [says("They talked.")] * 20
    for gate in (stage.slots.gate, stage.workspace.gate, stage.sleeper.gate, stage.wait.gate):
        if gate is not None:
            gate.open()
    for gate in stage.model.gates:
        gate.open()
    stage.journal.release()
    await stage.rest()
    await check(stage)


def effects(stage: Stage, id: str) -> int:
    """How often input with this id took effect: begun, joined or waiting."""
    said = [m.submission for m in stage.of(UserMessage)]
    return said.count(id) + (id in stage.history.queue)


# ---- input at every point ------------------------------------------------------------------------


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


# ---- compactions ---------------------------------------------------------------------------------


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


# ---- repeats -------------------------------------------------------------------------------------


async def test_a_repeat_waits_for_the_commit_of_the_first_and_has_no_effect() -> None:
    stage = await begun_and_not_committed()
    repeat = await stage.say()
    await calm()
    assert not repeat.given
    await finish(stage)
    assert (await stage.answers[0].accepted(), await repeat.accepted()) == (
        Accepted(2),
        Accepted(2, duplicate=True),
    )
    assert effects(stage, "u1") == 1


async def test_a_repeat_of_what_waits_for_an_end_waits_with_it() -> None:
    stage = await tool_running()
    first, second = await stage.stop(), await stage.stop()
    assert (await first.accepted()).seq == (await second.accepted()).seq
    assert (await second.accepted()).duplicate


async def test_a_repeat_of_a_compaction_that_fails_is_refused_with_it() -> None:
    stage = await compaction_in_the_middle()
    repeat = await stage.send(Compact("compact"))
    await stage.stop()
    assert await repeat.refused() == "unavailable"
    await check(stage)


async def test_other_content_under_the_same_id_is_refused_before_and_after_the_commit() -> None:
    stage = await begun_and_not_committed()
    assert await (await stage.say("Something else.")).refused() == "id_conflict"
    await finish(stage)
    assert await (await stage.say("Something else.")).refused() == "id_conflict"
    assert effects(stage, "u1") == 1


async def test_a_refused_id_stays_free_for_anything() -> None:
    stage = Stage()
    assert await (await stage.say("  ", "free")).refused() == "malformed"
    stage.model.replies.append(says("Done."))
    assert (await (await stage.say("Words.", "free")).accepted()).duplicate is False


async def test_a_repeat_is_known_in_an_ended_session() -> None:
    stage = Stage()
    assert (await (await stage.send(Shutdown("down"))).accepted()) == Accepted(2)
    assert (await (await stage.send(Shutdown("down"))).accepted()) == Accepted(2, duplicate=True)


async def test_who_asks_may_go_away() -> None:
    stage = await begun_and_not_committed()
    stage.answers[0].task.cancel()
    await finish(stage)
    assert effects(stage, "u1") == 1
    assert (await (await stage.say()).accepted()).duplicate


# ---- rulings -------------------------------------------------------------------------------------


async def test_of_two_who_rule_at_once_the_first_is_right() -> None:
    stage = await parked()
    first, second = (
        await stage.rule("one", publish="reject"),
        await stage.rule("two", publish="approve"),
    )
    assert await second.refused() == "already_decided"
    await finish(stage)
    assert (await first.accepted()).seq > 0
    assert [o.status for o in stage.of(ToolOutput)] == ["rejected"]
    assert stage.ran == []


async def test_a_ruling_takes_effect_after_its_commit() -> None:
    stage = await parked()
    stage.journal.hold()
    await stage.rule(publish="approve")
    await calm()
    assert stage.ran == []
    await finish(stage)
    assert len(stage.ran) == 1
    kinds = stage.kinds
    assert kinds.index("ApprovalResolved") < kinds.index("ToolStarted")


async def test_rulings_come_one_by_one() -> None:
    stage = Stage()
    stage.model.replies.append(calls(PUBLISH, ECHO, PUBLISH))
    await stage.say()
    await until(lambda: stage.history.state == "awaiting_approval")
    await calm()
    turn = stage.history.open_turn
    assert turn is not None
    for n, call in enumerate(turn.waiting_calls):
        await calm()
        assert stage.ran == []
        await stage.send(Approval(f"r{n}", (Decision(call.made.call, "approve"),)))
    await finish(stage)
    assert len(stage.ran) == 3
    assert len(stage.of(ApprovalResolved)) == 2


async def test_a_ruling_while_the_question_is_on_its_way_is_good() -> None:
    stage = Stage()
    stage.model.replies.append(calls(PUBLISH))
    stage.journal.hold(at=AssistantMessage)
    await stage.say()
    await until(lambda: stage.journal.is_holding)
    ruling = await stage.rule(publish="approve")
    await finish(stage)
    assert (await ruling.accepted()).seq > 0
    assert len(stage.ran) == 1


# ---- undo, retry ---------------------------------------------------------------------------------


async def wrote() -> Stage:
    stage = Stage()
    stage.model.replies += [calls(("write", "{}")), says("Written.")]
    await stage.say()
    await stage.rest()
    return stage


async def test_an_undo_is_answered_when_the_files_are_back() -> None:
    stage = await wrote()
    gate = stage.workspace.gate = Gate()
    undone = await stage.send(Undo("undo"))
    await gate.reached()
    assert stage.of(TurnUndone)[0].submission == "undo"
    assert not undone.given
    assert not stage.session.resting
    gate.open()
    assert (await undone.accepted()).seq == len(stage.journal.disk)
    assert stage.workspace.rewinds[-1] == {stage.of(TurnStarted)[0].turn}


async def test_files_go_back_only_when_the_undo_is_committed() -> None:
    stage = await wrote()
    before = len(stage.workspace.rewinds)
    stage.journal.hold()
    await stage.send(Undo("undo"))
    await calm()
    assert len(stage.workspace.rewinds) == before
    stage.journal.fail()
    await calm()
    assert len(stage.workspace.rewinds) == before
    assert await stage.answers[-1].refused() == "unavailable"


async def test_files_go_back_even_when_who_asked_went_away() -> None:
    stage = await wrote()
    stage.journal.hold()
    undone = await stage.send(Undo("undo"))
    undone.task.cancel()
    await finish(stage)
    assert stage.workspace.rewinds[-1] == {stage.of(TurnStarted)[0].turn}


async def test_input_behind_an_undo_finds_the_files_as_they_were() -> None:
    stage = await wrote()
    gate = stage.workspace.gate = Gate()
    stage.model.replies += [calls(("write", "{}")), says("Written again.")]
    undone = await stage.send(Undo("undo"))
    await gate.reached()
    again = await stage.say("Again.", "u2")
    await calm()
    assert len(stage.ran) == 1
    gate.open()
    await finish(stage)
    assert (await undone.accepted()).seq < (await again.accepted()).seq
    assert stage.workspace.checkpoints == [t.turn for t in stage.of(TurnStarted)]
    assert len(stage.ran) == 2


async def test_an_undo_is_answered_when_the_server_closes_meanwhile() -> None:
    stage = await wrote()
    gate = stage.workspace.gate = Gate()
    undone = await stage.send(Undo("undo"))
    await gate.reached()
    await stage.session.close()
    assert (await undone.accepted()).seq > 0
    stage.workspace.gate = None
    stage.wake()
    await finish(stage)
    assert stage.workspace.rewinds[-1] == {stage.of(TurnStarted)[0].turn}


async def test_an_undo_on_its_way_when_the_server_closes_begins_nothing_any_more() -> None:
    stage = await wrote()
    rewinds = len(stage.workspace.rewinds)
    stage.journal.hold()
    undone = await stage.send(Undo("undo"))
    closing = stage.closing()
    await calm()
    stage.journal.release()
    await closing
    assert (await undone.accepted()).seq > 0
    await calm()
    assert len(stage.workspace.rewinds) == rewinds


async def test_a_retry_takes_the_files_back_though_it_calls_no_tool() -> None:
    stage = await wrote()
    stage.model.replies.append(says("I will not."))
    assert (await (await stage.send(Retry("again"))).accepted()).seq > 0
    await finish(stage)
    assert stage.workspace.rewinds[-1] == {stage.of(TurnStarted)[0].turn}


@pytest.mark.parametrize("undo", [Undo("undo"), Retry("undo")])
async def test_files_that_cannot_go_back_are_told_of(undo: Undo | Retry) -> None:
    stage = await wrote()
    stage.workspace.gone = True
    await stage.send(undo)
    await finish(stage)
    assert [n.code for n in stage.of(Notice)] == ["workspace_not_restored"]


async def test_a_workspace_that_fails_is_told_of() -> None:
    stage = await wrote()
    stage.workspace.problem = Problem("full", "The disk is full.")
    assert (await (await stage.send(Undo("undo"))).accepted()).seq > 0
    await check(stage)
    assert "The disk is full." in stage.of(Notice)[0].text


async def test_a_fault_in_the_workspace_does_not_undo_the_undo(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = await wrote()
    stage.workspace.problem = ValueError("a fault")
    assert (await (await stage.send(Undo("undo"))).accepted()).seq > 0
    await check(stage)
    assert "a chore of a session failed" in caplog.text


async def test_nothing_is_noted_behind_the_end_of_a_session() -> None:
    stage = await wrote()
    stage.workspace.gone = True
    gate = stage.workspace.gate = Gate()
    await stage.send(Undo("undo"))
    await gate.reached()
    await stage.send(Shutdown("down"))
    await calm()
    gate.open()
    await finish(stage)
    assert isinstance(stage.log[-1], SessionEnded)


async def test_an_undo_that_was_cut_off_is_finished_when_the_session_wakes() -> None:
    stage = await wrote()
    stage.workspace.gate = Gate()
    await stage.send(Undo("undo"))
    await stage.workspace.gate.reached()
    before = len(stage.workspace.rewinds)
    stage.workspace.gate.open()
    await stage.crash()
    await finish(stage)
    assert len(stage.workspace.rewinds) > before


# ---- titles and names ----------------------------------------------------------------------------


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
