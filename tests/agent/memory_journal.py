"""A journal in memory whose commits the test lets land, fails, or fails after the fact."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from agent.errors import Problem, Unrecorded
from agent.journal import Activity, Commit, Fold, GrowthKind, NewReceipt, Receipt
from agent.protocol import AnyEvent, AssistantMessage, Recorded, ToolOutput, TurnId
from agent.recovery import Draft
from tests.agent.logs import AT

Failure = Literal["lost", "after the fact"]


class Held(Struct, frozen=True):
    """A commit on its way."""

    entries: tuple[Recorded, ...]
    receipts: tuple[NewReceipt, ...]
    done: asyncio.Future[None]
    number: int


class GrowingText:
    """What viewers saw of an item; `closed` from the moment that its end was handed over."""

    def __init__(self, turn: TurnId) -> None:
        self.turn = turn
        self.shown = ""
        self.closed = False

    def grow(self, text: str) -> None:
        assert not self.closed, "an item grew after its end"
        self.shown += text


class MemoryJournal:
    """Implements agent.journal.Journal. `disk` and `receipts` are what a crash leaves.

    Commits land by themselves in the next round of the loop, unless the test holds them.
    """

    def __init__(self, disk: Iterable[Recorded] = (), receipts: Iterable[Receipt] = ()) -> None:
        self.disk = list(disk)
        self.receipts = list(receipts)
        self.held: list[Held] = []
        self._holding = False
        self._hold_at: type[AnyEvent] | None = None
        self.broken: Problem | None = None
        """Raised instead of taking what is handed over."""
        self.fail_at: int | None = None
        """Which commit fails, counted from 0, and how."""
        self.fail_how: Failure = "lost"
        self.commits = 0
        self.texts: dict[tuple[GrowthKind, str], GrowingText] = {}
        self.activities: list[Activity | None] = []
        self.handed = len(self.disk)
        self._lost = False

    def record(
        self, events: Sequence[AnyEvent], receipts: Sequence[NewReceipt], fold: Fold
    ) -> Commit:
        entries = tuple(Recorded(self.handed + n, AT, e) for n, e in enumerate(events, 1))
        assert entries, "an empty commit"
        self.handed += len(entries)
        fold(entries)
        if self.broken is not None:
            raise self.broken
        for event in events:
            self._close(event)
        done = asyncio.get_running_loop().create_future()
        commit = Held(entries, tuple(receipts), done, self.commits)
        self.commits += 1
        self.held.append(commit)
        if self._hold_at is not None and any(isinstance(e, self._hold_at) for e in events):
            self._holding = True
        if not self._holding:
            asyncio.get_running_loop().call_soon(self._land_by_itself, commit)
        return Commit(entries, done)

    def open(self, kind: GrowthKind, turn: TurnId, item: str) -> GrowingText:
        assert (kind, item) not in self.texts, "an item was opened twice"
        text = self.texts[kind, item] = GrowingText(turn)
        return text

    def activity(self, activity: Activity | None) -> None:
        self.activities.append(activity)

    # -- for the test --

    @property
    def is_holding(self) -> bool:
        return self._holding

    def hold(self, at: type[AnyEvent] | None = None) -> None:
        """From now on, or from the first with such an event, commits wait for the test."""
        self._hold_at = at
        self._holding = at is None

    def land(self) -> None:
        """The oldest commit is on disk."""
        if not self.held:
            return
        if self.held[0].number == self.fail_at:
            self.fail(self.fail_how)
            return
        commit = self.held.pop(0)
        if self._lost:
            commit.done.set_exception(Unrecorded("There is a hole before it."))
            return
        self._write(commit)
        commit.done.set_result(None)

    def release(self) -> None:
        """Let all commits land, and those to come."""
        self._hold_at, self._holding = None, False
        while self.held:
            self.land()

    def fail(self, how: Failure = "lost") -> None:
        """The oldest commit fails; where it was written nevertheless, nobody was told."""
        commit = self.held.pop(0)
        if how == "lost":
            self._lost = True
        else:
            self._write(commit)
        commit.done.set_exception(Unrecorded("The disk is full."))

    def drafts(self) -> list[Draft]:
        """What was kept of the texts whose end is not on disk."""
        ended = {e.event.item for e in self.disk if isinstance(e.event, AssistantMessage)}
        ended |= {e.event.call for e in self.disk if isinstance(e.event, ToolOutput)}
        return [
            Draft(text.turn, item, kind, text.shown)
            for (kind, item), text in self.texts.items()
            if item not in ended
        ]

    def _land_by_itself(self, commit: Held) -> None:
        if self.held and self.held[0] is commit:
            self.land()

    def _write(self, commit: Held) -> None:
        assert commit.entries[0].seq == len(self.disk) + 1, "a hole in the log"
        self.disk += commit.entries
        first = commit.entries[0].seq
        self.receipts += [Receipt(r.id, r.fingerprint, first) for r in commit.receipts]

    def _close(self, event: AnyEvent) -> None:
        match event:
            case AssistantMessage(item=item):
                pass
            case ToolOutput(call=item):
                pass
            case _:
                return
        for (_, of), text in self.texts.items():
            text.closed = text.closed or of == item
