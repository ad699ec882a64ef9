"""What the process is told by the system, and what it tells its library."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from server.memory import raise_file_limit, resident_mib


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
