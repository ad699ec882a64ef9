"""What this process takes of the machine: memory, and how many files it may open."""

import ctypes
import os
import resource
import sys
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
