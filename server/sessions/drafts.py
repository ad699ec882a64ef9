"""One beat for all sessions: what they have shown since the last one is kept in one commit."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from server.store.port import DraftPiece, Store

DRAFT_SECONDS = 0.2
"""How far drafts may lag behind what was shown; the commit takes the rest of 250 ms."""


class Author(Protocol):
    """Who shows text that is not in the log yet."""

    def fresh(self) -> Iterable[DraftPiece]:
        """What was shown since the last time."""
        ...


class Drafts:
    """Asks only those who said that they have something."""

    def __init__(self, store: Store, seconds: float = DRAFT_SECONDS) -> None:
        self._store = store
        self._seconds = seconds
        self._due: dict[Author, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def soon(self, author: Author) -> None:
        self._due[author] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._keep)

    def leave(self, author: Author) -> None:
        """Of it nothing more is kept."""
        self._due.pop(author, None)
        if not self._due and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _keep(self) -> None:
        self._timer = None
        authors, self._due = self._due, {}
        if pieces := [piece for author in authors for piece in author.fresh()]:
            self._store.draft(pieces).add_done_callback(_seen)


def _seen(drafted: asyncio.Future[None]) -> None:
    """A lost draft costs half a sentence after a crash, no more: the next commit will tell."""
    if not drafted.cancelled():
        drafted.exception()
