"""The same thing sent again, and two who rule at once."""

from agent.protocol import (
    Approval,
    ApprovalResolved,
    AssistantMessage,
    Compact,
    Decision,
    Shutdown,
    ToolOutput,
)
from agent.receipts import Accepted
from tests.agent.doubles import calls, calm, says, until
from tests.agent.points import (
    ECHO,
    PUBLISH,
    begun_and_not_committed,
    compaction_in_the_middle,
    parked,
    tool_running,
)
from tests.agent.stage import Stage, check, effects, finish


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
