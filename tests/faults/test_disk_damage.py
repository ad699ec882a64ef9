"""A bit that flipped, an end that is missing: refused, or harmless, never silently wrong."""

import random

from tests.faults.disk_damage import damage
from tests.faults.report import Report

TIMES = 24


async def test_what_a_damaged_file_answers_is_right_or_a_refusal() -> None:
    report = Report()
    await damage(random.Random(1), report, TIMES)
    assert report.tried.total() == TIMES
    assert report.checked["answers of damaged files that were refused"]
    assert report.clean, report.printed()
