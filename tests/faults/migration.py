"""An upgrade that the power interrupts: the store is of the old schema or the new, never between.

The house has released one step so far, so a second one is invented; see `newer.py`.
"""

import asyncio
import random
import shutil
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path

from server.store.schema import STEPS
from tests.api import Api
from tests.faults import newer
from tests.faults.report import Report
from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.serving import Server
from tests.stories.scene import Story, bash, calls

NEWER = (sys.executable, str(Path(newer.__file__)))
LONGEST = 2.5
"""Seconds in which an upgrade begins and ends."""


async def upgrade(story: Story, chance: random.Random, report: Report, kills: int) -> None:
    """Killed so often on the way; then it comes to its end, and every log is what it was."""
    before = await _lived_in(story)
    await story.server.kill9()
    folder = story.server.data.parent / f"newer-{chance.randrange(2**32)}"
    shutil.copytree(story.server.data, folder / "data")
    server = Server(folder, story.model.url, prefix=NEWER)
    for _ in range(kills):
        report.tried["kill -9 during a migration"] += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(chance.uniform(0.3, LONGEST)):
                await server.start()
        if server.running:
            await server.kill9()
        report.checked["stores of a migration that was killed"] += 1
        _whole(server.data, report)
    async with server, Api(server.url) as api:
        assert _whole(server.data, report) == len(STEPS) + 1
        for session, log in before.items():
            stored = await api.events(session)
            report.log(stored)
            if stored[: len(log)] != log:
                report.find("lost", f"{session} has another log behind the migration")
        assert await server.terminate() == 0
        await _refused(story, server, report)
    shutil.rmtree(folder)
    await story.server.start()
    await story.connect()


async def _lived_in(story: Story) -> dict[str, list[Frame]]:
    """Sessions at rest, and one in the middle of a sentence; their logs."""
    story.model.fresh()
    viewers = [(await story.begin())[1] for _ in range(4)]
    for viewer in viewers:
        await story.turn(viewer, "Go", calls(bash("echo hi")), Reply(text="Done."))
    story.model.play(Reply(text="half a sentence", hold={1: Gate()}))
    await viewers[0].say("Speak")
    await viewers[0].shows("half a ")
    return {viewer.session: await story.api.events(viewer.session) for viewer in viewers}


def _whole(data: Path, report: Report) -> int:
    """The version; what belongs to it is there, all of it, and nothing else."""
    with closing(sqlite3.connect(data / "mooring.db")) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        is_new = version == len(STEPS) + 1
        if verdict != "ok" or ("later" in tables) is not is_new or "work" in tables:
            report.find("broken", f"version {version} with {tables}: {verdict}")
        if is_new:
            counts = "SELECT (SELECT count(*) FROM later) <= (SELECT count(*) FROM events)"
            assert connection.execute(counts).fetchone()[0]
    return version


async def _refused(story: Story, server: Server, report: Report) -> None:
    """The Mooring of today does not touch a store of tomorrow."""
    old = Server(server.data.parent, story.model.url, data=server.data)
    process = await old.spawn("serve", "--port", "0", "--no-browser", "--data-dir", str(old.data))
    await process.communicate()
    assert process.returncode, "today's Mooring started on tomorrow's store"
    assert "Install the newer Mooring" in old.stderr, old.stderr[-500:]
    report.checked["stores of tomorrow that were refused"] += 1
