"""What the process is told by the system, and what it tells its collector and its library."""

import gc
import resource
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.memory import LongLived, raise_file_limit, resident_mib


def test_memory_is_told_now_or_as_the_most_there_ever_was(tmp_path: Path) -> None:
    now, most = resident_mib(), resident_mib(tmp_path / "none")
    assert 5 < now < most * 2
    assert most > 5


def test_files_may_be_as_many_as_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[1] // 2, before[1]))
        for _ in range(2):
            raise_file_limit()
            assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_reads_of_a_token_take_no_block_from_the_kernel() -> None:
    """Of a process of its own: what the library is told holds for all of it."""
    program = """
import resource, socket
from server.memory import reuse_blocks
told = reuse_blocks()
here, there = socket.socketpair()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def read():
    here.send(b"a token")
    return there.recv(256 * 1024)
for _ in range(100): read()
before = faults()
for _ in range(1_000): read()
print(told, faults() - before)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    told, faults = ran.stdout.split()
    if told == "False":
        pytest.skip("this C library cannot be told")
    assert int(faults) < 500


class Node:
    """A ring of one, which only a collection can find."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def passes() -> Iterator[Callable[[float], None]]:
    """Full collections of which each takes as long as is said, under the rule."""
    now = 0.0
    gc.collect()
    gc.freeze()
    rule = LongLived(long_seconds=1.0, clock=lambda: now)

    def collect(seconds: float) -> None:
        nonlocal now
        rule("start", {"generation": 2})
        gc.collect()
        now += seconds
        rule("stop", {"generation": 2})

    yield collect
    gc.unfreeze()


def test_what_outlives_a_long_pass_is_left_out_of_the_next(
    passes: Callable[[float], None],
) -> None:
    alive = [Node() for _ in range(1_000)]
    before = gc.get_freeze_count()
    passes(0.5)
    assert gc.get_freeze_count() - before < 1_000  # a short one holds up nobody
    passes(1.5)
    assert gc.get_freeze_count() - before >= 1_000
    assert alive


def test_garbage_that_was_left_out_is_found_when_there_is_twice_as_much(
    passes: Callable[[float], None],
) -> None:
    node = Node()
    gone = weakref.ref(node)
    passes(1.5)
    del node
    passes(1.5)
    assert gone() is not None
    alive = [[] for _ in range(gc.get_freeze_count())]  # type: ignore[var-annotated]
    passes(1.5)
    passes(0.1)
    assert gone() is None
    assert alive


def test_passes_over_what_is_young_are_none_of_its_business() -> None:
    before = gc.get_freeze_count()
    rule = LongLived(long_seconds=0.0)
    for generation in (0, 1):
        rule("start", {"generation": generation})
        rule("stop", {"generation": generation})
    assert gc.get_freeze_count() == before
