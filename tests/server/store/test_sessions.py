"""Sessions are created once, forked as exact prefixes, and deleted without a trace."""

from collections.abc import Callable

import pytest

from agent.errors import Unrecorded
from server.errors import NoSuchSession
from server.store.errors import TooManySessions
from server.store.sqlite import SqliteStore
from tests.server.store.samples import (
    at,
    body,
    commit,
    fork,
    indexed,
    piece,
    receipt,
    session,
)

PAGE = {"limit": 500, "max_bytes": 1_000_000}
OWNED_BY_A_SESSION = (
    "sessions",
    "events",
    "receipts",
    "drafts",
    "idempotency",
    "passages",
    "unsearched",
    "words",
    "words_docsize",
)


async def found(store: SqliteStore, q: str) -> list[str]:
    page = await store.rows(None, limit=10, cursor=None, q=q, state="")
    return [row.id for row in page.rows]


async def test_a_new_session_has_its_first_event(store: SqliteStore) -> None:
    row, new = await store.create(session("a", at=at(7), owner="bob"))
    assert new
    assert (row.id, row.owner, row.head) == ("a", "bob", 1)
    assert (row.created_at, row.active_at) == (at(7), at(7))
    assert await store.row("a") == row


async def test_a_repeated_idempotency_key_finds_the_session_of_before(store: SqliteStore) -> None:
    await store.create(session("a", idempotency_key="k"))
    await store.append(commit("a", 2))
    row, new = await store.create(session("b", idempotency_key="k"))
    assert (row, new) == (await store.row("a"), False)
    assert await store.row("b") is None


async def test_an_idempotency_key_belongs_to_its_owner(store: SqliteStore) -> None:
    await store.create(session("a", idempotency_key="k"))
    _, new = await store.create(session("b", owner="bob", idempotency_key="k"))
    assert new


async def test_without_a_key_nothing_is_found(store: SqliteStore) -> None:
    await store.create(session("a"))
    _, new = await store.create(session("b"))
    assert new


async def test_a_key_is_free_again_when_its_session_is_deleted(store: SqliteStore) -> None:
    await store.create(session("a", idempotency_key="k"))
    await store.delete("a")
    row, new = await store.create(session("b", idempotency_key="k"))
    assert (row.id, new) == ("b", True)


async def test_an_id_is_given_once(store: SqliteStore) -> None:
    await store.create(session("a"))
    with pytest.raises(Unrecorded):
        await store.create(session("a"))


async def test_only_sessions_that_are_not_ended_count(store: SqliteStore) -> None:
    for name in ("a", "b", "c"):
        await store.create(session(name))
    await store.create(session("other", owner="bob"))
    await store.append(commit("b", 2, indexed=indexed(state="ended")))
    assert [await store.count(owner) for owner in ("ada", "bob", "eve")] == [2, 1, 0]


async def test_a_fork_is_an_exact_prefix_with_its_receipts_and_words(store: SqliteStore) -> None:
    await store.create(session("a"))
    await store.append(commit("a", 2, 2, receipts=(receipt("in", 2),), words=("early bird",)))
    await store.append(commit("a", 4, 2, receipts=(receipt("out", 4),), words=("late worm",)))
    title = indexed(title="Copied")
    new = fork("b", "a", 3, tail=(b"withdrawn",), indexed=title, owner="bob")
    row = await store.fork(new)
    page = await store.events_after("b", 0, **PAGE)
    assert page.bodies == (new.body, body(2), body(3), b"withdrawn")
    assert (row.head, row.owner, row.indexed, row.active_at) == (4, "bob", title, at(500))
    assert await store.row("b") == row
    assert await store.receipts("b") == (receipt("in", 2),)
    assert await found(store, "early bird") == ["b", "a"]
    assert await found(store, "worm") == ["a"]
    assert await found(store, "copied") == ["b"]


async def test_a_fork_and_its_source_go_on_apart(store: SqliteStore) -> None:
    await store.create(session("a"))
    await store.append(commit("a", 2))
    await store.fork(fork("b", "a", 2))
    await store.append(commit("b", 3, bodies=(b"in b",)))
    await store.append(commit("a", 3, bodies=(b"in a",)))
    await store.delete("a")
    assert (await store.events_after("b", 1, **PAGE)).bodies == (body(2), b"in b")


@pytest.mark.parametrize("through", [0, 3])
async def test_a_fork_beyond_the_source_makes_nothing(store: SqliteStore, through: int) -> None:
    await store.create(session("a"))
    await store.append(commit("a", 2))
    with pytest.raises(Unrecorded):
        await store.fork(fork("b", "a", through))
    assert await store.row("b") is None


async def test_a_fork_of_nothing_is_refused(store: SqliteStore) -> None:
    with pytest.raises(NoSuchSession):
        await store.fork(fork("b", "gone", 1))


async def test_deleting_erases_everything_of_a_session(
    store: SqliteStore, ask: Callable[[str], list[tuple[int, ...]]]
) -> None:
    await store.create(session("a", idempotency_key="k"))
    await store.append(commit("a", 2, receipts=(receipt("r", 2),), words=("secret word",)))
    await store.draft([piece("i1", 0, "half", name="a")])
    await store.delete("a")
    assert await store.row("a") is None
    assert await found(store, "secret") == []
    left = {table: ask(f"SELECT count(*) FROM {table}")[0][0] for table in OWNED_BY_A_SESSION}
    assert left == dict.fromkeys(OWNED_BY_A_SESSION, 0)


async def test_deleting_leaves_the_others_alone(store: SqliteStore) -> None:
    for name in ("a", "b"):
        await store.create(session(name))
        await store.append(commit(name, 2, receipts=(receipt("r", 2),), words=("secret word",)))
    await store.delete("a")
    assert await found(store, "secret") == ["b"]
    assert await store.receipts("b") == (receipt("r", 2),)
    assert (await store.events_after("b", 0, **PAGE)).bodies == (body(1), body(2))


async def test_what_was_handed_over_behind_a_deletion_finds_no_session(
    store: SqliteStore,
) -> None:
    await store.create(session("a"))
    await store.delete("a")
    with pytest.raises(NoSuchSession):
        await store.append(commit("a", 2))
    with pytest.raises(NoSuchSession):
        await store.delete("a")


@pytest.mark.parametrize(
    ("changes", "unsettled"),
    [
        pytest.param({}, False, id="idle"),
        pytest.param({"turn": "t1", "state": "running"}, True, id="a running turn"),
        pytest.param({"turn": "t1", "state": "awaiting_approval"}, False, id="a parked turn"),
        pytest.param({"queue": 2}, True, id="queued input that nothing holds"),
        pytest.param({"queue": 2, "held": True}, False, id="held input"),
        pytest.param({"state": "ended"}, False, id="ended"),
    ],
)
async def test_which_sessions_may_need_recovery(
    store: SqliteStore, changes: dict[str, object], unsettled: bool
) -> None:
    await store.create(session("a"))
    await store.append(commit("a", 2, indexed=indexed(**changes)))
    assert await store.unsettled() == (("a",) if unsettled else ())


async def test_sessions_with_jobs_are_found(store: SqliteStore) -> None:
    for name, jobs in (("a", 2), ("b", 0), ("c", 1)):
        await store.create(session(name))
        await store.append(commit(name, 2, indexed=indexed(jobs=jobs)))
    assert await store.with_jobs() == ("a", "c")
    row = await store.row("a")
    assert row is not None
    assert row.indexed.jobs == 2


async def test_one_session_too_many_is_refused_but_a_repeat_is_answered(store: SqliteStore) -> None:
    first = session("s1", at_most=1, idempotency_key="k")
    await store.create(first)
    with pytest.raises(TooManySessions) as refused:
        await store.create(session("s2", at_most=1))
    assert refused.value.code == "too_many_sessions"
    assert await store.row("s2") is None
    row, new = await store.create(session("s3", at_most=1, idempotency_key="k"))
    assert (row.id, new) == ("s1", False)


async def test_sessions_are_counted_by_owner_and_by_state(store: SqliteStore) -> None:
    for name, owner in (("s1", "ada"), ("s2", "bob")):
        await store.create(session(name, owner=owner))
    assert await store.count(None) == 2
    assert await store.count(None, "idle") == 2
    assert await store.count("ada", "awaiting_approval") == 0


async def test_the_quota_is_counted_by_an_index_of_its_own(
    store: SqliteStore, ask: Callable[[str], list[tuple[object, ...]]]
) -> None:
    plan = ask(
        "EXPLAIN QUERY PLAN SELECT count(*) FROM sessions WHERE state <> 'ended' AND owner = 'ada'"
    )
    assert "COVERING INDEX sessions_in_use" in str(plan)
