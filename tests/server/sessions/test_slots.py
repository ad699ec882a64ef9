"""Slots: so many in all, so many a user, fair by user, and none is ever lost."""

import asyncio
import random

import pytest

from server.sessions.slots import Slots
from tests.server.delivery.stage import quiet
from tests.server.sessions.house import eventually


class Turns:
    """Turns that take a slot and keep it until they are told to end."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.begun: list[str] = []
        self.waited: list[str] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    def begin(self, *names: str) -> None:
        """`ada1` is the first turn of the user `ada`."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._turn(name))

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
        await quiet()

    def stop(self, name: str) -> None:
        self._tasks[name].cancel()

    async def end_all(self) -> None:
        for name in self._ends:
            self._ends[name].set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _turn(self, name: str) -> None:
        async with self.slots.slot(name.rstrip("0123456789"), lambda: self.waited.append(name)):
            self.begun.append(name)
            await self._ends[name].wait()


async def test_a_free_slot_is_taken_at_once_and_without_a_word() -> None:
    turns = Turns(Slots(total=2, per_user=2))
    turns.begin("ada1", "ada2")
    await quiet()
    assert (turns.begun, turns.waited) == (["ada1", "ada2"], [])
    await turns.end_all()


async def test_who_finds_none_is_told_that_it_waits_and_counted() -> None:
    turns = Turns(Slots(total=1, per_user=1))
    turns.begin("ada1", "bob1")
    await quiet()
    assert turns.waited == ["bob1"]
    assert (turns.slots.running, turns.slots.waiting) == (1, 1)
    await turns.end("ada1")
    assert turns.begun == ["ada1", "bob1"]
    assert turns.slots.waiting == 0
    await turns.end_all()


async def test_a_user_has_no_more_than_its_share_while_others_pass_it() -> None:
    turns = Turns(Slots(total=3, per_user=1))
    turns.begin("ada1", "ada2", "bob1")
    await quiet()
    assert turns.begun == ["ada1", "bob1"]
    await turns.end("bob1")
    assert turns.begun == ["ada1", "bob1"], "what bob gave back is not ada's"
    await turns.end("ada1")
    assert turns.begun[-1] == "ada2"
    await turns.end_all()


async def test_users_are_served_in_turn_however_many_turns_one_of_them_has_waiting() -> None:
    turns = Turns(Slots(total=1, per_user=1))
    turns.begin("ada1", "ada2", "ada3", "ada4", "bob1", "eve1", "bob2")
    await quiet()
    for name in ("ada1", "ada2", "bob1", "eve1", "ada3", "bob2"):
        await turns.end(name)
    assert turns.begun == ["ada1", "ada2", "bob1", "eve1", "ada3", "bob2", "ada4"]
    await turns.end_all()


async def test_one_that_is_stopped_while_it_waits_leaves_the_line() -> None:
    turns = Turns(Slots(total=1, per_user=1))
    turns.begin("ada1", "bob1", "bob2")
    await quiet()
    turns.stop("bob1")
    await quiet()
    assert turns.slots.waiting == 1
    turns.stop("bob2")
    await quiet()
    assert turns.slots.waiting == 0
    await turns.end("ada1")
    assert (turns.begun, turns.slots.running) == (["ada1"], 0)
    await turns.end_all()


async def test_one_that_is_stopped_in_the_moment_it_is_served_gives_its_slot_on() -> None:
    turns = Turns(Slots(total=1, per_user=1))
    turns.begin("ada1", "bob1", "eve1")
    await quiet()
    turns._ends["ada1"].set()
    await eventually(lambda: turns.slots.waiting == 1)
    turns.stop("bob1")
    await quiet()
    assert turns.begun == ["ada1", "eve1"]
    await turns.end_all()
    assert turns.slots.running == 0


async def test_one_that_was_stopped_in_the_tick_of_serving_is_passed_over() -> None:
    turns = Turns(Slots(total=1, per_user=1))
    turns.begin("ada1", "bob1", "bob2", "eve1")
    await quiet()
    turns._ends["ada1"].set()
    turns.stop("bob1")
    await quiet()
    assert turns.begun == ["ada1", "bob2"]
    turns.stop("eve1")
    await turns.end("bob2")
    await turns.end_all()
    assert (turns.slots.running, turns.slots.waiting) == (0, 0)


@pytest.mark.parametrize("seed", range(50))
async def test_no_order_of_begins_ends_and_stops_loses_a_slot_or_gives_too_many(seed: int) -> None:
    chance = random.Random(seed)
    slots = Slots(total=3, per_user=2)
    turns = Turns(slots)
    names: list[str] = []
    for step in range(60):
        move = chance.choice(("begin", "end", "stop", "pause"))
        if move == "begin":
            names.append(f"{chance.choice(('ada', 'bob', 'eve'))}{step}")
            turns.begin(names[-1])
        elif move == "end" and names:
            turns._ends[chance.choice(names)].set()
        elif move == "stop" and names:
            turns.stop(chance.choice(names))
        else:
            await asyncio.sleep(0)
        assert slots.running <= 3
        assert max(slots._taken.values(), default=0) <= 2
    await turns.end_all()
    assert (slots.running, slots.waiting) == (0, 0)
    assert (slots._taken, slots._waiting) == ({}, {})
