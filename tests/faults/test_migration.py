"""An upgrade is whole or has not happened."""

import random
from pathlib import Path

from tests.faults.migration import upgrade
from tests.faults.report import Report
from tests.faults.scene import world


async def test_an_upgrade_that_is_killed_leaves_the_old_schema_or_the_new(tmp_path: Path) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await upgrade(story, random.Random(1), report, 3)
    assert report.checked["stores of tomorrow that were refused"] == 1
    assert report.clean, report.printed()
