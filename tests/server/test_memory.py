"""Memory is told by the system, or by what it ever was; files may be as many as it allows."""

import resource
from pathlib import Path

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
