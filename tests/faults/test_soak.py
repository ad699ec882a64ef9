"""A server that has served much is as small as one that has served little."""

import random
from pathlib import Path

import pytest

from tests.faults.report import Report
from tests.faults.scene import world
from tests.faults.soak import MOST_MORE, WARM_LAPS, Figures, judge, soak


async def test_after_a_short_mixed_load_nothing_is_left_open(tmp_path: Path) -> None:
    report = Report()
    async with world(tmp_path, live_sessions=2) as story:
        await soak(story, random.Random(1), report, [1.0] * (WARM_LAPS + 2))
    assert report.checked["durable events"] > 0
    assert len(report.notes) > WARM_LAPS
    leaks = [finding for finding in report.findings if "memory" not in finding]
    assert leaks == [], report.printed()  # memory shows only over minutes


def at_rest(sessions: int, **more: float) -> Figures:
    flat = {"memory_mib": 60.0, "descriptors": 20, "threads": 12, "tasks": 6}
    return Figures(sessions, **{**flat, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("what", MOST_MORE)
def test_what_grows_lap_by_lap_is_told(what: str) -> None:
    report = Report()
    judge([at_rest(number * 10, **{what: 60 + 2 * number}) for number in range(12)], report)
    assert report.wrong["leaked"] == 1
    assert what in report.findings[0]


@pytest.mark.parametrize("what", MOST_MORE)
def test_what_goes_up_and_down_is_no_leak(what: str) -> None:
    report = Report()
    judge([at_rest(number * 10, **{what: 60 + number % 2}) for number in range(12)], report)
    assert report.clean, report.printed()


def test_in_a_short_run_what_pools_add_is_spared_and_more_is_told() -> None:
    report = Report()
    judge([at_rest(number, threads=12 + number) for number in range(WARM_LAPS + 2)], report)
    assert report.clean, report.printed()
    judge([at_rest(number, threads=12 + 5 * number) for number in range(WARM_LAPS + 2)], report)
    assert report.wrong["leaked"] == 1


def test_what_the_first_laps_leave_is_no_leak() -> None:
    report = Report()
    first = [at_rest(number, memory_mib=30.0 + 10 * number) for number in range(WARM_LAPS)]
    judge([*first, *(at_rest(number * 100) for number in range(1, 9))], report)
    assert report.clean
    assert any("memory" in note for note in report.notes)
