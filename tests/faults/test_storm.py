"""Many clients at once do what one would."""

import random
from pathlib import Path

from tests.faults.report import Report
from tests.faults.scene import world
from tests.faults.storm import every_cursor, repeat_everywhere, storm


async def test_a_frame_that_comes_over_many_sockets_at_once_acts_once(tmp_path: Path) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await repeat_everywhere(story, random.Random(1), report)
    assert report.checked["submissions"] > 4
    assert report.clean, report.printed()


async def test_a_hundred_viewers_that_come_back_at_once_again_and_again_have_the_log(
    tmp_path: Path,
) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await storm(story, random.Random(1), report, crowd=100, times=2)
    assert report.checked["events applied by clients"] > 500
    assert report.clean, report.printed()


async def test_every_cursor_there_is_leads_to_the_same_log(tmp_path: Path) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await every_cursor(story, report)
    assert report.tried["cursors"] > 10
    assert report.clean, report.printed()
