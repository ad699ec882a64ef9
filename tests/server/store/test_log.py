"""A session's log: what was appended comes back, dense and whole."""

import asyncio

import pytest

from agent.errors import Unrecorded
from server.errors import NoSuchSession
from server.store.sqlite import SqliteStore
from tests.server.store.samples import at, body, commit, indexed, receipt, session

PAGE = {"limit": 500, "max_bytes": 1_000_000}


async def grown(store: SqliteStore, head: int) -> None:
    """Session s1 with the events 1 to `head`."""
    await store.create(session())
    await store.append(commit("s1", 2, head - 1))


async def test_bodies_come_back_as_the_bytes_that_were_appended(store: SqliteStore) -> None:
    await store.create(session(body=b"not even json \x00\xff"))
    await store.append(commit("s1", 2, bodies=(b"{}", "é".encode())))
    page = await store.events_after("s1", 0, **PAGE)
    assert page.bodies == (b"not even json \x00\xff", b"{}", "é".encode())
    assert (page.first, page.head, page.oldest, page.more) == (1, 3, 1, False)


async def test_an_append_rewrites_what_the_row_says_of_the_log(store: SqliteStore) -> None:
    await store.create(session())
    changed = indexed(title="New", state="running", turn="t9", queue=2, held=True, cost_usd=None)
    await store.append(commit("s1", 2, 3, indexed=changed))
    row = await store.row("s1")
    assert row is not None
    assert row.indexed == changed
    assert (row.head, row.created_at, row.active_at) == (4, at(0), at(2))


async def test_a_row_that_is_not_there_is_none(store: SqliteStore) -> None:
    assert await store.row("nobody") is None


async def test_receipts_are_kept_in_the_order_of_what_they_caused(store: SqliteStore) -> None:
    await store.create(session())
    await store.append(commit("s1", 2, receipts=(receipt("z", 2),)))
    await store.append(commit("s1", 3, receipts=(receipt("a", 3),)))
    assert await store.receipts("s1") == (receipt("z", 2), receipt("a", 3))
    assert await store.receipts("nobody") == ()


@pytest.mark.parametrize("first", [1, 2, 4])
async def test_an_append_that_does_not_follow_the_head_changes_nothing(
    store: SqliteStore, first: int
) -> None:
    await grown(store, 2)
    with pytest.raises(Unrecorded, match="does not follow"):
        await store.append(commit("s1", first, receipts=(receipt("x", first),)))
    assert (await store.events_after("s1", 0, **PAGE)).bodies == (body(1), body(2))
    assert await store.receipts("s1") == ()


async def test_an_append_to_a_session_that_is_gone_inserts_nothing(store: SqliteStore) -> None:
    with pytest.raises(NoSuchSession):
        await store.append(commit("gone", 2))
    with pytest.raises(NoSuchSession):
        await store.events_after("gone", 0, **PAGE)


async def test_appends_that_are_not_awaited_are_committed_in_order(store: SqliteStore) -> None:
    await store.create(session())
    handed_over = [store.append(commit("s1", seq)) for seq in range(2, 202)]
    await asyncio.gather(*handed_over)
    page = await store.events_after("s1", 0, **PAGE)
    assert page.bodies == tuple(body(seq) for seq in range(1, 202))


async def test_an_append_whose_waiter_is_cancelled_is_committed_all_the_same(
    store: SqliteStore,
) -> None:
    await store.create(session())
    abandoned = store.append(commit("s1", 2))
    abandoned.cancel()
    await store.append(commit("s1", 3))
    assert (await store.events_after("s1", 0, **PAGE)).head == 3


@pytest.mark.parametrize(
    ("after", "limit", "seqs", "more"),
    [
        pytest.param(0, 3, [1, 2, 3], True, id="the first page"),
        pytest.param(7, 3, [8, 9, 10], False, id="the last page is full and says so"),
        pytest.param(8, 3, [9, 10], False, id="the last page is short"),
        pytest.param(10, 3, [], False, id="nothing is after the head"),
        pytest.param(10**30, 3, [], False, id="nor after a number no log reaches"),
        pytest.param(-5, 2, [1, 2], True, id="a negative position is the beginning"),
    ],
)
async def test_pages_after_a_position(
    store: SqliteStore, after: int, limit: int, seqs: list[int], more: bool
) -> None:
    await grown(store, 10)
    page = await store.events_after("s1", after, limit=limit, max_bytes=1_000_000)
    assert page.bodies == tuple(map(body, seqs))
    assert (page.more, page.head) == (more, 10)
    assert page.first == (seqs[0] if seqs else 11)


@pytest.mark.parametrize(
    ("before", "limit", "seqs", "more"),
    [
        pytest.param(11, 3, [8, 9, 10], True, id="the end of the log"),
        pytest.param(10**30, 2, [9, 10], True, id="a number no log reaches is the end"),
        pytest.param(4, 3, [1, 2, 3], False, id="the beginning is full and says so"),
        pytest.param(3, 9, [1, 2], False, id="the beginning is short"),
        pytest.param(1, 3, [], False, id="nothing is before the first"),
        pytest.param(-5, 3, [], False, id="nor before a negative position"),
    ],
)
async def test_pages_before_a_position_ascend(
    store: SqliteStore, before: int, limit: int, seqs: list[int], more: bool
) -> None:
    await grown(store, 10)
    page = await store.events_before("s1", before, limit=limit, max_bytes=1_000_000)
    assert page.bodies == tuple(map(body, seqs))
    assert (page.more, page.head) == (more, 10)
    assert page.first == (seqs[0] if seqs else 1)


def kind(seq: int, name: str) -> bytes:
    return b'{"seq":%d,"at":"2026","type":"%s","x":{"type":"plan_updated"}}' % (seq, name.encode())


@pytest.mark.parametrize(
    ("types", "before", "limit", "seqs", "more"),
    [
        pytest.param(["notice"], 99, 9, [2, 3, 5, 6], False, id="all of one type, ascending"),
        pytest.param(["notice"], 6, 9, [2, 3, 5], False, id="before a position"),
        pytest.param(["notice"], 99, 2, [5, 6], True, id="the last of them, and more are there"),
        pytest.param(["notice", "usage"], 99, 9, [2, 3, 4, 5, 6], False, id="of several types"),
        pytest.param(["plan_updated"], 99, 9, [], False, id="not by what is said within"),
        pytest.param(["note"], 99, 9, [], False, id="not by how it begins"),
    ],
)
async def test_events_are_found_by_their_type(
    store: SqliteStore, types: list[str], before: int, limit: int, seqs: list[int], more: bool
) -> None:
    names = ["notice", "notice", "usage", "notice", "notice"]
    bodies = {seq: kind(seq, name) for seq, name in enumerate(names, 2)}
    await store.create(session())
    await store.append(commit("s1", 2, bodies=tuple(bodies.values())))
    page = await store.events_of("s1", types, before, limit=limit, max_bytes=1_000)
    assert page.events == tuple((seq, bodies[seq]) for seq in seqs)
    assert (page.head, page.oldest, page.more) == (6, 1, more)
    tight = await store.events_of("s1", types, before, limit=limit, max_bytes=1)
    assert tight.events == page.events[-1:]
    assert tight.more == (more or len(seqs) > 1)


@pytest.mark.parametrize(
    ("max_bytes", "count"),
    [
        pytest.param(1, 1, id="one event comes whatever its size"),
        pytest.param(299, 2, id="an event that does not fit waits for the next page"),
        pytest.param(300, 3, id="what fits exactly comes"),
    ],
)
async def test_a_page_keeps_to_its_bytes(store: SqliteStore, max_bytes: int, count: int) -> None:
    await store.create(session(body=b"1" * 100))
    await store.append(commit("s1", 2, bodies=(b"2" * 100, b"3" * 100, b"4" * 100)))
    after = await store.events_after("s1", 0, limit=9, max_bytes=max_bytes)
    assert [found[:1] for found in after.bodies] == [b"1", b"2", b"3"][:count]
    assert after.more
    before = await store.events_before("s1", 5, limit=9, max_bytes=max_bytes)
    assert [found[:1] for found in before.bodies] == [b"2", b"3", b"4"][-count:]
    assert before.more


async def test_a_read_never_sees_half_a_commit(store: SqliteStore) -> None:
    await store.create(session())
    handed_over = [store.append(commit("s1", first, 5)) for first in range(2, 502, 5)]
    while not handed_over[-1].done():
        page = await store.events_after("s1", 0, limit=1000, max_bytes=1_000_000)
        assert page.head % 5 == 1
        assert len(page.bodies) == page.head
    await asyncio.gather(*handed_over)
