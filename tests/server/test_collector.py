"""Passes of the collector are short where people wait, and rings are found all the same."""

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest

from server.collector import HARMLESS_SECONDS, LATE, LATER, SOON, LongLived


class Node:
    """A ring of one, which only a collection can find."""

    def __init__(self) -> None:
        self.me = self


class Passes:
    """Full collections of which each takes as long as is said, under the rule."""

    def __init__(self) -> None:
        self._now = 0.0
        self.quiet = True
        self.blocks = 1_000
        self.asked: list[Callable[[], object]] = []
        self._rule = LongLived(
            lambda: self.quiet,
            self.asked.append,
            long_seconds=1.0,
            clock=lambda: self._now,
            blocks=lambda: self.blocks,
        )

    def __call__(self, seconds: float) -> None:
        self._rule("start", {"generation": 2})
        gc.collect()
        self._now += seconds
        self._rule("stop", {"generation": 2})


@pytest.fixture
def passes() -> Iterator[Passes]:
    gc.collect()
    gc.freeze()
    yield Passes()
    gc.unfreeze()


def test_what_outlives_a_long_pass_is_left_out_of_the_next(passes: Passes) -> None:
    alive = [Node() for _ in range(1_000)]
    before = gc.get_freeze_count()
    passes(0.5)
    assert gc.get_freeze_count() - before < 1_000  # a short one holds up nobody
    passes(1.5)
    assert gc.get_freeze_count() - before >= 1_000
    assert alive


@pytest.mark.parametrize(
    ("seconds", "quiet", "times"),
    [
        (HARMLESS_SECONDS, True, SOON),
        (HARMLESS_SECONDS, False, LATER),
        (0.5, True, LATER),
        (0.5, False, LATE),
    ],
)
def test_garbage_that_was_left_out_is_found_soon_where_nobody_waits_and_else_later(
    passes: Passes, seconds: float, quiet: bool, times: float
) -> None:
    passes.blocks = 2_000
    passes(seconds)  # this one takes all
    passes.quiet = quiet
    gone = _left_out(passes)
    passes.blocks = int(2_000 * times) - 1
    passes(0.5)
    assert gone() is not None
    passes.blocks += 1
    passes(0.5)
    assert gone() is None


def _left_out(passes: Passes) -> "weakref.ref[Node]":
    """A ring that became garbage when it was not looked at any more."""
    node = Node()
    gone = weakref.ref(node)
    passes(1.5)
    del node
    passes(1.5)
    assert gone() is not None
    return gone


def test_behind_a_long_pass_the_next_is_short(passes: Passes) -> None:
    """Else Python would wait until a quarter as much is new, and look at all of it at once."""
    alive = [[Node()] for _ in range(300_000)]
    passes(1.5)
    (look_again,) = passes.asked
    full = _full_passes()
    look_again()
    alive += [[Node()] for _ in range(60_000)]
    assert full() > 1  # the one that was asked for, and some of their own
    assert alive


def test_the_pass_that_follows_asks_for_no_other(passes: Passes) -> None:
    passes(1.5)
    passes(1.5)
    assert len(passes.asked) == 1
    passes.asked.pop()()
    passes(1.5)
    assert len(passes.asked) == 1


def _full_passes() -> Callable[[], int]:
    before = gc.get_stats()[2]["collections"]
    return lambda: gc.get_stats()[2]["collections"] - before


def test_a_short_pass_asks_for_nothing(passes: Passes) -> None:
    passes(0.5)
    assert passes.asked == []


def test_passes_over_what_is_young_are_none_of_its_business() -> None:
    before = gc.get_freeze_count()
    rule = LongLived(lambda: True, lambda call: None, long_seconds=0.0)
    for generation in (0, 1):
        rule("start", {"generation": generation})
        rule("stop", {"generation": generation})
    assert gc.get_freeze_count() == before
