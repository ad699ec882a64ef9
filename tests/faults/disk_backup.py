"""Backups again and again while sessions work; some are cut short."""

import asyncio
import random
import shutil
import signal
import tempfile
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import msgspec

from agent.errors import Problem
from server.store.sqlite import DATABASE, SqliteStore
from tests.client import Viewer
from tests.faults.report import Report
from tests.faults.talk import Talk
from tests.oracle import Frame
from tests.stories.scene import Story

WORKERS = 3
LONGEST = 0.05
"""Seconds within which a backup is killed that has begun to write."""


async def back_up_again_and_again(
    story: Story, chance: random.Random, report: Report, times: int
) -> None:
    """Each copy holds what every log was at one moment; what was cut short is no backup."""
    story.model.fresh()
    story.model.answer = Talk(chance, words=200, gentle=True)
    viewers = [(await story.begin())[1] for _ in range(WORKERS)]
    working = [asyncio.create_task(_work(viewer)) for viewer in viewers]
    made: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="mooring-backups-") as folder:
        try:
            for number in range(times):
                to = Path(folder, str(number))
                if number % 3 == 2:
                    await _cut_short(story, to, chance, report)
                else:
                    await _whole(story, to, chance, report)
                    made.append(to)
        finally:
            for task in working:
                task.cancel()
            await asyncio.wait(working)
        logs = {viewer.session: await _rested(story, viewer) for viewer in viewers}
        heads = [await _judge(copy, logs, report) for copy in made]
    if not any(before < after for before, after in pairwise(heads)):
        report.find("broken", f"nothing was committed between the backups: {heads}")


async def _work(viewer: Viewer) -> None:
    """Turn after turn, until it is told to stop."""
    while True:
        answer = await viewer.say("Go on")
        started = await viewer.until("turn_started", submission=answer["id"])
        await viewer.until("turn_ended", turn=started["turn"])


async def _backing_up(story: Story, to: Path, chance: random.Random) -> Process:
    flags = ["--without-files"] if chance.random() < 0.5 else []
    data = str(story.server.data)
    return await story.server.spawn("backup", str(to), "--data-dir", data, *flags)


async def _whole(story: Story, to: Path, chance: random.Random, report: Report) -> None:
    report.tried["backups while sessions work"] += 1
    process = await _backing_up(story, to, chance)
    printed, _ = await process.communicate()
    if not (process.returncode == 0 or (to / DATABASE).exists()):
        report.find("broken", f"a backup failed: {printed!r} {story.server.stderr[-400:]}")


async def _cut_short(story: Story, to: Path, chance: random.Random, report: Report) -> None:
    """Killed while it copies: no store can be opened there, nor begun."""
    report.tried["backups that were killed"] += 1
    process = await _backing_up(story, to, chance)
    while process.returncode is None and not (to.exists() and any(to.iterdir())):  # noqa: ASYNC110
        await asyncio.sleep(0.001)  # a file that another process makes tells nobody
    with suppress(TimeoutError):
        async with asyncio.timeout(chance.uniform(0.0, LONGEST)):
            await process.wait()
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    await process.communicate()
    if (to / DATABASE).exists() or not to.exists() or not any(to.iterdir()):
        return  # it was done, or had not begun
    report.checked["backups that were cut short"] += 1
    try:
        store = SqliteStore.open(to)
    except Problem:
        return
    await store.close()
    report.find(
        "silently wrong", f"a backup that was cut short can be served: {list(to.iterdir())}"
    )


async def _rested(story: Story, viewer: Viewer) -> list[Frame]:
    await viewer.ask({"type": "interrupt", "id": "the-end", "queue": "drop"})
    await viewer.status_is(state="idle", queue=[])
    stored = await story.api.events(viewer.session)
    report = Report()
    report.seen(viewer.events, stored, whole=False)
    assert report.clean, report.printed()
    return stored


async def _judge(copy: Path, logs: Mapping[str, list[Frame]], report: Report) -> int:
    """Each log in it begins that of the server, and its receipts fit; how much it holds."""
    store, total = SqliteStore.open(copy), 0
    try:
        for session, live in logs.items():
            page = await store.events_after(session, 0, limit=10**6, max_bytes=10**9)
            events = [msgspec.json.decode(body) for body in page.bodies]
            total += len(events)
            report.log(events)
            report.checked["events in backups"] += len(events)
            if events != live[: len(events)]:
                report.find("reordered", f"{copy}: {session} is not how its log began")
            kept = {receipt.id: receipt.seq for receipt in await store.receipts(session)}
            _fit(kept, events, f"{copy}: {session}", report)
    finally:
        await store.close()
    shutil.rmtree(copy)
    return total


def _fit(kept: Mapping[str, int], events: list[Frame], where: str, report: Report) -> None:
    """What was accepted is in the log, and what is in the log was accepted."""
    acted: dict[str, int] = {}
    for event in events:
        if "submission" in event and event["type"] != "input_withdrawn":
            acted.setdefault(event["submission"], event["seq"])
    report.checked["receipts in backups"] += len(kept)
    beyond = {name: seq for name, seq in kept.items() if seq > len(events)}
    if beyond or acted.keys() - kept.keys():
        report.find("lost", f"{where}: {beyond} are beyond, {acted.keys() - kept.keys()} unkept")
