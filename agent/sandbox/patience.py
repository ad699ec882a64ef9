"""Waiting that outlasts a cancellation: for work that must not be left half done behind one."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")

Stop = threading.Event
"""Set when nobody wants the result any more; blocking work looks at it between steps."""


class Stopped(Exception):
    """Blocking work gave up because its Stop was set."""


def check(stop: Stop) -> None:
    if stop.is_set():
        raise Stopped


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end; a cancellation meanwhile is passed on afterwards."""
    task = asyncio.get_running_loop().create_task(work)
    if cancelled := await _outlast(task):
        if not task.cancelled():
            task.exception()
        raise cancelled
    return task.result()


async def blocking(executor: Executor, work: Callable[[Stop], T]) -> T:
    """Run `work` on `executor`; when cancelled, tell it to stop and wait until it has."""
    stop = Stop()
    job = executor.submit(work, stop)
    future = asyncio.wrap_future(job)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stop.set()
        if not job.cancel():
            await _outlast(future)
            if not future.cancelled():
                future.exception()
        raise


async def _outlast(future: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    cancelled = None
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError as cancellation:
            cancelled = cancellation
    return cancelled
