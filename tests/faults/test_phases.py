"""`kill -9` aimed at each phase of what a server does."""

import random
from collections.abc import Iterable
from pathlib import Path

from tests.faults.phases import PHASES, a_shutdown, strike, told
from tests.faults.phases_asleep import IN_TIME, LIVE, SLEEPY
from tests.faults.report import Report
from tests.faults.scene import world
from tests.faults.trial import Phase
from tests.stories.scene import Story


async def strike_all(story: Story, phases: Iterable[Phase]) -> Report:
    report, chance = Report(), random.Random(1)
    for phase in phases:
        try:
            await strike(story, chance, report, phase)
        except AssertionError as broken:
            broken.add_note(f"killed at {phase.__name__}")
            raise
    assert report.clean, report.printed()
    return report


async def test_killed_in_any_phase_it_keeps_what_was_accepted_and_leaves_no_process(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, live_sessions=LIVE) as story:
        report = await strike_all(story, PHASES)
    # A shutdown may be quicker than the kill.
    late = [phase for phase in PHASES if not report.tried[f"kill -9 {told(phase)}"]]
    assert set(late) <= {a_shutdown}
    assert report.checked["sessions that went on"] > len(PHASES)
    assert report.checked["side effects"] > 0
    assert report.checked["events compared byte by byte"] > 0


async def test_killed_while_sessions_fall_asleep_in_time_or_wake_it_keeps_what_was_accepted(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, SLEEPY) as story:
        report = await strike_all(story, IN_TIME)
    assert report.kills == len(IN_TIME)
    assert report.checked["sessions that went on"] > len(IN_TIME)
