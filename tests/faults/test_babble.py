"""Whatever a model sends, the turn ends with a true word and the session goes on."""

import random
from itertools import product
from pathlib import Path

from tests.faults.babble import (
    ADAPTERS,
    ARGUMENTS,
    CONFIG,
    EVERY,
    MISBEHAVIOURS,
    SAID,
    babble,
    cases,
)
from tests.faults.report import Report
from tests.faults.scene import world


async def test_a_model_may_misbehave_in_any_way_somewhere_in_a_stream_and_nothing_is_left_of_it(
    tmp_path: Path,
) -> None:
    report = Report()
    async with world(tmp_path, CONFIG, arguments=ARGUMENTS) as story:
        await babble(story, random.Random(1), report, places=1, some=MISBEHAVIOURS[::3])
    assert report.tried.total() == len(ADAPTERS) * len(MISBEHAVIOURS[::3])
    assert report.clean, report.printed()


def test_a_whole_run_takes_every_misbehaviour_at_every_point_of_a_stream() -> None:
    taken = [
        (case.name, place, adapter)
        for case, place, adapter in cases(MISBEHAVIOURS, EVERY, random.Random(1))
    ]
    names = [misbehaviour.name for misbehaviour in MISBEHAVIOURS]
    assert len(set(names)) == len(names)
    points = range(len(SAID) + 1)  # before the first chunk, between any two, behind the last one
    assert sorted(taken) == sorted(product(names, points, ADAPTERS))
