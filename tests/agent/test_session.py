"""The actor at every point where something may come in between."""

from agent.history import History
from agent.protocol import (
    AssistantMessage,
    SessionEnded,
    Shutdown,
    ToolOutput,
    TurnEnded,
    UserMessage,
)
from tests.agent.doubles import calm, says
from tests.agent.points import (
    ANY,
    ASKING,
    BEGUN_BY_COMPACTION,
    BUSY,
    COMPACTING,
    IDLE,
    Point,
    at,
    compaction_behind_the_end_of_a_turn,
    compaction_in_the_middle,
    in_the_middle_of_a_sentence,
    parked,
    tool_running,
)
from tests.agent.stage import Stage, check


def last_end(stage: Stage) -> TurnEnded:
    return stage.of(TurnEnded)[-1]


@at((*BUSY, *ASKING))
async def test_an_interrupt_ends_the_turn_wherever_it_is(point: Point) -> None:
    stage = await point()
    turn = stage.history.open_turn
    stopped = await stage.stop()
    stage.journal.release()
    assert (await stopped.accepted()).duplicate is False
    await check(stage)
    assert turn is not None
    assert (last_end(stage).turn, last_end(stage).status) == (turn.id, "interrupted")
    assert last_end(stage).reason is None


@at((*BUSY, *ASKING))
async def test_the_answer_of_an_interrupt_is_the_commit_of_the_end(point: Point) -> None:
    stage = await point()
    stage.journal.hold()
    stopped = await stage.stop()
    await calm()
    assert not stopped.given
    stage.journal.release()
    assert stage.history.open_turn is None
    accepted = await stopped.accepted()
    later = [e.event for e in stage.journal.disk if e.seq >= accepted.seq]
    assert isinstance(later[-1], TurnEnded)


@at((*BUSY, *ASKING))
async def test_the_second_of_two_interrupts_is_refused(point: Point) -> None:
    stage = await point()
    first, second = await stage.stop("one"), await stage.stop("two")
    stage.journal.release()
    assert await second.refused() == "nothing_running"
    assert (await first.accepted()).seq > 0
    await check(stage)
    assert sum(e.status == "interrupted" for e in stage.of(TurnEnded)) == 1


@at(COMPACTING)
async def test_an_interrupt_stops_a_compaction_wherever_it_is(point: Point) -> None:
    stage = await point()
    before = len(stage.of(TurnEnded))
    compacting, stopped = stage.answers[-1], await stage.stop()
    second = await stage.stop("again")
    stage.journal.release()
    assert (await stopped.accepted()).seq > 0
    assert await compacting.refused() == "unavailable"
    assert await second.refused() == "nothing_running"
    await check(stage)
    assert "Compacted" not in stage.kinds
    assert stage.kinds[-1] == "Notice"
    assert len(stage.of(TurnEnded)) in (before, before + 1)


@at(IDLE)
async def test_an_interrupt_of_what_is_over_changes_nothing(point: Point) -> None:
    stage = await point()
    handed = stage.journal.handed
    assert await (await stage.stop()).refused() == "nothing_running"
    assert stage.journal.handed == handed
    stage.journal.release()
    await check(stage)
    assert all(e.status != "interrupted" for e in stage.of(TurnEnded))


@at(ANY)
async def test_a_shutdown_ends_the_session_wherever_it_is(point: Point) -> None:
    stage = await point()
    runs = stage.history.open_turn is not None
    ended = await stage.send(Shutdown("down"))
    stage.journal.release()
    assert (await ended.accepted()).seq > 0
    await check(stage)
    assert isinstance(stage.log[-1], SessionEnded)
    assert stage.log[-1] == SessionEnded("shutdown", "ann")
    if runs:
        assert (last_end(stage).status, last_end(stage).reason) == ("interrupted", "shutdown")
    assert await (await stage.say("More.", "u9")).refused() == "session_ended"


@at((tool_running, compaction_in_the_middle))
async def test_a_shutdown_of_what_is_being_stopped_comes_too_early(point: Point) -> None:
    stage = await point()
    stopped, down = await stage.stop(), await stage.send(Shutdown("down"))
    assert await down.refused() == "busy"
    assert (await stopped.accepted()).seq > 0
    assert (await (await stage.send(Shutdown("down"))).accepted()).seq > 0


@at(BUSY)
async def test_a_closing_server_ends_running_turns_gently(point: Point) -> None:
    stage = await point()
    turn = stage.history.open_turn
    closing = stage.closing()
    await calm()
    stage.journal.release()
    await closing
    await check(stage)
    assert turn is not None
    assert last_end(stage) == TurnEnded(turn.id, "interrupted", "server_restart")


@at(ASKING)
async def test_a_closing_server_leaves_questions_open(point: Point) -> None:
    stage = await point()
    closing = stage.closing()
    await calm()
    stage.journal.release()
    await closing
    await check(stage)
    assert stage.history.state == "awaiting_approval"
    assert stage.of(TurnEnded) == []


@at(COMPACTING)
async def test_a_closing_server_stops_compactions(point: Point) -> None:
    stage = await point()
    compacting, closing = stage.answers[-1], stage.closing()
    await calm()
    stage.journal.release()
    await closing
    assert await compacting.refused() == "unavailable"
    await check(stage)
    assert stage.kinds[-1] == "Notice"


@at(IDLE)
async def test_a_closing_server_adds_nothing_to_what_is_over(point: Point) -> None:
    stage = await point()
    handed, closing = stage.journal.handed, stage.closing()
    await calm()
    stage.journal.release()
    await closing
    await check(stage)
    assert stage.journal.handed == handed


@at(ANY)
async def test_a_server_that_closes_takes_no_more(point: Point) -> None:
    stage = await point()
    closing = stage.closing()
    await calm()
    assert await (await stage.say("More.", "u9")).refused() == "unavailable"
    stage.journal.release()
    await closing
    assert [m for m in stage.of(UserMessage) if m.submission == "u9"] == []


@at((*BUSY, *COMPACTING))
async def test_closing_right_behind_an_interrupt_is_the_same_stop(point: Point) -> None:
    stage = await point()
    stopped, closing = await stage.stop(), stage.closing()
    await calm()
    stage.journal.release()
    await closing
    assert (await stopped.accepted()).seq > 0
    await check(stage)
    assert stage.history.open_turn is None
    assert "server_restart" not in [e.reason for e in stage.of(TurnEnded)]


@at(ANY)
async def test_a_crash_anywhere_leaves_a_log_that_can_go_on(point: Point) -> None:
    stage = await point()
    asked = History(stage.journal.disk).state == "awaiting_approval"
    await stage.crash()
    stage.slots.gate = stage.workspace.gate = stage.sleeper.gate = None
    await stage.rest()
    await check(stage)
    assert stage.history.state == ("awaiting_approval" if asked else "idle")
    stage.model.replies[:] = [says("Here I am.")] * 2
    assert (await (await stage.say("Hello?", "u9")).accepted()).seq > 0
    await stage.rest()
    assert stage.of(AssistantMessage)[-1].text == "Here I am."


@at(ANY)
async def test_a_discarded_session_says_no_more(point: Point) -> None:
    stage = await point()
    handed, discarding = stage.journal.handed, stage.discarding()
    await calm()
    stage.journal.release()
    await discarding
    await calm()
    assert stage.journal.handed == handed
    assert stage.model.open == 0
    assert all(answer.given for answer in stage.answers)
    assert await (await stage.say("More.", "u9")).refused() == "unavailable"


@at(BEGUN_BY_COMPACTION)
async def test_a_stop_of_the_turn_behind_a_compaction_leaves_the_compaction_alone(
    point: Point,
) -> None:
    stage = await point()
    compacting, stopped = stage.answers[0], await stage.stop()
    await calm()
    stage.journal.release()
    assert (await stopped.accepted()).seq > 0
    await check(stage)
    if "Compacted" in stage.kinds:
        assert (await compacting.accepted()).seq < (await stopped.accepted()).seq
    else:
        assert await compacting.refused() == "unavailable"


async def test_a_compaction_asked_for_behind_the_end_of_a_turn_begins() -> None:
    stage = await compaction_behind_the_end_of_a_turn()
    stage.model.asides.append(says("They talked."))
    stage.journal.release()
    assert (await stage.answers[-1].accepted()).seq > 0
    await check(stage)
    assert stage.kinds[-1] == "Compacted"


async def test_what_was_said_before_a_stop_is_kept() -> None:
    stage = await in_the_middle_of_a_sentence()
    assert (await (await stage.stop()).accepted()).seq > 0
    said = stage.of(AssistantMessage)[-1]
    assert (said.text, said.partial) == ("Half a ", True)


async def test_a_stop_answers_what_was_asked() -> None:
    stage = await parked()
    assert (await (await stage.stop()).accepted()).seq > 0
    assert [o.status for o in stage.of(ToolOutput)] == ["cancelled"]
    assert stage.ran == []
