"""A bit that flipped, an end that is missing: refused, or harmless, never silently wrong."""

import random

from tests.faults.disk_damage import damage
from tests.faults.disk_wal import damage_log
from tests.faults.report import Report

TIMES = 24
LOGS = 12


async def test_what_a_damaged_file_answers_is_right_or_a_refusal() -> None:
    report = Report()
    await damage(random.Random(1), report, TIMES)
    assert report.tried.total() >= TIMES
    assert report.checked["answers of damaged files that were refused"]
    assert report.clean, report.printed()


async def test_a_damaged_write_ahead_log_loses_its_end_and_says_so_or_nothing() -> None:
    report = Report()
    await damage_log(random.Random(1), report, LOGS)
    assert report.tried.total() == 3 * LOGS
    assert report.checked["damaged write-ahead logs that lost their end, and said so"]
    assert report.clean, report.printed()
