"""`kill -9` at random instants under load: nothing seen is lost, nothing runs twice."""

import random
from pathlib import Path

from tests.faults.kills import CAUGHT, kill
from tests.faults.report import Report
from tests.faults.scene import world

KILLS = 9


async def test_killed_at_any_instant_it_keeps_what_was_seen_and_runs_nothing_twice(
    tmp_path: Path,
) -> None:
    report = Report()
    async with world(tmp_path, live_sessions=2) as story:
        await kill(story, random.Random(1), report, KILLS)
    assert report.tried.total() >= KILLS
    assert report.checked["sessions that went on"] >= KILLS
    assert report.checked["events compared byte by byte"] > 0
    # How many there are depends on how fast the machine is; without any, nothing was tried.
    assert report.checked[CAUGHT] > 0
    assert report.clean, report.printed()
