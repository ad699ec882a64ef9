"""What all sessions have shown since the last beat is kept in one commit."""

import asyncio
from collections.abc import Sequence
from typing import cast

from agent.errors import Unrecorded
from server.sessions.drafts import Drafts
from server.store.port import DraftPiece, Store


class Shelf:
    """The part of a store that takes drafts."""

    def __init__(self, *, broken: bool = False) -> None:
        self.commits: list[list[str]] = []
        self.came = asyncio.Event()
        self._broken = broken

    def draft(self, pieces: Sequence[DraftPiece]) -> asyncio.Future[None]:
        self.commits.append([piece.text for piece in pieces])
        self.came.set()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._broken:
            done.set_exception(Unrecorded("The disk is full."))
        else:
            done.set_result(None)
        return done


class Writer:
    """A session that writes."""

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)

    def fresh(self) -> list[DraftPiece]:
        taken, self._texts = self._texts, []
        return [DraftPiece("s1", "t1", "i1", "text", 0, text) for text in taken]


def drafts(shelf: Shelf) -> Drafts:
    return Drafts(cast(Store, shelf), 0.01)


async def test_all_that_have_something_share_a_commit() -> None:
    shelf = Shelf()
    beat = drafts(shelf)
    for author in (Writer("one"), Writer("two", "three"), Writer()):
        beat.soon(author)
    await shelf.came.wait()
    assert shelf.commits == [["one", "two", "three"]]


async def test_who_has_something_again_is_asked_again() -> None:
    shelf = Shelf()
    beat = drafts(shelf)
    for text in ("one", "two"):
        shelf.came.clear()
        beat.soon(Writer(text))
        await shelf.came.wait()
    assert shelf.commits == [["one"], ["two"]]


async def test_who_left_is_not_asked_and_an_empty_beat_writes_nothing() -> None:
    shelf = Shelf()
    beat = drafts(shelf)
    gone = Writer("gone")
    beat.soon(gone)
    beat.leave(gone)
    beat.leave(gone)
    beat.soon(Writer())
    beat.soon(here := Writer("here"))
    beat.leave(gone)
    await shelf.came.wait()
    beat.leave(here)
    assert shelf.commits == [["here"]]


async def test_a_draft_that_is_lost_is_nobodys_error() -> None:
    shelf = Shelf(broken=True)
    beat = drafts(shelf)
    beat.soon(Writer("lost"))
    await shelf.came.wait()
    assert shelf.commits == [["lost"]]
