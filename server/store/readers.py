"""Reading connections, each with a thread of its own, that never see half a commit."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from server.store import database as files
from server.store.errors import Failure, StoreProblem, explained

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Readers:
    """At most `threads` reads run and `max_waiting` are asked for; more are refused at once."""

    def __init__(
        self, database: Path, *, threads: int, max_waiting: int, busy_seconds: float
    ) -> None:
        self._database = database
        self._max_waiting = max_waiting
        self._busy_seconds = busy_seconds
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="store-reader")
        self._mine = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._asked: set[asyncio.Future[Any]] = set()
        self._closed = False

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """What `query` finds in one snapshot; raises StoreProblem when the disk fails."""
        if self._closed:
            raise StoreProblem("unavailable", "The store is closed.")
        if len(self._asked) >= self._max_waiting:
            raise StoreProblem(
                "unavailable",
                f"{len(self._asked)} of {self._max_waiting} reads wait for the disk. Try again in"
                " a moment.",
            )
        asked = asyncio.get_running_loop().run_in_executor(self._executor, self._read, query)
        self._asked.add(asked)
        asked.add_done_callback(self._asked.discard)
        return await asyncio.shield(asked)

    async def close(self) -> None:
        self._closed = True
        if self._asked:
            await asyncio.wait(self._asked)
        self._executor.shutdown(wait=False)
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Where the database is, is for the log; clients are told without."""
        try:
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                return query(connection)
            finally:
                connection.execute("ROLLBACK")
        except Failure as error:
            _log.error("a read failed: %s", explained(error, self._database).message)
            raise explained(error) from error

    def _connection(self) -> sqlite3.Connection:
        mine: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if mine is None:
            mine = files.for_reading(self._database, busy_seconds=self._busy_seconds)
            self._mine.connection = mine
            self._connections.append(mine)
        return mine
