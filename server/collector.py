"""The search for rings of garbage, in passes that nobody notices."""

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Mapping

LONG_SECONDS = 0.002
"""A pass that took longer than this holds people up."""
HARMLESS_SECONDS = 0.05
"""A pass over all that took no longer is made twice as soon: nobody minds it who does not read."""
SOON, LATER, LATE = 1.25, 2.0, 4.0
"""A pass takes all when there are so many times the blocks of memory that the last one left."""


def collect_in_small_passes(quiet: Callable[[], bool]) -> None:
    """What is alive now is not looked at again, and what comes is in small passes. On the loop."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle // 2, 2)
    gc.collect()
    gc.freeze()
    gc.callbacks.append(LongLived(quiet, _on(asyncio.get_running_loop())))


def _on(loop: asyncio.AbstractEventLoop) -> Callable[[Callable[[], object]], None]:
    def later(call: Callable[[], object]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(call)

    return later


class LongLived:
    """One of `gc.callbacks`: what outlived a long full collection is left out of the next ones.

    A pass over ten thousand viewers holds up everybody for hundreds of milliseconds, one over the
    server alone for thirty, which whoever reads a stream would see. What is left out and becomes
    garbage in rings waits for a pass that takes all: soon, where it is `quiet` and that is short;
    later, where only one of both holds; else late.

    Python looks at nothing until a quarter as much is new as the last full pass found: behind a
    long one, the next would be long again. So a pass over what is left follows, `later`: it finds
    next to nothing, and that is what is remembered.
    """

    def __init__(
        self,
        quiet: Callable[[], bool],
        later: Callable[[Callable[[], object]], None],
        *,
        long_seconds: float = LONG_SECONDS,
        clock: Callable[[], float] = time.thread_time,
        blocks: Callable[[], int] = sys.getallocatedblocks,
    ) -> None:
        self._quiet = quiet
        self._later = later
        self._long_seconds = long_seconds
        self._clock = clock
        self._blocks = blocks  # to count what is left out takes as long as a pass over it
        self._alive = blocks()
        self._began = 0.0
        self._took = 0.0
        """Seconds of the last pass that took all."""
        self._takes_all = False
        self._looks_again = False

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        if info["generation"] < 2:
            return
        if phase == "start":
            self._takes_all = self._is_much()
            if self._takes_all:
                gc.unfreeze()
            self._began = self._clock()
        elif self._takes_all or self._clock() - self._began >= self._long_seconds:
            gc.freeze()
            if self._takes_all:
                self._alive, self._took = self._blocks(), self._clock() - self._began
            if not self._looks_again:
                self._looks_again = True
                self._later(self._look_again)

    def _is_much(self) -> bool:
        harmless = self._took <= HARMLESS_SECONDS
        enough = (LATE, LATER, SOON)[harmless + self._quiet()]
        return self._blocks() >= enough * self._alive

    def _look_again(self) -> None:
        gc.collect()
        self._looks_again = False
