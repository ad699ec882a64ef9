"""An upgrade is whole or has not happened."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.store.schema import STEPS
from server.store.sqlite import DATABASE, SqliteStore
from tests.faults.disk_asked import everything
from tests.faults.disk_damage import written
from tests.faults.migration import upgrade, upgrade_to_tomorrow
from tests.faults.older import make_older, shape_after, shape_of
from tests.faults.report import Report
from tests.faults.scene import world

TRIES = 4


async def test_a_store_of_the_first_schema_is_brought_up_to_today_over_any_number_of_kills(
    tmp_path: Path,
) -> None:
    report = Report()
    async with world(tmp_path) as story:
        for seed in range(1, TRIES + 1):  # a test that is slow itself kills behind all steps
            if not report.tried["kill -9 during a migration"]:
                await upgrade(story, random.Random(seed), report, begin=1, kills=3)
    assert report.tried["kill -9 during a migration"] > 0
    assert report.checked["stores of an older Mooring that were brought up to today"] > 0
    assert report.clean, report.printed()


async def test_an_upgrade_that_is_killed_leaves_the_old_schema_or_the_new(tmp_path: Path) -> None:
    report = Report()
    async with world(tmp_path) as story:
        await upgrade_to_tomorrow(story, random.Random(1), report, 3)
    assert report.checked["stores of tomorrow that were refused"] == 1
    assert report.clean, report.printed()


@pytest.mark.parametrize("begin", range(1, len(STEPS)))
async def test_from_every_step_that_was_released_all_rows_come_to_today(
    tmp_path: Path, begin: int
) -> None:
    known = await written(tmp_path, lately=False)
    make_older(tmp_path, begin)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as older:
        assert shape_of(older) == shape_after(STEPS[:begin])
        assert older.execute("SELECT count(*) FROM events").fetchone()[0] > 100
    store = SqliteStore.open(tmp_path)
    found = await everything(store)
    await store.close()
    assert found == known
    with closing(sqlite3.connect(tmp_path / DATABASE)) as today:
        assert shape_of(today) == shape_after(STEPS)
