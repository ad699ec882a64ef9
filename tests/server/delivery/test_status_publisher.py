"""The status as viewers are shown it: with who is there, and one timer for what can wait."""

from msgspec import structs

from server.delivery.status_publisher import StatusPublisher
from server.wire import Context, Person, Status
from tests.server.delivery.stage import HandClock

IDLE = Status("idle", (), False, Context(0, 100), 1)
RUNNING = structs.replace(IDLE, state="running", turn="t1", activity="model")
ADA = Person("ada", "Ada", "owner")


def test_who_comes_and_goes_is_told_with_what_is_true() -> None:
    shown: list[Status] = []
    publisher = StatusPublisher(IDLE, 0.5, HandClock(), shown.append)
    publisher.comes(ADA)
    publisher.comes(None)
    publisher.count(2)
    publisher.tell(RUNNING)
    publisher.goes(None)
    publisher.goes(ADA)
    publisher.tell(structs.replace(IDLE, viewers=99))
    assert [(one.state, one.viewers, one.people) for one in shown] == [
        ("idle", 2, (ADA,)),
        ("running", 2, (ADA,)),
        ("idle", 2, ()),
    ]


def test_changes_that_can_wait_are_shown_together_by_one_timer() -> None:
    shown: list[Status] = []
    clock = HandClock()
    publisher = StatusPublisher(IDLE, 0.5, clock, shown.append)
    for viewers in (2, 3, 4):
        publisher.count(viewers)
    assert [one.viewers for one in shown] == [2]
    clock.move(0.5)
    assert [one.viewers for one in shown] == [2, 4]
    assert clock.waiting == 0


def test_nothing_is_shown_once_it_was_stopped() -> None:
    shown: list[Status] = []
    clock = HandClock()
    publisher = StatusPublisher(IDLE, 0.5, clock, shown.append)
    publisher.stop()
    publisher.count(2)
    publisher.count(3)
    publisher.stop()
    clock.move(5)
    assert [one.viewers for one in shown] == [2]
