"""Work that goes on beside requests, for as long as the server does."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any

log = logging.getLogger(__name__)


def beside(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Work beside requests; when it fails the log says so at once, not when the server stops."""
    task = asyncio.create_task(work)
    task.add_done_callback(_tell_failure)
    return task


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("work beside requests failed", exc_info=error)


async def ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
