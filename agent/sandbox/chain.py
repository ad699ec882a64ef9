"""Which tree and which checkpoints a workspace has, and what undoing a turn does to them. Pure."""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct

from agent.protocol import TurnId

REMEMBERED = 1000
"""Turns whose checkpoint is gone are known this far back; older ones count as never having one."""


class Kept(Struct, frozen=True):
    """A checkpoint: the files as they were before `turn` changed any. `bytes` it had to copy."""

    turn: TurnId
    number: int
    bytes: int


class Chain(Struct, frozen=True):
    """`tree`, `number` and `next` name directories; a number is never used twice.

    `basis` is the checkpoint whose seals tell which files of the tree it holds too.
    `dropped` turns lost their checkpoint, `lost` ones are dropped ones whose undoing was refused,
    `undone` ones were gone back before.
    """

    tree: int = 1
    next: int = 2
    kept: tuple[Kept, ...] = ()
    basis: int | None = None
    dropped: tuple[TurnId, ...] = ()
    lost: tuple[TurnId, ...] = ()
    undone: tuple[TurnId, ...] = ()

    @property
    def numbers(self) -> set[int]:
        """The checkpoints that are still of use."""
        basis = set() if self.basis is None else {self.basis}
        return basis | {kept.number for kept in self.kept}

    @property
    def turns(self) -> frozenset[TurnId]:
        """Those that have a checkpoint, or had one and were not undone since."""
        return frozenset((*self.dropped, *(kept.turn for kept in self.kept)))

    def holds(self, turn: TurnId) -> bool:
        return any(kept.turn == turn for kept in self.kept)

    def with_checkpoint(self, turn: TurnId, size: int, *, keep: int, keep_bytes: int) -> "Chain":
        """The chain behind a checkpoint `self.next`; the oldest make room for it."""
        kept = (*self.kept, Kept(turn, self.next, size))
        first = max(len(kept) - keep, 0)
        while first < len(kept) - 1 and sum(k.bytes for k in kept[first:]) > keep_bytes:
            first += 1
        return msgspec.structs.replace(
            self,
            next=self.next + 1,
            kept=kept[first:],
            basis=self.next,
            dropped=_last((*self.dropped, *(k.turn for k in kept[:first]))),
        )

    def last(self, undone: Collection[TurnId]) -> tuple[Kept, ...]:
        """The checkpoints at the end of the chain that belong to undone turns."""
        first = len(self.kept)
        while first and self.kept[first - 1].turn in undone:
            first -= 1
        return self.kept[first:]

    def cannot_go_back(self, undone: Collection[TurnId]) -> bool:
        return any(turn in undone for turn in self.dropped)

    def without(self, undone: Collection[TurnId]) -> "Chain":
        """The files stay: what would be needed to go back is gone."""
        popped = self.last(undone)
        gone = (*(turn for turn in self.dropped if turn in undone), *(k.turn for k in popped))
        return msgspec.structs.replace(
            self,
            kept=self.kept[: len(self.kept) - len(popped)],
            dropped=tuple(turn for turn in self.dropped if turn not in undone),
            lost=_last((*self.lost, *gone)),
        )

    def gone_back(self, popped: Sequence[Kept]) -> "Chain":
        """The files are those of `popped[0]`, in a tree `self.next`."""
        return msgspec.structs.replace(
            self,
            tree=self.next,
            next=self.next + 1,
            kept=self.kept[: len(self.kept) - len(popped)],
            basis=popped[0].number,
            undone=_last((*self.undone, *(kept.turn for kept in popped))),
        )

    def as_of(self, turn: TurnId | None, later: Sequence[TurnId]) -> tuple[int | None, bool]:
        """The checkpoint with the files after `turn`, None for those of now; and whether it is so.

        `later` are the turns after it in the order of the log.
        """
        if turn in self.undone:
            return None, False
        gone = {*self.dropped, *self.lost}
        for name in later:
            if name in gone:
                return None, False
            if found := [kept.number for kept in self.kept if kept.turn == name]:
                return found[0], True
        return None, True


def _last(turns: tuple[TurnId, ...]) -> tuple[TurnId, ...]:
    return turns[-REMEMBERED:]
