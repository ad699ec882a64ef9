"""A compaction by hand: one commit ends it, and begins what was queued meanwhile."""

import pytest

from agent.compaction import cut_point
from agent.compaction_task import CompactionTask
from agent.errors import Refused
from agent.history import COMPACTION_STOPPED
from agent.protocol import (
    AnyEvent,
    Compacted,
    InputWithdrawn,
    Notice,
    QueueFate,
    SubmissionId,
    TurnStarted,
    Usage,
    UserMessage,
)
from agent.stop import Stop
from tests.agent.doubles import fails, says
from tests.agent.logs import Log
from tests.agent.stage import Stage
from tests.agent.test_asking import NoteDesk

TALK = Log()
for number in range(7):
    TALK = TALK.talk(f"t{number}", f"Question {number}.", f"Answer {number}.")


class EndDesk(NoteDesk):
    """Notes, too, whether the task thought itself over when it recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.task: CompactionTask | None = None
        self.over: list[bool] = []
        self.answered: list[SubmissionId | None] = []

    async def record(self, *events: AnyEvent, answers: SubmissionId | None = None) -> None:
        assert self.task is not None
        self.over.append(self.task.over)
        self.answered.append(answers)
        await super().record(*events, answers=answers)


def task_for(stage: Stage, log: Log, desk: EndDesk) -> CompactionTask:
    history = log.history
    through = cut_point(history, 100_000)
    assert through is not None
    desk.task = CompactionTask(history, through, "compact", stage.means, desk)
    return desk.task


def kinds(events: tuple[AnyEvent, ...] | list[AnyEvent]) -> list[type[AnyEvent]]:
    return [type(event) for event in events]


async def test_its_end_answers_it_and_is_one_commit() -> None:
    stage, desk = Stage(), EndDesk()
    stage.model.asides.append(says("They talked."))
    await task_for(stage, TALK.queue("u1").queue("u2"), desk).run()
    assert kinds(desk.events) == [Usage, Compacted, UserMessage, TurnStarted]
    assert (desk.over, desk.answered) == ([True], ["compact"])
    compacted = desk.events[1]
    assert isinstance(compacted, Compacted)
    assert (compacted.summary, compacted.submission) == ("They talked.", "compact")
    assert 0 < compacted.after_tokens <= compacted.before_tokens


async def test_what_was_held_before_stays_held() -> None:
    stage, desk = Stage(), EndDesk()
    stage.model.asides.append(says("They talked."))
    log = TALK.begin("t9").queue("u1").end("interrupted")
    await task_for(stage, log, desk).run()
    assert kinds(desk.events) == [Usage, Compacted]


async def test_a_failure_is_noted_begins_the_queue_and_refuses() -> None:
    stage, desk = Stage(), EndDesk()
    stage.model.asides.append(fails("unauthorized", retryable=False))
    with pytest.raises(Refused, match="It is unauthorized"):
        await task_for(stage, TALK.queue("u1"), desk).run()
    assert kinds(desk.events) == [Notice, UserMessage, TurnStarted]
    assert (desk.over, desk.answered) == ([True], [None])


async def test_it_is_not_over_while_it_is_tried_again() -> None:
    stage, desk = Stage(), EndDesk()
    stage.model.asides += [fails(), says("They talked.")]
    await task_for(stage, TALK, desk).run()
    assert desk.over == [False, True]


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        ("hold", [Notice]),
        ("drop", [InputWithdrawn, InputWithdrawn, Notice]),
        ("continue", [Notice, UserMessage, TurnStarted]),
    ],
)
async def test_a_stop_says_what_becomes_of_the_queue(
    queue: QueueFate, expected: list[type[AnyEvent]]
) -> None:
    log = TALK.queue("u1").queue("u2")
    task = CompactionTask(log.history, 3, "compact", Stage().means, NoteDesk())
    stopped = task.stopped(Stop(queue, "ann"))
    assert kinds(stopped) == expected
    after = log.add(*stopped).history
    assert after.held is (queue == "hold")
    assert any(isinstance(e, Notice) and e.code == COMPACTION_STOPPED for e in stopped)


@pytest.mark.parametrize("over", [False, True])
async def test_a_fault_is_noted_unless_it_was_over(over: bool) -> None:
    stage, desk = Stage(), EndDesk()
    task = task_for(stage, TALK.queue("u1"), desk)
    task.over = over
    assert kinds(task.crashed()) == ([] if over else [Notice, UserMessage, TurnStarted])
