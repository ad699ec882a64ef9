"""A run of the faults: its parts have their turns, and whatever happens it ends with a report."""

import random
from itertools import count

import pytest

from tests.faults.__main__ import CUTS, FULL, KILLS, in_round, lacking, main, over, run
from tests.faults.parts import PARTS, Kind, Part
from tests.faults.report import Report
from tests.oracle import Broken
from tests.stories.scene import Story


async def enough(story: Story, chance: random.Random, report: Report) -> None:
    report.tried.update({"kill -9 in a test": KILLS, "cuts in a test": CUTS})


async def nothing(story: Story, chance: random.Random, report: Report) -> None:
    """Breaks nothing."""


async def mistaken(story: Story, chance: random.Random, report: Report) -> None:
    raise ZeroDivisionError("a mistake in the faults themselves")


async def losing(story: Story, chance: random.Random, report: Report) -> None:
    raise Broken("a hole", "lost", 3)


async def test_whatever_a_part_raises_the_others_have_their_turn() -> None:
    report = Report()
    parts = {"mistaken": Part(mistaken), "losing": Part(losing), "enough": Part(enough)}
    await run(1, 4.0, report, parts, clock=count(0, 60).__next__)
    assert report.runs == dict.fromkeys(parts, 1)
    assert report.wrong == {"broken": 1, "lost": 3}
    assert (report.kills, report.cuts) == (KILLS, CUTS)
    assert "ZeroDivisionError a mistake in the faults themselves" in report.printed()


@pytest.mark.parametrize(("play", "status"), [(losing, 1), (nothing, 0)])
def test_a_run_that_found_something_ends_with_1(play: Kind, status: int) -> None:
    lines: list[str] = []
    assert main(["--minutes", "0.01", "--soak", "0"], {"part": Part(play)}, lines.append) == status
    assert "events checked: 0" in lines[0]
    assert ("lost: part 1/0: Broken a hole" in lines[0]) is bool(status)


def test_a_run_that_is_stopped_prints_what_it_has() -> None:
    async def stop(story: Story, chance: random.Random, report: Report) -> None:
        raise KeyboardInterrupt

    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        main(["--minutes", "1", "--soak", "0"], {"stop": Part(stop)}, lines.append)
    assert "faults tried: 0" in lines[0]


async def test_what_cannot_run_here_is_told_and_what_has_not_run_is_missed() -> None:
    report = Report()
    parts = {"left": Part(nothing, lacks=lambda: "no such library"), "late": Part(nothing)}
    await run(1, 0.0, report, parts)
    assert "left: no such library" in report.printed()
    assert lacking(report, FULL - 1) == []
    assert lacking(report, FULL) == [
        "late has never run",
        f"too few kills: 0, at least {KILLS} are wanted",
        f"too few cuts: 0, at least {CUTS:,} are wanted",
    ]


@pytest.mark.parametrize(
    ("gone", "minutes", "kills", "is_over"),
    [
        (FULL - 1, FULL, KILLS, False),
        (FULL, FULL, KILLS, True),
        (FULL, FULL, KILLS - 1, False),
        (2 * FULL, FULL, KILLS - 1, True),
        (FULL - 1, FULL - 1, 0, True),
    ],
)
def test_a_whole_run_that_has_not_tried_enough_goes_on_for_as_long_again(
    gone: float, minutes: float, kills: int, is_over: bool
) -> None:
    report = Report()
    report.tried.update({"kill -9 in a test": kills, "cuts in a test": CUTS})
    assert over(gone, minutes, report) is is_over


def test_every_part_is_in_the_first_round() -> None:
    assert in_round(0, PARTS) == list(PARTS)
    assert "standstill" not in in_round(1, PARTS)
