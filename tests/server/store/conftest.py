"""A data directory, the store in it, and a hand on the database's write lock."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from server.store.sqlite import DATABASE, SqliteStore

WriteLock = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def store(directory: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore.open(directory)
    yield opened
    await opened.close()


@pytest.fixture
def write_locked(directory: Path) -> WriteLock:
    """As long as it is held, the writer waits at the beginning of its next transaction."""

    @contextlib.contextmanager
    def held() -> Iterator[None]:
        connection = sqlite3.connect(directory / DATABASE, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()

    return held


@pytest.fixture
def ask(directory: Path) -> Callable[[str], list[tuple[object, ...]]]:
    """What the file holds, asked past the store."""

    def rows(statement: str) -> list[tuple[object, ...]]:
        with contextlib.closing(sqlite3.connect(directory / DATABASE)) as connection:
            return connection.execute(statement).fetchall()

    return rows
