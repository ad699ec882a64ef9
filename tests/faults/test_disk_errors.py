"""The disk fails or stalls in a commit: nothing of it is shown, or all of it is there."""

import asyncio
import random
from pathlib import Path

import pytest

from agent.protocol import UserInput
from tests.faults.disk_errors import fail_at, fail_statements, troubled_house
from tests.faults.disk_stalls import stall_at, stall_statements
from tests.faults.report import Report
from tests.server.sessions.house import ADA, eventually
from tests.server.store.faulty import Fault, Trouble, When

FAULTS = 15


async def test_a_disk_that_stalls_in_a_commit_holds_back_that_and_nothing_else(
    tmp_path: Path,
) -> None:
    trouble = Trouble()
    async with troubled_house(tmp_path, trouble) as home:
        session, other = await home.session(), await home.session()
        async with home.watch(session) as watcher:
            trouble.begin(Fault(1, "stalls"))
            said = asyncio.create_task(home.manager.submit(session, ADA, UserInput("c1", "Hi")))
            await eventually(lambda: bool(trouble.met))
            again = asyncio.create_task(home.manager.submit(session, ADA, UserInput("c1", "Hi")))
            assert [event["type"] for event in await home.log(other)] == ["session_created"]
            async with home.watch(other) as elsewhere:
                assert elsewhere.events == ["session_created"]
            assert watcher.events == ["session_created"]
            assert not said.done()
            assert not again.done()
            trouble.goes_on.set()
            await watcher.until("turn_ended")
            assert ((await said).duplicate, (await again).duplicate) == (False, True)
            assert watcher.events == await home.types(session)
            assert watcher.events.count("user_message") == 1


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


@pytest.mark.parametrize("at", [1, 4, 7])
async def test_while_the_disk_stands_still_another_session_is_shown_on_word_by_word(
    at: int,
) -> None:
    report = Report()
    assert await stall_at(Fault(at, "stalls"), 12, report)
    assert report.clean, report.printed()


async def test_at_any_statement_for_as_long_as_others_speak() -> None:
    report = Report()
    await stall_statements(random.Random(5), report, 6)
    assert report.tried.total() > 2
    assert report.clean, report.printed()
