"""`kill -9` aimed at each phase of what a server does."""

import random
from pathlib import Path

from tests.faults.phases import PHASES, strike
from tests.faults.report import Report
from tests.faults.scene import world


async def test_killed_in_any_phase_it_keeps_what_was_accepted_and_leaves_no_process(
    tmp_path: Path,
) -> None:
    report, chance = Report(), random.Random(1)
    async with world(tmp_path, live_sessions=3) as story:
        for phase in PHASES:
            try:
                await strike(story, chance, report, phase)
            except AssertionError as broken:
                broken.add_note(f"killed at {phase.__name__}")
                raise
    assert report.tried.total() > len(PHASES)
    assert report.checked["sessions that went on"] > len(PHASES)
    assert report.checked["side effects"] > 0
    assert report.clean, report.printed()
