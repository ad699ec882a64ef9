"""What the quick part of the faults takes is summed up, and far too much of it is noticed."""

import pytest

from tests.faults.quick import FAR_BEYOND, FOLDER, PROMISED, WORKERS, QuickPart

MOST = PROMISED * FAR_BEYOND * WORKERS


def took(nodeid: str, seconds: float) -> pytest.TestReport:
    return pytest.TestReport(nodeid, ("", 0, ""), {}, "passed", None, "call", duration=seconds)


@pytest.mark.parametrize(("seconds", "broken"), [(MOST / 2, False), (MOST / 2 + 1, True)])
def test_a_quick_part_that_takes_far_too_long_is_noticed(seconds: float, broken: bool) -> None:
    quick = QuickPart()
    for name in ("test_cuts.py::test_one", "test_kills.py::test_two"):
        quick.pytest_runtest_logreport(took(FOLDER + name, seconds))
    assert quick.took == seconds
    assert quick.broken is broken


def test_only_the_faults_are_counted() -> None:
    quick = QuickPart()
    quick.pytest_runtest_logreport(took("tests/stories/test_any_instant.py::test_one", MOST * 2))
    assert not quick.tests
    assert not quick.broken
