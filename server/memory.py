"""What this process takes of the machine: memory, and how many files it may open."""

import os
import resource
import sys
from pathlib import Path

MIB = 1024 * 1024


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
