"""Whatever a command does, it ends, the session goes on, and no process is left."""

import random
from pathlib import Path

from tests.faults.report import Report
from tests.faults.scene import world
from tests.faults.tools import CONFIG, TOOLS, misuse


async def test_tools_may_do_their_worst_and_leave_nothing_behind(tmp_path: Path) -> None:
    report = Report()
    async with world(tmp_path, CONFIG) as story:
        await misuse(story, random.Random(1), report, TOOLS[::3])
    assert report.tried["tools that do their worst"] == len(TOOLS[::3])
    assert report.checked["looks for processes of tools after a kill"] > len(TOOLS[::3])
    assert report.clean, report.printed()
