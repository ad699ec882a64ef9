"""Tickets: good once, for half a minute, and only so many."""

import pytest

from server.errors import Refusal
from server.identity.tickets import MOST_PER_USER, SECONDS, Tickets
from server.people import User

ADA, BOB = (User(name, name, "user", "token", f"of-{name}") for name in ("ada", "bob"))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_ticket_is_good_once_as_who_made_it() -> None:
    tickets = Tickets()
    ticket = tickets.make(ADA)
    assert tickets.take("another") is None
    assert tickets.take(ticket) == ADA
    assert tickets.take(ticket) is None


def test_a_ticket_lasts_half_a_minute() -> None:
    clock = Clock()
    tickets = Tickets(clock=clock)
    first, second = tickets.make(ADA), tickets.make(ADA)
    clock.now = SECONDS - 0.001
    assert tickets.take(first) == ADA
    clock.now = SECONDS
    assert tickets.take(second) is None


def test_a_user_has_so_many_and_the_next_when_the_first_has_ended() -> None:
    clock = Clock()
    tickets = Tickets(clock=clock)
    for _ in range(MOST_PER_USER):
        tickets.make(ADA)
        clock.now += 0.1
    with pytest.raises(Refusal) as refusal:
        tickets.make(ADA)
    assert refusal.value.code == "rate_limited"
    assert refusal.value.retry_after == pytest.approx(SECONDS - clock.now)
    assert tickets.take(tickets.make(BOB)) == BOB
    clock.now = SECONDS
    assert tickets.take(tickets.make(ADA)) == ADA


def test_there_are_so_many_in_all() -> None:
    tickets = Tickets(most=2)
    ticket = tickets.make(ADA)
    tickets.make(BOB)
    with pytest.raises(Refusal):
        tickets.make(User("eve", "eve", "user", "token"))
    assert tickets.take(ticket) == ADA
    tickets.make(User("eve", "eve", "user", "token"))
