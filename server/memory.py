"""How much memory this process takes."""

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
