"""A disk that is full, fails or lies: nothing is lost, and what cannot be had is said."""

import random
from pathlib import Path

import pytest

from tests.faults.disk_full import fill_disk
from tests.faults.disk_small import NoSmallDisk
from tests.faults.disk_stubborn import refuse_writes, stand_still, start_read_only
from tests.faults.report import Report
from tests.faults.scene import world
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


async def test_a_disk_that_stands_still_or_refuses_loses_nothing_and_others_speak_on(
    tmp_path: Path,
) -> None:
    report, chance = Report(), random.Random(1)
    async with world(tmp_path) as story:
        await stand_still(story, chance, report)
        for _ in range(2):
            await refuse_writes(story, chance, report)
    assert report.checked["submissions"] == 3
    assert report.clean, report.printed()


async def test_a_server_that_died_says_that_it_may_not_write_and_later_has_lost_nothing(
    tmp_path: Path,
) -> None:
    report = Report()
    async with StoryModel() as model:
        try:
            await start_read_only(tmp_path, model, random.Random(1), report)
        except NoSmallDisk as problem:
            pytest.skip(f"no small disk can be mounted here: {problem}")
    assert report.checked["durable events"] > 0
    assert report.clean, report.printed()
