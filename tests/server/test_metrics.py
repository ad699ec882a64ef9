"""Tasks are counted, many of them without a look at each."""

import asyncio

import pytest

from server.metrics import FEW_TASKS, tasks


@pytest.mark.parametrize("many", [10, FEW_TASKS + 10])
async def test_tasks_that_run_are_counted_and_those_that_are_gone_are_not(many: int) -> None:
    go = asyncio.Event()
    before = tasks()
    waiting = [asyncio.create_task(go.wait()) for _ in range(many)]
    assert tasks() - before == many
    go.set()
    while waiting:
        await waiting.pop()
    assert tasks() == before


async def test_of_few_those_that_ended_are_not_counted_though_somebody_holds_them() -> None:
    before = tasks()
    ended = [asyncio.create_task(asyncio.sleep(0)) for _ in range(10)]
    await asyncio.wait(ended)
    assert (len(ended), tasks()) == (10, before)


async def test_where_asyncio_keeps_them_otherwise_it_is_asked() -> None:
    waiting = asyncio.create_task(asyncio.sleep(3600))
    assert tasks(None) == len(asyncio.all_tasks()) >= 2
    waiting.cancel()
