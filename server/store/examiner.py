"""Walks a database that is too large to be checked before the server is ready."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from server.store import database as files
from server.store.errors import OF_CLIENTS, StoreProblem

_STEPS = 100_000
"""Instructions of SQLite between two looks whether it shall stop: a few milliseconds."""


async def examine(database: Path) -> str:
    """What is wrong with it, or nothing; cancelled, it has stopped when this returns."""
    stop = threading.Event()
    with ThreadPoolExecutor(1, "store-examiner") as thread:
        found = asyncio.get_running_loop().run_in_executor(thread, _walked, database, stop)
        try:
            return await asyncio.shield(found)
        finally:
            stop.set()


def _walked(database: Path, stop: threading.Event) -> str:
    try:
        with (
            files.explaining(OF_CLIENTS),
            closing(files.for_reading(database, busy_seconds=1.0)) as connection,
        ):
            connection.set_progress_handler(stop.is_set, _STEPS)
            files.check_pages(connection, OF_CLIENTS)
    except StoreProblem as problem:
        return "" if stop.is_set() else problem.message
    return ""
