"""Whatever the network does to a connection, what a client has is the log."""

import random
from pathlib import Path

from tests.faults.cuts import cut_lines
from tests.faults.report import Report
from tests.faults.scene import world

CUTS = 75


async def test_a_client_that_is_cut_at_any_byte_has_the_log_and_each_input_acts_once(
    tmp_path: Path,
) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await cut_lines(story, random.Random(1), report, CUTS)
    assert report.tried.total() >= CUTS
    assert min(report.tried.values()) > CUTS // 4
    assert report.checked["side effects"] > 0
    assert report.checked["submissions"] > 0
    assert report.checked["events compared byte by byte"] > 0
    assert report.clean, report.printed()
