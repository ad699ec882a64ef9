"""One request: tried again while that may help, never once something of it was shown."""

import pytest

from agent.asking import Aside, ask
from agent.conversation import Message
from agent.errors import Refused
from agent.journal import Activity, GrowthKind, OpenText
from agent.models.port import (
    CallFragment,
    Finished,
    ModelError,
    ModelRequest,
    Piece,
    Reasoning,
    Text,
    Used,
)
from agent.protocol import AnyEvent, Retrying, SubmissionId
from tests.agent.doubles import fails, says
from tests.agent.memory_journal import GrowingText
from tests.agent.stage import Stage

REQUEST = ModelRequest("m1", (Message("user", "Well?"),))


class NoteDesk:
    """Keeps what was recorded and said."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.activities: list[Activity | None] = []

    async def record(self, *events: AnyEvent, answers: SubmissionId | None = None) -> None:
        self.events += events

    def open(self, kind: GrowthKind, item: str) -> OpenText:
        return GrowingText("t1")

    def activity(self, activity: Activity | None) -> None:
        self.activities.append(activity)


class Shown(Aside):
    """Everything is shown."""

    def take(self, piece: Piece) -> None:
        super().take(piece)
        self.was_shown = True


async def asked(stage: Stage, desk: NoteDesk, sink: type[Aside] = Aside) -> Aside:
    return await ask(stage.means, desk, REQUEST, sink, turn="t1", busy="model")


async def test_a_reply_is_given_whole() -> None:
    stage, desk = Stage(), NoteDesk()
    stage.model.asides.append((Text("One "), Reasoning("Hm."), Text("two. "), Finished()))
    assert (await asked(stage, desk)).text == "One two."
    assert desk.activities == ["model"]
    assert stage.model.open == 0


async def test_every_retry_is_announced_before_it_is_waited_for() -> None:
    stage, desk = Stage(), NoteDesk()
    stage.model.asides += [fails(), fails("rate_limited"), says("At last.")]
    assert (await asked(stage, desk)).text == "At last."
    retries = [e for e in desk.events if isinstance(e, Retrying)]
    assert [(r.attempt, r.of, r.wait_seconds, r.error.code, r.turn) for r in retries] == [
        (1, 3, 5, "overloaded", "t1"),
        (2, 3, 60, "rate_limited", "t1"),
    ]
    assert stage.sleeper.slept == [5, 60]
    assert desk.activities == ["model", "retrying", "model", "retrying", "model"]


async def test_it_is_given_up_when_the_waits_run_out() -> None:
    stage, desk = Stage(), NoteDesk()
    stage.model.asides += [fails(), fails(), fails("garbled")]
    with pytest.raises(ModelError) as error:
        await asked(stage, desk)
    assert error.value.code == "garbled"
    assert len(desk.events) == 2


async def test_what_a_retry_cannot_mend_is_not_tried_again() -> None:
    stage, desk = Stage(), NoteDesk()
    stage.model.asides.append(fails("unauthorized", retryable=False))
    with pytest.raises(ModelError):
        await asked(stage, desk)
    assert stage.sleeper.slept == []


async def test_what_was_shown_is_not_contradicted_by_a_second_reply() -> None:
    stage, desk = Stage(), NoteDesk()
    stage.model.asides.append((Text("Half a "), *fails("stream_cut")))
    with pytest.raises(ModelError):
        await asked(stage, desk, Shown)
    assert desk.events == []


async def test_the_wait_that_a_provider_asks_for_is_kept() -> None:
    stage, desk = Stage(), NoteDesk()
    slow = ModelError("rate_limited", "Later.", retryable=True, retry_after=7)
    stage.model.asides += [(slow,), says("Now.")]
    await asked(stage, desk)
    assert stage.sleeper.slept == [7]


async def test_other_problems_are_passed_on_as_they_are() -> None:
    stage, desk = Stage(), NoteDesk()
    stage.model.asides.append((Text("Half"), Refused("busy", "Not a model's error.")))
    with pytest.raises(Refused):
        await asked(stage, desk)
    assert stage.model.open == 0


def test_what_was_used_is_estimated_where_nobody_counted() -> None:
    aside = Aside()
    for piece in (Text("Word " * 8), CallFragment(0, "echo", "{}"), Finished()):
        aside.take(piece)
    guess = aside.used(["Well?", "And?"])
    assert (guess.input_tokens, guess.output_tokens, guess.cost_usd) == (10, 13, None)
    aside.take(Used(7, 3, 1, 0.5))
    assert aside.used(["Well?"]) == Used(7, 3, 1, 0.5)
