"""However late what is said and answered comes, it is the same, once."""

import random
from pathlib import Path

from tests.faults.delays import delay_lines
from tests.faults.report import Report
from tests.faults.scene import world


async def test_over_lines_with_seconds_of_delay_each_input_acts_once_and_the_log_is_the_log(
    tmp_path: Path,
) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await delay_lines(story, random.Random(1), report)
    assert report.tried.total() == 5
    assert report.checked["repeats that crossed their answer"] > 0
    assert report.clean, report.printed()
