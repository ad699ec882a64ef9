"""The audit log: never changed, sealed row by row, bounded without a hole that nobody sees."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from server.store import audit, schema
from server.store.audit import TRIMMED, AuditRow
from server.store.sqlite import DATABASE, SqliteStore
from tests.server.store.samples import at, session

Ask = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def table() -> sqlite3.Connection:
    """A database in memory with every step applied."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection, "memory")
    return connection


def row(number: int, **more: str) -> AuditRow:
    return AuditRow(at(number), "ada", "login", "10.0.0.1", detail={"b": "2", "a": "1"} | more)


def verdicts(connection: sqlite3.Connection) -> list[bool]:
    return [sound for _, sound in audit.every(connection)]


def meddle(connection: sqlite3.Connection, statement: str) -> None:
    """What whoever holds the file can do: the triggers are no lock."""
    connection.execute("DROP TRIGGER audit_is_never_changed")
    connection.execute("DROP TRIGGER audit_is_kept")
    connection.execute(statement)


async def test_rows_come_back_in_order_and_page_by_page(store: SqliteStore) -> None:
    for number in range(5):
        await store.audit.add(row(number))
    first = await store.audit.page(0, limit=3)
    assert [entry.number for entry in first.entries] == [1, 2, 3]
    assert (first.head, first.more) == (5, True)
    rest = await store.audit.page(3, limit=3)
    assert [entry.number for entry in rest.entries] == [4, 5]
    assert not rest.more
    entry = rest.entries[0]
    assert (entry.at, entry.who, entry.what) == (at(3), "ada", "login")
    assert (entry.address, entry.session, entry.detail) == ("10.0.0.1", None, {"a": "1", "b": "2"})
    assert (await store.audit.page(5, limit=3)).entries == ()


async def test_what_happened_to_a_session_outlives_it(store: SqliteStore) -> None:
    await store.create(session())
    await store.audit.add(AuditRow(at(1), "root", "session_deleted", session="s1"))
    await store.delete("s1")
    assert (await store.audit.page(0, limit=3)).entries[0].session == "s1"


@pytest.mark.parametrize("change", ["UPDATE audit SET who = 'bob'", "DELETE FROM audit"])
async def test_the_table_itself_refuses_every_change(
    store: SqliteStore, directory: Path, change: str, ask: Ask
) -> None:
    await store.audit.add(row(1))
    with (
        closing(sqlite3.connect(directory / DATABASE)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(change)
    assert ask("SELECT who FROM audit") == [("ada",)]


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ("UPDATE audit SET who = 'bob' WHERE number = 2", [True, False, True]),
        ("UPDATE audit SET at = '' WHERE number = 1", [False, True, True]),
        ("UPDATE audit SET detail = 'no json' WHERE number = 3", [True, True, False]),
        ("UPDATE audit SET seal = zeroblob(32) WHERE number = 2", [True, False, False]),
        ("UPDATE audit SET seal = 'text' WHERE number = 3", [True, True, False]),
        ("DELETE FROM audit WHERE number = 2", [True, False]),
        ("DELETE FROM audit WHERE number = 1", [False, True]),
        ("UPDATE audit SET number = 9 WHERE number = 3", [True, True, False]),
    ],
)
def test_meddling_shows(table: sqlite3.Connection, change: str, verdict: list[bool]) -> None:
    for number in range(3):
        audit.add(table, row(number))
    assert verdicts(table) == [True, True, True]
    meddle(table, change)
    assert verdicts(table) == verdict


def test_beyond_its_bound_the_oldest_go_and_a_row_says_so(table: sqlite3.Connection) -> None:
    for number in range(60):
        audit.add(table, row(number), most=10)
    rows = [entry for entry, _ in audit.every(table)]
    assert len(rows) <= 11
    assert all(verdicts(table))
    last = [entry for entry in rows if entry.what == TRIMMED][-1]
    assert rows[0].number == int(last.detail["through"]) + 1
    audit.add(table, row(61), most=10)
    assert all(verdicts(table))


def test_a_floor_that_was_raised_by_hand_shows(table: sqlite3.Connection) -> None:
    for number in range(5):
        audit.add(table, row(number))
    table.execute("INSERT INTO meta (name, value) VALUES ('audit_floor', 2)")
    table.execute("DELETE FROM audit WHERE number <= 2")
    assert verdicts(table) == [False, True, True]
