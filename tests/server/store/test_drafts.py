"""Drafts are appended while an item is open and end with the commit that closes it."""

from server.store.port import Draft
from server.store.sqlite import SqliteStore
from tests.server.store.samples import commit, piece, session


async def test_pieces_are_joined_in_order_of_their_offsets(store: SqliteStore) -> None:
    await store.create(session())
    await store.draft([piece("i1", 0, "Hel"), piece("i1", 3, "lo")])
    await store.draft([piece("i1", 5, " wörld")])
    assert await store.drafts("s1") == (Draft("t1", "i1", "text", "Hello wörld"),)


async def test_what_overlaps_counts_once(store: SqliteStore) -> None:
    await store.create(session())
    await store.draft([piece("i1", 0, "Hello"), piece("i1", 3, "lo world"), piece("i1", 4, "o")])
    (draft,) = await store.drafts("s1")
    assert draft.text == "Hello world"


async def test_a_piece_that_is_sent_again_replaces_the_one_of_before(store: SqliteStore) -> None:
    await store.create(session())
    await store.draft([piece("i1", 0, "Hel")])
    await store.draft([piece("i1", 0, "Hello")])
    (draft,) = await store.drafts("s1")
    assert draft.text == "Hello"


async def test_a_log_whose_beginning_was_skipped_is_what_is_left_of_it(store: SqliteStore) -> None:
    await store.create(session())
    await store.draft([piece("c1", 900, "tail ", kind="tool_log")])
    await store.draft([piece("c1", 2000, "end", kind="tool_log")])
    assert await store.drafts("s1") == (Draft("t1", "c1", "tool_log", "tail end"),)


async def test_text_and_reasoning_of_an_item_are_two_drafts(store: SqliteStore) -> None:
    await store.create(session())
    await store.draft([piece("i1", 0, "hm", kind="reasoning"), piece("i1", 0, "Yes")])
    assert {(draft.kind, draft.text) for draft in await store.drafts("s1")} == {
        ("reasoning", "hm"),
        ("text", "Yes"),
    }


async def test_the_commit_that_closes_an_item_ends_its_drafts_and_no_others(
    store: SqliteStore,
) -> None:
    for name in ("s1", "s2"):
        await store.create(session(name))
        await store.draft(
            [
                piece("i1", 0, "hm", name=name, kind="reasoning"),
                piece("i1", 0, "Yes", name=name),
                piece("i2", 0, "more", name=name),
            ]
        )
    await store.append(commit("s1", 2, closed=("i1",)))
    assert [draft.item for draft in await store.drafts("s1")] == ["i2"]
    assert len(await store.drafts("s2")) == 3
    await store.append(commit("s1", 3, closed=("i2", "never opened")))
    assert await store.drafts("s1") == ()


async def test_a_session_with_drafts_may_need_recovery(store: SqliteStore) -> None:
    await store.create(session())
    await store.draft([piece("i1", 0, "half a sent")])
    assert await store.unsettled() == ("s1",)
    await store.append(commit("s1", 2, closed=("i1",)))
    assert await store.unsettled() == ()


async def test_pieces_of_a_session_that_is_gone_are_left_out(store: SqliteStore) -> None:
    await store.create(session())
    await store.draft([piece("i1", 0, "lost", name="gone"), piece("i1", 0, "kept")])
    assert await store.drafts("gone") == ()
    assert [draft.text for draft in await store.drafts("s1")] == ["kept"]
