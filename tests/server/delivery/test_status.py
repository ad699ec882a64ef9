"""What of a status is shown at once, and what waits."""

import pytest
from msgspec import structs

from server.delivery.status import StatusLine
from server.wire import Context, Queued, Status

IDLE = Status("idle", (), False, Context(0, 100), 1)
RUNNING = structs.replace(IDLE, state="running", turn="t1", activity="model")


def changed(line: StatusLine, status: Status, now: float) -> float | None:
    line.latest = status
    return line.due(now)


def test_an_unchanged_status_is_never_due() -> None:
    assert changed(StatusLine(IDLE, 0.5), IDLE, 1.0) is None


@pytest.mark.parametrize(
    "change",
    [
        {"state": "running"},
        {"turn": "t2"},
        {"queue": (Queued("q1", "later", "queue"),)},
        {"held": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_matters_is_due_at_once_however_recent_the_last(change: dict[str, object]) -> None:
    line = StatusLine(IDLE, 0.5)
    changed(line, structs.replace(IDLE, viewers=2), 1.0)
    line.show(1.0)
    assert changed(line, structs.replace(IDLE, viewers=3, **change), 1.1) == 1.1


@pytest.mark.parametrize(
    "change",
    [{"viewers": 5}, {"context": Context(9, 100)}, {"activity": "tools"}],
    ids=lambda change: next(iter(change)),
)
def test_what_can_wait_is_shown_at_most_twice_a_second(change: dict[str, object]) -> None:
    line = StatusLine(IDLE, 0.5)
    assert changed(line, structs.replace(IDLE, viewers=2), 1.0) == 1.0
    line.show(1.0)
    assert changed(line, structs.replace(IDLE, **change), 1.1) == 1.5


def test_a_change_that_matters_carries_along_what_waited() -> None:
    line = StatusLine(IDLE, 0.5)
    changed(line, structs.replace(IDLE, viewers=2), 1.0)
    line.show(1.0)
    changed(line, structs.replace(RUNNING, viewers=3), 1.1)
    assert line.show(1.1) == structs.replace(RUNNING, viewers=3)
    assert line.due(1.2) is None


def test_a_change_that_is_taken_back_while_it_waits_is_not_shown() -> None:
    line = StatusLine(IDLE, 0.5)
    changed(line, structs.replace(IDLE, viewers=2), 1.0)
    line.show(1.0)
    changed(line, structs.replace(IDLE, viewers=3), 1.1)
    assert changed(line, structs.replace(IDLE, viewers=2), 1.2) is None
