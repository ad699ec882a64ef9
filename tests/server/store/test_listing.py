"""The list of sessions: newest activity first, page by page, filtered."""

import base64

import pytest

from server.store.errors import BadCursor
from server.store.port import SessionRow
from server.store.sqlite import SqliteStore
from tests.server.store.samples import at, commit, indexed, session


async def listed(
    store: SqliteStore, owner: str | None = None, q: str = "", state: str = "", limit: int = 2
) -> list[SessionRow]:
    """Every row, page by page."""
    rows: list[SessionRow] = []
    cursor: str | None = None
    while True:
        page = await store.rows(owner, limit=limit, cursor=cursor, q=q, state=state)
        rows += page.rows
        if page.next_cursor is None:
            return rows
        assert len(page.rows) == limit
        cursor = page.next_cursor


async def names(store: SqliteStore, owner: str | None = None, q: str = "", state: str = "") -> str:
    return " ".join(row.id for row in await listed(store, owner, q, state))


async def test_newest_activity_comes_first(store: SqliteStore) -> None:
    for number, name in enumerate("abcde"):
        await store.create(session(name, at=at(number)))
    assert await names(store) == "e d c b a"
    await store.append(commit("b", 2, at=at(100)))
    assert await names(store) == "b e d c a"


async def test_sessions_of_the_same_moment_are_all_listed_once(store: SqliteStore) -> None:
    for name in "abcde":
        await store.create(session(name, at=at(1)))
    assert await names(store) == "e d c b a"


async def test_a_page_that_ends_the_list_has_no_cursor(store: SqliteStore) -> None:
    assert (await store.rows(None, limit=2, cursor=None, q="", state="")).next_cursor is None
    await store.create(session("a"))
    await store.create(session("b"))
    page = await store.rows(None, limit=2, cursor=None, q="", state="")
    assert (len(page.rows), page.next_cursor) == (2, None)


async def test_an_empty_cursor_counts_as_none(store: SqliteStore) -> None:
    await store.create(session("a"))
    page = await store.rows(None, limit=2, cursor="", q="", state="")
    assert [row.id for row in page.rows] == ["a"]


async def test_filters_narrow_every_page(store: SqliteStore) -> None:
    for number in range(12):
        owner = "ada" if number % 2 else "bob"
        state = "running" if number % 3 else "idle"
        title = "Train" if number > 5 else "Evaluate"
        look = indexed(state=state, title=title)
        await store.create(session(f"{number:02}", owner=owner, at=at(number), indexed=look))
    assert await names(store, owner="ada") == "11 09 07 05 03 01"
    assert await names(store, state="running") == "11 10 08 07 05 04 02 01"
    assert await names(store, q="train") == "11 10 09 08 07 06"
    assert await names(store, owner="bob", q="eva") == "04 02 00"
    assert await names(store, owner="ada", q="train", state="running") == "11 07"
    assert await names(store, owner="ada", q="tr", state="idle") == "09"
    assert await names(store, state="no such state") == ""


async def test_a_cursor_goes_on_where_it_was_although_sessions_moved_to_the_front(
    store: SqliteStore,
) -> None:
    for number, name in enumerate("abcdef"):
        await store.create(session(name, at=at(number)))
    first = await store.rows(None, limit=3, cursor=None, q="", state="")
    await store.append(commit("b", 2, at=at(100)))
    await store.delete("d")
    second = await store.rows(None, limit=3, cursor=first.next_cursor, q="", state="")
    assert [row.id for row in second.rows] == ["c", "a"]


def encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!!",
        "é",
        "\ud800",
        "\0",
        "=",
        encoded(b"not json"),
        encoded(b'["one"]'),
        encoded(b"[1, 2]"),
        encoded(b'{"a": 1}'),
        encoded(b'["a", "b"]\xff'),
        encoded(b'["a", "b", "c"]'),
    ],
)
async def test_a_cursor_that_is_none_is_refused(store: SqliteStore, cursor: str) -> None:
    with pytest.raises(BadCursor):
        await store.rows(None, limit=2, cursor=cursor, q="", state="")
