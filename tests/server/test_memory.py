"""Memory is told by the system, or by what it ever was."""

from pathlib import Path

from server.memory import resident_mib


def test_memory_is_told_now_or_as_the_most_there_ever_was(tmp_path: Path) -> None:
    now, most = resident_mib(), resident_mib(tmp_path / "none")
    assert 5 < now < most * 2
    assert most > 5
