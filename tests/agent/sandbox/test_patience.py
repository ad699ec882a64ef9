"""Work that outlasts a cancellation, and work that is told to stop by one."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.sandbox.patience import Stop, Stopped, blocking, check, to_the_end


async def test_a_result_and_an_error_pass_through(executor: ThreadPoolExecutor) -> None:
    def fails(_: Stop) -> None:
        raise ValueError("wrong")

    async def works() -> int:
        return 2

    assert await blocking(executor, lambda _: 1) == 1
    assert await to_the_end(works()) == 2
    with pytest.raises(ValueError, match="wrong"):
        await blocking(executor, fails)


async def test_cancelled_work_is_awaited_to_its_end_however_often_it_is_cancelled() -> None:
    go, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go.wait()
        ended.set()

    task = asyncio.create_task(to_the_end(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_an_error_behind_a_cancellation_does_not_hide_it() -> None:
    go = asyncio.Event()

    async def work() -> None:
        await go.wait()
        raise ValueError("too late to matter")

    task = asyncio.create_task(to_the_end(work()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelled_blocking_work_is_told_to_stop_and_has_stopped(
    executor: ThreadPoolExecutor,
) -> None:
    loop = asyncio.get_running_loop()
    started, ended = asyncio.Event(), Stop()

    def work(stop: Stop) -> None:
        loop.call_soon_threadsafe(started.set)
        stop.wait()
        ended.set()
        check(stop)

    task = asyncio.create_task(blocking(executor, work))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_work_that_has_not_begun_never_does() -> None:
    release, ran = Stop(), Stop()
    with ThreadPoolExecutor(1) as busy:
        busy.submit(release.wait)
        task = asyncio.create_task(blocking(busy, lambda _: ran.set()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
    assert not ran.is_set()


def test_a_stop_is_noticed() -> None:
    stop = Stop()
    check(stop)
    stop.set()
    with pytest.raises(Stopped):
        check(stop)
