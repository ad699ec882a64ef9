"""The disk fails in the middle of a commit: nothing of it is shown, or all of it is there."""

import random

import pytest

from tests.faults.disk_errors import fail_at, fail_statements
from tests.faults.report import Report
from tests.server.store.faulty import Fault, When

FAULTS = 15


@pytest.mark.parametrize("when", ["before", "after"])
async def test_whichever_statement_of_a_first_commit_fails_viewers_have_the_log(
    when: When,
) -> None:
    report = Report()
    for number in range(1, 16):
        assert await fail_at(Fault(number, when), report)
    assert report.clean, report.printed()


async def test_at_any_statement_for_any_reason_for_any_time() -> None:
    report = Report()
    await fail_statements(random.Random(3), report, FAULTS)
    assert report.tried.total() > FAULTS // 2
    assert report.clean, report.printed()
