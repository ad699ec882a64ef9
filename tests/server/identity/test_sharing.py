"""Shares against a real store and a clock of the test's own."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.errors import Problem
from agent.redaction import Redactor
from server.access import Relation
from server.audit import Audit
from server.errors import NoSuchSession, NoSuchShare
from server.identity.sharing import Sharing, Standing, Wanted
from server.people import User
from server.sessions.fleet import Fleet
from server.store.port import SessionRow
from server.store.sqlite import SqliteStore
from server.times import timestamp, today
from tests.server.store.samples import session

ADA = User("ada", "ada", "user", "token")
BOB = User("bob", "bob", "user", "token")
ROOT = User("root", "root", "operator", "token")


class Desk:
    """One session of Ada's, and the days that pass when they are told to."""

    def __init__(self, store: SqliteStore, row: SessionRow) -> None:
        self.store = store
        self.row = row
        self.now = datetime(2026, 11, 29, tzinfo=UTC)
        self.fleet = Fleet(lambda: 0.0, today)
        self.sharing = Sharing(
            store.shares,
            Audit(store.audit, timestamp, Redactor()),
            self.fleet,
            lambda row: row,
            today=lambda: self.now,
        )

    async def link(self, days: int = 30) -> str:
        _, secret = await self.sharing.make(self.row, ADA, Wanted("viewer", days=days))
        assert secret is not None
        return secret

    async def bobs(self) -> Relation:
        return await self.sharing.relation(BOB, self.row)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = SqliteStore.open(tmp_path)
    row, _ = await store.create(session())
    yield Desk(store, row)
    await store.close()


async def test_a_link_is_too_old_after_its_days_and_what_it_gave_stays(desk: Desk) -> None:
    secret = await desk.link(days=2)
    desk.now += timedelta(days=2, seconds=-1)
    await desk.sharing.redeem(await desk.sharing.found(secret), desk.row, BOB)
    desk.now += timedelta(seconds=1)
    with pytest.raises(NoSuchShare):
        await desk.sharing.found(secret)
    assert await desk.bobs() == "viewer"


async def test_a_link_that_is_revoked_while_it_is_taken_up_gives_nothing(desk: Desk) -> None:
    share = await desk.sharing.found(await desk.link())
    await desk.sharing.revoke(desk.row, share.id, ADA)
    with pytest.raises(NoSuchShare):
        await desk.sharing.redeem(share, desk.row, BOB)
    assert await desk.bobs() == "none"


async def test_a_share_with_a_name_is_no_link(desk: Desk) -> None:
    share, secret = await desk.sharing.make(desk.row, ADA, Wanted("viewer", "bob"))
    assert secret is None
    with pytest.raises(NoSuchShare):
        await desk.sharing.found(f"mooring_share_{share.id}_{'0' * 64}")


async def test_the_strongest_of_several_shares_counts(desk: Desk) -> None:
    driver, _ = await desk.sharing.make(desk.row, ADA, Wanted("driver", "bob"))
    await desk.sharing.make(desk.row, ADA, Wanted("viewer", "bob"))
    assert await desk.bobs() == "driver"
    await desk.sharing.revoke(desk.row, driver.id, ADA)
    assert await desk.bobs() == "viewer"


async def test_a_share_of_another_session_cannot_be_revoked_through_this_one(desk: Desk) -> None:
    other, _ = await desk.store.create(session("s2"))
    share, _ = await desk.sharing.make(other, ADA, Wanted("viewer", "bob"))
    with pytest.raises(NoSuchShare):
        await desk.sharing.revoke(desk.row, share.id, ADA)
    assert await desk.sharing.relation(BOB, other) == "viewer"


async def test_what_was_lost_during_a_handshake_is_noticed_before_anything_is_shown(
    desk: Desk,
) -> None:
    share, _ = await desk.sharing.make(desk.row, ADA, Wanted("viewer", "bob"))
    standing = Standing(BOB, desk.row, "viewer")
    await desk.sharing.revoke(desk.row, share.id, ADA)
    with desk.sharing.watched(standing), pytest.raises(NoSuchSession):
        await desk.sharing.confirm(standing)


async def test_an_operator_who_loses_a_share_still_reads(desk: Desk) -> None:
    share, _ = await desk.sharing.make(desk.row, ADA, Wanted("driver", "root"))
    standing = Standing(ROOT, desk.row, "driver")
    told: list[Relation] = []
    standing.changed = lambda: told.append(standing.relation)
    with desk.fleet.view(None, "root") as view, desk.sharing.watched(standing):
        await desk.sharing.show(view, ROOT)
        await desk.sharing.confirm(standing)
        await desk.sharing.revoke(desk.row, share.id, ADA)
        assert told == ["none"]
        assert view.take() == ([desk.row], ())
        assert view.relation(desk.row) == "none"
    await desk.sharing.make(desk.row, ADA, Wanted("driver", "root"))
    assert told == ["none"]


async def test_a_share_goes_with_its_session(desk: Desk) -> None:
    secret = await desk.link()
    await desk.store.delete(desk.row.id)
    with pytest.raises(NoSuchShare):
        await desk.sharing.found(secret)
    with pytest.raises(NoSuchSession):
        await desk.sharing.make(desk.row, ADA, Wanted("viewer", "bob"))


async def test_a_link_is_for_a_hundred_people(desk: Desk) -> None:
    secret = await desk.link()
    share = await desk.sharing.found(secret)
    for number in range(100):
        await desk.store.shares.grant(share.id, f"u{number}", "2026")
    with pytest.raises(Problem, match="100 of 100"):
        await desk.sharing.redeem(share, desk.row, BOB)
