"""Shares on the disk: what is damaged opens no door, and what is listed is what was made."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.store.shares import Share
from server.store.sqlite import DATABASE, SqliteStore
from tests.server.store.samples import at, session

NAMED = Share("a1", "s1", "viewer", "ada", at(1), user="bob")
LINK = Share("b2", "s1", "driver", "ada", at(2), hash=b"h" * 32, expires_at=at(9))


async def shared(store: SqliteStore) -> None:
    await store.create(session())
    for share in (NAMED, LINK):
        await store.shares.add(share)


async def test_shares_are_listed_as_they_were_made_oldest_first(store: SqliteStore) -> None:
    await shared(store)
    await store.shares.grant("b2", "cyd", at(3))
    named, link = await store.shares.of_session("s1")
    assert (named.share, link.share) == (NAMED, LINK)
    assert [(grant.user, grant.at) for grant in link.grants] == [("cyd", at(3))]
    assert await store.shares.granted("cyd") == {"s1": "driver"}
    assert not await store.shares.grant("b2", "cyd", at(4))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE shares SET role = 'driver' WHERE id = 'a1'",
        "UPDATE shares SET user = 'cyd' WHERE id = 'a1'",
        "UPDATE grants SET at = '' WHERE share = 'a1'",
        "UPDATE grants SET user = 'cyd' WHERE share = 'a1'",
    ],
)
async def test_a_damaged_share_gives_nothing_to_anybody(
    store: SqliteStore, directory: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    await shared(store)
    assert await store.shares.granted("bob") == {"s1": "viewer"}
    with closing(sqlite3.connect(directory / DATABASE)) as connection:
        connection.execute(damage)
        connection.commit()
    assert await store.shares.granted("bob", "s1") == {}
    assert await store.shares.granted("cyd", "s1") == {}
    assert [grant for it in await store.shares.of_session("s1") for grant in it.grants] == []
    assert "damaged and left out" in caplog.text
    assert await store.shares.revoke("s1", "a1") is not None


async def test_a_list_holds_ones_own_and_what_is_shared_each_once(store: SqliteStore) -> None:
    await shared(store)
    await store.shares.grant("b2", "bob", at(3))
    await store.create(session("s2", owner="bob"))
    await store.create(session("s3", owner="cyd"))
    page = await store.rows("bob", limit=10, cursor=None, q="", state="")
    assert sorted(row.id for row in page.rows) == ["s1", "s2"]
    assert await store.count("bob") == 1
