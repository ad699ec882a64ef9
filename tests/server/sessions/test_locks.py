"""Locks by key: one at a time, in order, and nothing left behind."""

import asyncio

from server.sessions.locks import KeyedLocks
from tests.server.delivery.stage import quiet


async def test_one_key_is_held_by_one_at_a_time_in_the_order_of_asking() -> None:
    locks, inside, seen = KeyedLocks(), 0, []

    async def hold(name: int) -> None:
        nonlocal inside
        async with locks.hold("k"):
            inside += 1
            assert inside == 1
            seen.append(name)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(hold(name) for name in range(10)))
    assert seen == list(range(10))
    assert (locks._locks, locks._wanted) == ({}, {})


async def test_another_key_waits_for_nobody() -> None:
    locks = KeyedLocks()
    async with asyncio.timeout(30), locks.hold("a"), locks.hold("b"):
        assert set(locks._locks) == {"a", "b"}
    assert locks._locks == {}


async def test_one_that_gives_up_waiting_leaves_nothing_behind_and_blocks_nobody() -> None:
    locks, reached = KeyedLocks(), []

    async def hold(name: str) -> None:
        async with locks.hold("k"):
            reached.append(name)

    async with locks.hold("k"):
        first, second = (asyncio.create_task(hold(name)) for name in ("first", "second"))
        await quiet()
        first.cancel()
        await quiet()
    await second
    assert reached == ["second"]
    assert first.cancelled()
    assert (locks._locks, locks._wanted) == ({}, {})
