"""Who joins, leaves, stalls or half hears, does so alone."""

import random
from pathlib import Path

from tests.faults.crowd import come_and_go
from tests.faults.readers import stop_reading
from tests.faults.report import Report
from tests.faults.scene import world


async def test_ten_viewers_that_come_and_go_during_a_stream_end_with_the_same_state(
    tmp_path: Path,
) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await come_and_go(story, random.Random(1), report, 150)
    assert min(report.tried.values()) > 30
    assert report.checked["events applied by clients"] > 100
    assert report.checked["events compared byte by byte"] > 100
    assert report.clean, report.printed()


async def test_who_stalls_is_closed_and_nobody_else_notices_it_or_a_half_open_line(
    tmp_path: Path,
) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await stop_reading(story, report)
    assert report.checked["submissions"] == 2
    assert report.clean, report.printed()
