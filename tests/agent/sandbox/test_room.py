"""How much room a tree takes, whatever is in it."""

import os
from pathlib import Path

import pytest

from agent.sandbox.patience import Stop, Stopped
from agent.sandbox.room import ENTRY, MAX_DEPTH, Room, room_of


def test_a_missing_tree_takes_no_room(tmp_path: Path) -> None:
    assert room_of(tmp_path / "missing", Stop()) == Room(0)


def test_files_count_their_blocks_and_their_names(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "full").write_bytes(b"x" * 8192)
    (tmp_path / "empty").touch()
    assert room_of(tmp_path, Stop()) == Room(8192 + 3 * ENTRY)


def test_holes_take_no_room(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert room_of(tmp_path, Stop()).bytes == ENTRY


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 8192)
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    assert room_of(tmp_path, Stop()).bytes == 8192 + 2 * ENTRY


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").symlink_to("/usr")
    assert room_of(tmp_path, Stop()).bytes < 10_000


def test_what_is_too_deep_to_count_is_hidden(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for depth in range(MAX_DEPTH + 1):
        assert depth > MAX_DEPTH or not room_of(tmp_path, Stop()).hidden
        os.mkdir("d", dir_fd=here)
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)
    assert room_of(tmp_path, Stop()).hidden


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_what_is_closed_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert room_of(tmp_path, Stop()).hidden
    (tmp_path / "closed").chmod(0o700)


def test_counting_stops_when_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        room_of(tmp_path, stop)
