"""The wall clock jumps, the process stands still: order, tokens and turns stay right."""

import random
from pathlib import Path

import pytest

from tests.faults.clock import ARGUMENTS, CONFIG, Clock, jump, suspend
from tests.faults.report import Report
from tests.faults.scene import world

needs_faketime = pytest.mark.skipif(
    Clock.library() is None, reason="libfaketime is not installed (Debian: apt install libfaketime)"
)


@needs_faketime
async def test_a_clock_that_jumps_both_ways_expires_tokens_and_nothing_else(
    tmp_path: Path,
) -> None:
    report, clock = Report(), Clock(tmp_path)
    how = {"environment": clock.environment, "arguments": ARGUMENTS}
    async with world(tmp_path, CONFIG, **how) as story:  # type: ignore[arg-type]
        await jump(story, random.Random(1), report, clock)
    assert report.tried.total() > 5
    assert report.clean, report.printed()


async def test_a_server_that_stood_still_goes_on_where_it_was(tmp_path: Path) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await suspend(story, report, 1.0)
    assert report.checked["events applied by clients"] > 0
    assert report.clean, report.printed()
