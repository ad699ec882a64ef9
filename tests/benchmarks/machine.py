"""What the machine says of a process: its time, its memory, its core; and of samples."""

import math
import os
import resource
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
TICKS = os.sysconf("SC_CLK_TCK")


def pin(core: int) -> None:
    """This process and what it starts from now on; with one core there is nothing to choose."""
    os.sched_setaffinity(0, {core})


@contextmanager
def server_core() -> Iterator[None]:
    """What is started inside runs on the server's core, with all threads it will have."""
    before = os.sched_getaffinity(0)
    pin(SERVER_CORE)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_open_files() -> None:
    """Thousands of connections need as many descriptors, here and in what is started."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_kib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def quantile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` of all do not exceed."""
    return sorted(samples)[max(0, math.ceil(len(samples) * share) - 1)]


def median_of(rounds: Sequence[Sequence[float]], share: float) -> float:
    """The median over rounds of each round's quantile."""
    return statistics.median(quantile(samples, share) for samples in rounds)


def sync_ms(folder: Path, times: int = 100) -> float:
    """What it takes this disk to make 4 KiB durable: no commit can be faster. Median."""
    taken = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(times):
            begun = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)
