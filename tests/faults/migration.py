"""An upgrade that the power interrupts: the store is of one schema or the next, never between.

Stores begin as any released step made them (see `older.py`) and come to today's by today's steps,
which `slower.py` draws out; `newer.py` adds a step of tomorrow, which today's Mooring refuses.
"""

import asyncio
import random
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from msgspec import Struct

from server.store.schema import STEPS, Step
from server.store.sqlite import DATABASE
from tests.api import Api
from tests.client import WITHIN, new_id
from tests.faults import newer, slower
from tests.faults.older import make_older, shape_after, shape_of
from tests.faults.report import Report
from tests.faults.scene import drafted
from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.serving import Server
from tests.stories.scene import Story, bash, calls

SLOWER = (sys.executable, str(Path(slower.__file__)))
NEWER = (sys.executable, str(Path(newer.__file__)))
TOMORROW = (*STEPS, newer.STEP)
A_STEP = 0.2
LONGEST = 2.5
"""Seconds in which a start begins and ends."""
HALF = "half a "
"""Of the sentence in whose middle the power fails."""


class Past(Struct, frozen=True):
    """Sessions of a life before: their logs, and a submission of each with its answer."""

    logs: dict[str, list[Frame]]
    accepted: dict[str, tuple[Frame, Frame]]
    speaking: str
    """The one in the middle of a sentence."""


async def upgrade(
    story: Story, chance: random.Random, report: Report, begin: int, kills: int
) -> None:
    """From the schema of that step to today's, killed on the way; all of the past is there."""
    past = await _lived_in(story)
    await story.server.kill9()
    folder = _copy(story, chance)
    server = Server(folder, story.model.url, prefix=SLOWER)
    make_older(server.data, begin)
    assert _whole(server.data, STEPS, report) == begin
    for target in sorted(chance.choices(range(begin, len(STEPS)), k=kills)):
        await _kill_behind(server, target, chance)
        reached = _whole(server.data, STEPS, report)
        on_the_way = reached < len(STEPS)
        report.tried[f"kill -9 {'during' if on_the_way else 'behind'} a migration"] += 1
        report.checked["stores of a migration that was killed"] += 1
    today = Server(folder, story.model.url, data=server.data)
    async with today, Api(today.url) as api:
        assert _whole(today.data, STEPS, report) == len(STEPS)
        await _remembers(api, past, report)
        assert await today.terminate() == 0
    report.checked["stores of an older Mooring that were brought up to today"] += 1
    await _leave(story, folder)


async def upgrade_to_tomorrow(
    story: Story, chance: random.Random, report: Report, kills: int
) -> None:
    """A step that takes long and is killed in its middle, and then refused by today's Mooring."""
    past = await _lived_in(story)
    await story.server.kill9()
    folder = _copy(story, chance)
    server = Server(folder, story.model.url, prefix=NEWER)
    for _ in range(kills):
        report.tried["kill -9 during a migration"] += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(chance.uniform(0.3, LONGEST)):
                await server.start()
        if server.running:
            await server.kill9()
        report.checked["stores of a migration that was killed"] += 1
        _whole(server.data, TOMORROW, report)
    async with server, Api(server.url) as api:
        assert _whole(server.data, TOMORROW, report) == len(TOMORROW)
        await _remembers(api, past, report)
        assert await server.terminate() == 0
        await _refused(story, server, report)
    await _leave(story, folder)


async def _lived_in(story: Story) -> Past:
    """Sessions at rest, and one in the middle of a sentence, of which a part is on disk."""
    story.model.fresh()
    viewers = [(await story.begin())[1] for _ in range(4)]
    accepted: dict[str, tuple[Frame, Frame]] = {}
    for viewer in viewers:
        frame: Frame = {"type": "user_input", "id": new_id(), "text": "Go"}
        story.model.play(calls(bash("echo hi")), Reply(text="Done."))
        accepted[viewer.session] = (frame, await viewer.ask(frame))
        await viewer.until("turn_ended", status="completed")
    story.model.play(Reply(text=HALF + "sentence", chunk_size=len(HALF), hold={1: Gate()}))
    await viewers[0].say("Speak")
    await viewers[0].shows(HALF)
    await drafted(story, len(HALF))
    logs = {viewer.session: await story.api.events(viewer.session) for viewer in viewers}
    return Past(logs, accepted, viewers[0].session)


def _copy(story: Story, chance: random.Random) -> Path:
    folder = story.server.data.parent / f"upgraded-{chance.randrange(2**32)}"
    shutil.copytree(story.server.data, folder / "data")
    return folder


async def _leave(story: Story, folder: Path) -> None:
    shutil.rmtree(folder)
    await story.server.start()
    await story.connect()


async def _kill_behind(server: Server, target: int, chance: random.Random) -> None:
    """As soon as that step is taken, or a moment later; of one that was, at any time."""
    starting = asyncio.create_task(server.start())
    longest = LONGEST if _version(server.data) >= target else A_STEP
    while _version(server.data) < target and not starting.done():  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    _ = await asyncio.wait([starting], timeout=chance.uniform(0.0, longest))
    starting.cancel()
    _ = await asyncio.gather(starting, return_exceptions=True)
    if server.running:
        await server.kill9()


def _version(data: Path) -> int:
    path = f"file:{data}/{DATABASE}?mode=ro"
    with closing(sqlite3.connect(path, timeout=WITHIN, uri=True)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _whole(data: Path, steps: Sequence[Step], report: Report) -> int:
    """The version; what belongs to it is there, all of it, and nothing else."""
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        found = shape_of(connection)
        wanted = shape_after(steps[: found.version])
        if found != wanted:
            odd = found.statements ^ wanted.statements
            report.find("broken", f"version {found.version}: {odd}", len(odd))
        if (verdict := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            report.find("broken", f"version {found.version}: {verdict}")
    return found.version


async def _remembers(api: Api, past: Past, report: Report) -> None:
    """Every log is what it was, half a sentence is kept, and what was accepted acts once."""
    for session, log in past.logs.items():
        stored = await api.events(session)
        report.log(stored)
        report.seen(log, stored, whole=False)
        frame, answer = past.accepted[session]
        again = (await api.submit(session, frame)).json
        report.checked["submissions"] += 1
        if again != {**answer, "duplicate": True}:
            report.find("doubled", f"{frame} was answered {answer} and {again}")
    kept = [e for e in await api.events(past.speaking) if e["type"] == "assistant_message"][-1]
    if not (kept.get("partial") and kept["text"].startswith(HALF)):
        report.find("lost", f"half a sentence: {kept}")


async def _refused(story: Story, server: Server, report: Report) -> None:
    """The Mooring of today does not touch a store of tomorrow."""
    old = Server(server.data.parent, story.model.url, data=server.data)
    process = await old.spawn("serve", "--port", "0", "--no-browser", "--data-dir", str(old.data))
    await process.communicate()
    assert process.returncode, "today's Mooring started on tomorrow's store"
    assert "Install the newer Mooring" in old.stderr, old.stderr[-500:]
    report.checked["stores of tomorrow that were refused"] += 1
