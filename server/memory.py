"""What this process takes of the machine: memory, and how many files it may open."""

import ctypes
import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

MIB = 1024 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def resident_mib(told: Path = Path("/proc/self/statm")) -> float:
    """Now, where the system tells; the most there ever was, elsewhere."""
    try:
        pages = int(told.read_text().split()[1])
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB, 1)
    return round(pages * os.sysconf("SC_PAGE_SIZE") / MIB, 1)


def raise_file_limit() -> None:
    """To what the system allows: each viewer is an open file, and the usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def reuse_blocks(largest: int = MIB) -> bool:
    """Whether the C library now keeps freed blocks up to this size, where it can be told to.

    asyncio reads into a new block of 256 KiB, whatever comes. glibc asks the kernel for each and
    gives it back: four times the price of the read of a token.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    return tune is not None and all(
        (tune(_M_MMAP_THRESHOLD, largest), tune(_M_TRIM_THRESHOLD, 4 * largest))
    )


def collect_in_small_passes() -> None:
    """What is alive now is not looked at again, and what comes is in passes that nobody notices."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 2)
    gc.collect()
    gc.freeze()
    gc.callbacks.append(LongLived())


class LongLived:
    """One of `gc.callbacks`: what outlived a long full collection is left out of the next ones.

    A pass over ten thousand viewers holds up everybody for hundreds of milliseconds, and came
    once a minute while others streamed. What is left out and becomes garbage in rings waits until
    there is twice as much as was alive: then a pass takes all.
    """

    def __init__(
        self, long_seconds: float = 0.01, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._long_seconds = long_seconds
        self._clock = clock
        self._alive = gc.get_freeze_count()
        self._began = 0.0
        self._takes_all = False

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        if info["generation"] < 2:
            return
        if phase == "start":
            self._takes_all = gc.get_freeze_count() >= 2 * self._alive
            if self._takes_all:
                gc.unfreeze()
            self._began = self._clock()
        elif self._takes_all or self._clock() - self._began >= self._long_seconds:
            gc.freeze()
            if self._takes_all:
                self._alive = gc.get_freeze_count()
