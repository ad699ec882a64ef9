"""Undo and retry: the files go back once that is committed, whoever went away."""

import pytest

from agent.errors import Problem
from agent.protocol import (
    Notice,
    Retry,
    SessionEnded,
    Shutdown,
    TurnStarted,
    TurnUndone,
    Undo,
)
from tests.agent.doubles import Gate, calls, calm, says
from tests.agent.stage import Stage, check, finish


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
