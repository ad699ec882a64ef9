"""Reads are bounded, end before the store is closed, and say what SQLite's errors mean."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from server.store.errors import StoreProblem, explained
from server.store.port import SessionRow, Token
from server.store.sqlite import Limits, SqliteStore
from tests.server.store.samples import at, session


async def test_more_reads_than_may_wait_are_refused_at_once(directory: Path) -> None:
    store = SqliteStore.open(directory, limits=Limits(waiting_reads=2))
    await store.create(session())
    found = await asyncio.gather(*(store.row("s1") for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in found] == [SessionRow, SessionRow, StoreProblem]
    assert "2 of 2 reads" in str(found[2])
    assert await store.row("s1") is not None
    await store.close()


async def test_reads_that_were_asked_for_are_answered_before_the_store_closes(
    directory: Path,
) -> None:
    store = SqliteStore.open(directory)
    await store.create(session())
    asked = [asyncio.ensure_future(store.row("s1")) for _ in range(20)]
    await asyncio.sleep(0)
    await store.close()
    assert None not in await asyncio.gather(*asked)
    with pytest.raises(StoreProblem, match="closed"):
        await store.row("s1")


async def test_a_read_whose_waiter_is_cancelled_leaves_nothing_behind(store: SqliteStore) -> None:
    await store.create(session())
    abandoned = asyncio.ensure_future(store.row("s1"))
    await asyncio.sleep(0)
    abandoned.cancel()
    assert await store.row("s1") is not None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (sqlite3.SQLITE_FULL, "disk_full"),
        (sqlite3.SQLITE_IOERR_FSYNC, "store_io_error"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "data_dir_read_only"),
        (sqlite3.SQLITE_CANTOPEN, "data_dir_read_only"),
        (sqlite3.SQLITE_PERM, "data_dir_read_only"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "store_corrupt"),
        (sqlite3.SQLITE_NOTADB, "store_corrupt"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "store_busy"),
        (sqlite3.SQLITE_ERROR, "store_failed"),
        (None, "store_failed"),
    ],
)
def test_errors_of_sqlite_get_a_code_and_a_way_out(number: int | None, code: str) -> None:
    error = sqlite3.OperationalError("what SQLite says")
    if number is not None:
        error.sqlite_errorcode = number
    problem = explained(error, "/data/mooring.db")
    assert problem.code == code
    assert "/data/mooring.db" in problem.message


# ---- tokens -------------------------------------------------------------------------------------


def token(name: str, created: int = 0, expires_at: str | None = None) -> Token:
    return Token(name, "ada", "operator", b"\x00hash" + name.encode(), at(created), expires_at)


async def test_tokens_are_kept_until_they_are_revoked(store: SqliteStore) -> None:
    await store.add_token(token("b", 1, at(99)))
    await store.add_token(token("a", 2))
    assert await store.tokens() == (token("b", 1, at(99)), token("a", 2))
    assert await store.revoke_token("b")
    assert not await store.revoke_token("b")
    assert await store.tokens() == (token("a", 2),)


async def test_a_server_sees_the_tokens_a_command_makes(
    store: SqliteStore, directory: Path
) -> None:
    command = SqliteStore.open(directory, exclusive=False)
    await command.add_token(token("a"))
    assert await store.tokens() == (token("a"),)
    await store.revoke_token("a")
    assert await command.tokens() == ()
    await command.close()
