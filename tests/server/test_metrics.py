"""Tasks are counted, many of them without a look at each."""

import asyncio
from weakref import WeakSet

from server.metrics import _TASKS, FEW_TASKS, tasks


async def test_where_asyncio_keeps_its_tasks_is_known() -> None:
    assert _TASKS is not None
    assert asyncio.current_task() in _TASKS


async def test_few_are_looked_at_one_by_one_and_those_that_ended_do_not_count() -> None:
    ended = asyncio.create_task(asyncio.sleep(0))
    await ended
    running = asyncio.create_task(asyncio.Event().wait())
    assert tasks(WeakSet((ended, running))) == len(asyncio.all_tasks()) >= 2
    running.cancel()


async def test_many_are_counted_without_a_look_at_each() -> None:
    ended = [asyncio.create_task(asyncio.sleep(0)) for _ in range(FEW_TASKS + 1)]
    await asyncio.wait(ended)
    assert tasks(WeakSet(ended)) == FEW_TASKS + 1


async def test_where_asyncio_keeps_them_otherwise_it_is_asked() -> None:
    assert tasks(None) == len(asyncio.all_tasks())
