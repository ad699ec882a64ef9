"""Who is there: each person once, in the order they came, and not more names than fit."""

from server.delivery.presence import Presence
from server.wire import Person

ADA = Person("ada", "Ada", "owner")
BOB = Person("bob", "Bob", "viewer")
CYD = Person("cyd", "Cyd", "driver")


def named(there: Presence) -> list[str]:
    return [person.id for person in there.people]


def test_people_are_named_in_the_order_they_came() -> None:
    there = Presence()
    for person in (BOB, ADA):
        there.enter(person)
    assert named(there) == ["bob", "ada"]


def test_a_second_connection_names_nobody_twice_and_a_name_stays_until_the_last_is_gone() -> None:
    there = Presence()
    for person in (ADA, BOB, ADA):
        there.enter(person)
    assert named(there) == ["ada", "bob"]
    there.leave(ADA)
    assert named(there) == ["ada", "bob"]
    there.leave(ADA)
    assert named(there) == ["bob"]


def test_beyond_the_limit_a_name_waits_until_there_is_room() -> None:
    there = Presence(most=2)
    for person in (ADA, BOB, CYD):
        there.enter(person)
    assert named(there) == ["ada", "bob"]
    there.leave(ADA)
    assert named(there) == ["bob", "cyd"]


def test_who_was_not_named_leaves_without_a_trace() -> None:
    there = Presence(most=1)
    there.enter(ADA)
    there.enter(BOB)
    there.leave(BOB)
    assert named(there) == ["ada"]
