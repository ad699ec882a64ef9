"""Tasks are counted without a look at each."""

import asyncio

from server.metrics import tasks


async def test_tasks_that_run_are_counted_and_those_that_are_gone_are_not() -> None:
    go = asyncio.Event()
    before = tasks()
    waiting = [asyncio.create_task(go.wait()) for _ in range(1_000)]
    assert tasks() - before == 1_000
    go.set()
    while waiting:
        await waiting.pop()
    await asyncio.sleep(0)  # the last one is still what woke this test
    assert tasks() == before


async def test_where_asyncio_keeps_them_otherwise_it_is_asked() -> None:
    waiting = asyncio.create_task(asyncio.sleep(3600))
    assert tasks(None) == len(asyncio.all_tasks()) >= 2
    waiting.cancel()
