"""A disk that is full, fails or lies: nothing is lost, and what cannot be had is said."""

import random
from pathlib import Path

import pytest

from tests.faults.disk_full import fill_disk
from tests.faults.disk_small import NoSmallDisk
from tests.faults.report import Report
from tests.stories.scene import StoryModel


@pytest.mark.parametrize("seed", [1, 2])
async def test_an_agent_that_fills_the_disk_ends_its_turn_and_a_delete_makes_room(
    seed: int, tmp_path: Path
) -> None:
    report = Report()
    async with StoryModel() as model:
        try:
            await fill_disk(tmp_path, model, random.Random(seed), report)
        except NoSmallDisk as problem:
            pytest.skip(f"no small disk can be mounted here: {problem}")
    assert report.tried["disks filled by a burst of files"] == 1
    assert report.clean, report.printed()
