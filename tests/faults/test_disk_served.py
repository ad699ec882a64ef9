"""A server on a damaged store refuses it in one line, or serves what was written."""

import random
from pathlib import Path

from tests.faults.disk_served import serve_damaged
from tests.faults.report import Report
from tests.faults.scene import world

TIMES = 10


async def test_a_server_on_a_damaged_store_refuses_it_or_serves_what_was_written(
    tmp_path: Path,
) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await serve_damaged(story, random.Random(1), report, TIMES)
    assert report.tried.total() == TIMES
    assert report.checked["damaged stores that no server was started on"]
    assert report.checked["events of damaged stores"]
    assert report.clean, report.printed()
