"""Whatever a model sends, the turn ends with a true word and the session goes on."""

import random
from pathlib import Path

from tests.faults.babble import ADAPTERS, ARGUMENTS, CONFIG, MISBEHAVIOURS, babble
from tests.faults.report import Report
from tests.faults.scene import world


async def test_a_model_may_misbehave_in_any_way_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    report = Report()
    async with world(tmp_path, CONFIG, arguments=ARGUMENTS) as story:
        await babble(story, random.Random(1), report, places=1, some=MISBEHAVIOURS[::3])
    assert report.tried.total() == len(ADAPTERS) * len(MISBEHAVIOURS[::3])
    assert report.clean, report.printed()
