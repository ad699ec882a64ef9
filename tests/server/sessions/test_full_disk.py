"""On a full disk nothing new begins, what runs ends, and a session can be deleted."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from agent.errors import Problem, Refused
from agent.protocol import Interrupt, Resume, Retry, SetModel, UserInput
from tests.faults.disk_errors import troubled_house
from tests.server.sessions.house import ADA, eventually
from tests.server.store.faulty import Fault, Trouble
from tests.server.store.test_ballast import Filling

MIB = 1024 * 1024


async def test_a_turn_that_runs_goes_on_and_no_other_begins_until_there_is_room(
    tmp_path: Path,
) -> None:
    disk = Filling(tmp_path / "data")
    async with troubled_house(tmp_path, Trouble(), disk) as home:
        busy, idle, go = await home.session(), await home.session(), asyncio.Event()
        home.model.script.append((go,))
        await home.manager.submit(busy, ADA, UserInput("c1", "Talk"))
        await eventually(lambda: home.model.asked == 1)
        disk.free = 16 * MIB
        await home.manager.submit(idle, ADA, SetModel("c0", "other"))
        await eventually(lambda: bool(home.store.cramped))
        for order in (UserInput("c1", "Talk"), Retry("c2"), Resume("c3")):
            with pytest.raises(Refused, match="disk is full") as refused:
                await home.manager.submit(idle, ADA, order)
            assert (refused.value.code, refused.value.retry_after) == ("unavailable", 30)
        with pytest.raises(Problem) as full:
            await home.session()
        assert full.value.code == "disk_full"
        await home.manager.submit(busy, ADA, UserInput("c2", "And then?"))
        await home.manager.submit(busy, ADA, Interrupt("c3", queue="drop"))
        assert (await home.types(busy))[-1] == "turn_ended"
        disk.free = 1000 * MIB
        await eventually(lambda: not home.store.cramped)
        await home.manager.submit(idle, ADA, UserInput("c1", "Talk"))


async def test_where_a_log_cannot_be_erased_its_files_make_the_room(tmp_path: Path) -> None:
    trouble = Trouble()
    async with troubled_house(tmp_path, trouble) as home:
        session = await home.session()
        (home.workspaces.of(session).tree / "large").write_bytes(b"x" * 1000)
        trouble.begin(Fault(1, "before", sqlite3.SQLITE_FULL))
        await home.archive.erase(session)
        assert trouble.met
        assert await home.store.row(session) is None
        assert await home.workspaces.names() == ()
