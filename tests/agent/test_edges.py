"""How turns begin and end: what is answered, and what becomes of the queue."""

from itertools import count

import pytest

from agent.edges import NewId, answer_open, begin, begin_next, end
from agent.history import Queued
from agent.protocol import (
    AnyEvent,
    EndStatus,
    InputWithdrawn,
    QueueFate,
    ToolOutput,
    TurnEnded,
    TurnError,
    TurnStarted,
    UserMessage,
)
from tests.agent.logs import Log, call

TWO_WAIT = Log().begin().queue("q1").queue("q2")
FAILED = TurnError("unreachable", "Nobody there.", retryable=True)


def ids() -> NewId:
    numbers = count(2)
    return lambda prefix: f"{prefix}{next(numbers)}"


def begun(submission: str) -> tuple[AnyEvent, ...]:
    return (
        UserMessage("turn2", submission, "Then this.", "ann"),
        TurnStarted("turn2", submission, "m1"),
    )


def withdrawn(*submissions: str) -> tuple[AnyEvent, ...]:
    return tuple(InputWithdrawn(s, "bob") for s in submissions)


@pytest.mark.parametrize(
    ("log", "status", "queue", "before", "after"),
    [
        pytest.param(Log().begin(), "completed", "hold", (), (), id="nothing waits"),
        pytest.param(TWO_WAIT, "completed", "hold", (), begun("q1"), id="completed: the oldest"),
        pytest.param(TWO_WAIT, "interrupted", "hold", (), (), id="stopped: what waits is held"),
        pytest.param(TWO_WAIT, "failed", "hold", (), (), id="failed: what waits is held"),
        pytest.param(TWO_WAIT, "limit", "hold", (), (), id="at a limit: what waits is held"),
        pytest.param(
            TWO_WAIT, "interrupted", "drop", withdrawn("q1", "q2"), (), id="stopped: dropped"
        ),
        pytest.param(
            TWO_WAIT, "interrupted", "continue", (), begun("q1"), id="stopped: going on"
        ),
        pytest.param(
            Log().begin(), "interrupted", "continue", (), (), id="going on with nothing"
        ),
        pytest.param(
            TWO_WAIT.end("interrupted").begin("t3"), "completed", "hold", (), (),
            id="completed beside a held queue: it stays held",
        ),
    ],
)  # fmt: skip
def test_a_turn_ends(
    log: Log,
    status: EndStatus,
    queue: QueueFate,
    before: tuple[AnyEvent, ...],
    after: tuple[AnyEvent, ...],
) -> None:
    ended = TurnEnded(log.turn, status)
    found = end(log.history, status, queue=queue, by="bob", new_id=ids())
    assert found == (*before, ended, *after)


def test_an_end_says_why() -> None:
    assert end(Log().begin().history, "failed", reason="model", error=FAILED, new_id=ids()) == (
        TurnEnded("t1", "failed", "model", FAILED),
    )


def test_only_an_open_turn_ends() -> None:
    with pytest.raises(AssertionError, match="no turn to end"):
        end(Log().talk("t1").history, "completed", new_id=ids())


def test_a_turn_begins_with_what_was_said_to_begin_it() -> None:
    said = Queued("s1", "Read it.", "queue", "ann", ("a.csv",), None)
    assert begin("t1", said, "m2") == (
        UserMessage("t1", "s1", "Read it.", "ann", attachments=("a.csv",)),
        TurnStarted("t1", "s1", "m2"),
    )


def test_the_oldest_input_begins_with_the_model_of_the_session() -> None:
    assert begin_next(TWO_WAIT.history, ids()) == begun("q1")
    assert begin_next(Log().history, ids()) == ()


def test_every_open_call_is_answered_with_what_it_printed() -> None:
    log = Log().begin().reply("", call("c1"), call("c2"), call("c3")).start("c1", "c2", "c3")
    printed = ToolOutput("t1", "c3", "cancelled", "step 1", False, 6, 0.5)
    assert answer_open(log.output("c1").history, "cancelled", "Stopped.", {"c3": printed}) == (
        ToolOutput("t1", "c2", "cancelled", "Stopped.", False, 8, 0.0),
        printed,
    )


def test_nothing_is_answered_where_no_turn_is_open() -> None:
    assert answer_open(Log().talk("t1").history, "cancelled", "Stopped.") == ()
