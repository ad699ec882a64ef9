"""A title: who wants one, how it is asked for, and what is made of the answer."""

import pytest

from agent.models.port import Finished, ModelError, Reasoning, Text
from agent.protocol import SessionCreated, SessionEnded, SessionUpdated, UserInput
from agent.titling import LONGEST_QUOTE, LONGEST_TITLE, find_title, wants_title
from tests.agent.doubles import fails, says
from tests.agent.logs import Log
from tests.agent.stage import Stage

DONE = Log().talk("t1", "Count to seven.")


@pytest.mark.parametrize(
    ("log", "wanted"),
    [
        (Log(), False),
        (DONE, True),
        (Log((SessionCreated("m1", "Mine"),)).talk("t1"), False),
        (DONE.add(SessionUpdated("ann", title="Mine")), False),
        (Log().begin("t1").reply("Half", partial=True).end("interrupted"), False),
        (DONE.begin("t2"), False),
        (DONE.undo("t1"), False),
        (DONE.add(SessionEnded("shutdown", "ann")), False),
    ],
    ids=[
        "nothing said yet",
        "a turn is done",
        "named at its birth",
        "renamed",
        "stopped",
        "at work",
        "undone",
        "ended",
    ],
)
def test_a_title_is_wanted_when_a_turn_was_completed(log: Log, wanted: bool) -> None:
    assert wants_title(log.history) is wanted


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Counting", "Counting"),
        (' "Counting to seven." \n\nIs that good?', "Counting to seven."),
        ("**Counting**", "Counting"),
        ("", "Count to seven."),
        ('""', "Count to seven."),
        ("x" * 100, "x" * (LONGEST_TITLE - 1) + "…"),
    ],
)
async def test_the_first_line_is_the_title_or_else_what_was_said(answer: str, title: str) -> None:
    stage = Stage(DONE.events)
    stage.model.asides[:] = [(Reasoning("Hm."), Text(answer), Finished())]
    usage, updated = await find_title(DONE.history, stage.means)
    assert (updated.title, updated.by, usage.purpose) == (title, "mooring", "title")
    assert usage.cost_usd is None
    assert usage.input_tokens > 0


async def test_it_is_asked_without_tools_about_the_first_message_that_counts() -> None:
    log = DONE.undo("t1").talk("t2", "word " * LONGEST_QUOTE)
    stage = Stage(log.events)
    stage.model.asides[:] = [says("Words")]
    await find_title(log.history, stage.means)
    request = stage.model.requests[0]
    assert request.tools == ()
    assert request.messages[-1].text == ("word " * LONGEST_QUOTE)[:LONGEST_QUOTE]


async def test_it_is_found_even_when_all_was_undone_meanwhile() -> None:
    log = DONE.undo("t1")
    stage = Stage(log.events)
    stage.model.asides[:] = [says("Counting")]
    _, updated = await find_title(log.history, stage.means)
    assert updated.title == "Counting"


async def test_a_model_that_fails_gives_no_title_and_is_not_asked_again() -> None:
    stage = Stage(DONE.events)
    stage.model.asides[:] = [fails()]
    with pytest.raises(ModelError):
        await find_title(DONE.history, stage.means)
    assert (stage.model.asides, stage.sleeper.slept) == ([], [])


async def test_nobody_waits_for_a_title_before_the_first_turn() -> None:
    stage = Stage((SessionCreated("m1", ""),))
    await stage.rest()
    assert stage.model.requests == []
    stage.model.replies.append(says("Done."))
    await stage.send(UserInput("u1", "Do it."))
    stage.model.asides.append(says("Doing it"))
    await stage.rest()
    assert stage.history.title == "Doing it"
