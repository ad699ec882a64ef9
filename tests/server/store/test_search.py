"""Search finds titles and messages, and takes nothing that is typed for syntax."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.store import schema
from server.store.search import MAX_TERMS, lags, learn, mentions, tells, terms
from server.store.sqlite import SqliteStore
from tests.server.store.samples import commit, indexed, session

LONG = "a long passage " * 1_000
WHOLE_WORDS = tuple(
    tuple(statement.replace("{tokenizer}", "unicode61") for statement in step)
    for step in schema.STEPS
)


@pytest.fixture(params=[schema.STEPS, WHOLE_WORDS], ids=["trigrams", "whole words"])
async def shelf(request: pytest.FixtureRequest, directory: Path) -> AsyncIterator[SqliteStore]:
    """Three sessions whose words differ."""
    store = SqliteStore.open(directory, steps=request.param)
    await store.create(session("title", indexed=indexed(title="Fine-tune a Llama")))
    await store.create(session("words"))
    await store.append(commit("words", 2, words=("The cat's naïve “plan”: 100% of x_y.",)))
    await store.append(commit("words", 3, words=("完全な日本語 und ÜBERMUT",)))
    await store.create(session("late"))
    await store.append(commit("late", 2, words=("before\0after the NUL",)))
    yield store
    await store.close()


async def found(store: SqliteStore, q: str) -> list[str]:
    page = await store.rows("ada", limit=10, cursor=None, q=q, state="")
    return sorted(row.id for row in page.rows)


async def learned(store: SqliteStore) -> None:
    """The index knows all that was written."""

    def step(connection: sqlite3.Connection) -> bool:
        learn(connection)
        return lags(connection)

    while await store._writer.submit(step, 0):
        pass


@pytest.mark.parametrize("known", [False, True], ids=["just written", "in the index"])
@pytest.mark.parametrize(
    ("q", "sessions"),
    [
        ("llama", ["title"]),
        ("LLAMA fine", ["title"]),
        ("naïve", ["words"]),
        ("übermut", ["words"]),
        ("plan cat", ["words"]),
        ("plan übermut", []),
        ("cat dog", []),
        ("cat of", ["words"]),
        ("ca", ["words"]),
        ("10", ["words"]),
        ("0%", ["words"]),
        ("%%", []),
        ("__", []),
        ("x_", ["words"]),
        ("\\", []),
        ("after", ["late"]),
        ("after\0NUL", ["late"]),
    ],
)
async def test_every_word_must_be_in_one_title_or_message(
    shelf: SqliteStore, q: str, sessions: list[str], known: bool
) -> None:
    if known:
        await learned(shelf)
    assert await found(shelf, q) == sessions


@pytest.mark.parametrize("q", ["", "   ", "\0", "\ud800"])
async def test_a_search_without_words_filters_nothing(shelf: SqliteStore, q: str) -> None:
    assert await found(shelf, q) == ["late", "title", "words"]


HOSTILE = [
    '"',
    '""" OR """',
    "cat OR dog",
    "cat NOT plan",
    "NEAR(cat plan)",
    "text:cat",
    "text : cat",
    "cat*",
    "^the",
    "-cat",
    "{text} : cat",
    "(cat",
    "cat + plan",
    "words",
    "'; DROP TABLE sessions; --",
    "%' OR 1=1 --",
    "cat AND",
    "\x01\x02\x03",
    "a" * 10_000,
    "w " * 10_000,
    '"' * 999,
]


@pytest.mark.parametrize("shelf", [schema.STEPS], ids=["trigrams"], indirect=True)
@pytest.mark.parametrize("q", HOSTILE, ids=range(len(HOSTILE)))
async def test_what_looks_like_syntax_is_only_text(shelf: SqliteStore, q: str) -> None:
    assert await found(shelf, q) == []
    assert await shelf.row("title") is not None


async def test_where_whole_words_are_found_syntax_is_only_text_too(directory: Path) -> None:
    store = SqliteStore.open(directory, steps=WHOLE_WORDS)
    await store.create(session("a", indexed=indexed(title="The cat plan")))
    await learned(store)
    assert [q for q in HOSTILE if await found(store, q)] == ["cat*", "^the", "-cat", "(cat"]
    await store.close()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(q=st.text(alphabet=st.one_of(st.characters(), st.sampled_from('"*^():+-%_\\ '))))
async def test_no_text_breaks_a_search(shelf: SqliteStore, q: str) -> None:
    assert set(await found(shelf, q)) <= {"late", "title", "words"}


async def test_parts_of_words_are_found(store: SqliteStore) -> None:
    await store.create(session("a", indexed=indexed(title="Hyperparameters")))
    await store.append(
        commit("a", 2, words=("完全な日本語",), indexed=indexed(title="Hyperparameters"))
    )
    assert await found(store, "param") == ["a"]
    assert await found(store, "日本語") == ["a"]
    assert await found(store, "本語") == ["a"]


async def test_a_title_that_changed_is_found_by_its_new_words_only(store: SqliteStore) -> None:
    await store.create(session("a", indexed=indexed(title="Old name")))
    await store.append(commit("a", 2, indexed=indexed(title="New label")))
    assert await found(store, "label") == ["a"]
    assert await found(store, "name") == []


async def test_words_of_others_are_not_found(store: SqliteStore) -> None:
    await store.create(session("a", owner="bob"))
    await store.append(commit("a", 2, words=("secret",)))
    assert await found(store, "secret") == []
    assert await found(store, "se") == []


def test_words_beyond_the_limit_are_ignored() -> None:
    assert terms("w " * 99) == ["w"] * MAX_TERMS


def test_a_search_for_short_words_only_asks_row_by_row() -> None:
    condition, values = mentions("a% b")
    assert condition.startswith("EXISTS")
    assert values == ["%a\\%%", "%b%"]


@pytest.fixture
def tables() -> Iterator[sqlite3.Connection]:
    """The store's, in memory, which nobody but the test writes to."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection, "memory")
        connection.create_function("tells", 2, tells, deterministic=True)
        yield connection


def write(tables: sqlite3.Connection, session: int, text: str) -> None:
    tables.execute("INSERT INTO passages (session, seq, text) VALUES (?, 1, ?)", (session, text))


def asked(tables: sqlite3.Connection, q: str) -> list[int]:
    condition, values = mentions(q)
    listed = "SELECT DISTINCT session AS key FROM passages"
    found = tables.execute(f"SELECT key FROM ({listed}) AS sessions WHERE {condition}", values)
    return sorted(key for (key,) in found)


@pytest.mark.parametrize(
    ("q", "sessions"),
    [("boat", [1, 2]), ("BOAT paint", [1]), ("ÜBER", [2]), ("oa", [1, 2]), ("oa über", [2])],
)
def test_what_the_index_lacks_is_found_as_what_it_knows(
    tables: sqlite3.Connection, q: str, sessions: list[int]
) -> None:
    write(tables, 1, "Paint the boat")
    write(tables, 2, "Übermut on a boat")
    write(tables, 3, "Nothing of the sort")
    assert asked(tables, q) == sessions
    learn(tables)
    assert not lags(tables)
    assert asked(tables, q) == sessions


def test_long_passages_are_learnt_one_after_another_and_the_oldest_first(
    tables: sqlite3.Connection,
) -> None:
    for number in (1, 2, 3):
        write(tables, number, f"{LONG} of {number}")
    left = []
    while lags(tables):
        learn(tables)
        left.append([row for (row,) in tables.execute("SELECT passage FROM unsearched")])
    assert left == [[3], []]


def test_what_goes_before_it_was_learnt_and_after_leaves_nothing_in_the_index(
    tables: sqlite3.Connection,
) -> None:
    write(tables, 1, "known and gone")
    write(tables, 2, "known and there")
    learn(tables)
    write(tables, 3, "new and gone")
    write(tables, 4, "new and there")
    tables.execute("DELETE FROM passages WHERE session IN (1, 3)")
    learn(tables)
    tables.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
    assert (asked(tables, "gone"), asked(tables, "there")) == ([], [2, 4])
