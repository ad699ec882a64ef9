"""Ten viewers with ten cursors come and go while a reply streams."""

import asyncio
import json
import random
import time
from typing import Any

from tests.client import WITHIN, Viewer
from tests.faults.report import Report
from tests.faults.scene import exported, same_bytes, without
from tests.faults.talk import Talk
from tests.oracle import Log
from tests.stories.scene import Story

MEMBERS = 10


async def come_and_go(story: Story, chance: random.Random, report: Report, moves: int) -> None:
    """In the end all of them have the same log and show the same state."""
    story.model.fresh()
    story.model.answer = Talk(chance, words=1_000, gentle=True)
    session, steady = await story.begin()
    members: dict[int, Viewer] = {}
    left: dict[int, Log] = {}
    for _ in range(moves):
        if steady.status["state"] == "idle" and not steady.status["queue"]:
            await steady.say("Go on")
        number = chance.randrange(MEMBERS)
        if member := members.pop(number, None):
            report.tried["viewers leaving during a stream"] += 1
            left[number] = member.cut() if chance.random() < 0.5 else await member.leave()
            member.check()
        else:
            report.tried["viewers joining during a stream"] += 1
            how = cursor(chance, steady.log.last, left.get(number))
            members[number] = await story.join(session, **how)
        if steady.status["state"] == "running" and chance.random() < 0.5:
            await one_more_frame(steady)
    for number in range(MEMBERS):
        if number not in members:
            how = cursor(chance, steady.log.last, left.get(number))
            members[number] = await story.join(session, **how)
    await story.api.submit(session, {"type": "interrupt", "id": "the-end", "queue": "drop"})
    await agree(story, steady, list(members.values()), report)


async def one_more_frame(viewer: Viewer) -> None:
    count = len(viewer.frames)
    await viewer.wait(lambda: True if len(viewer.frames) > count else None, "one more frame")


def cursor(chance: random.Random, head: int, log: Log | None) -> dict[str, Any]:
    """Where a viewer begins: at what it has, at the start, anywhere, beyond the end."""
    deltas = chance.choice(("all", "all", "none"))
    kind = chance.randrange(4)
    if kind == 0 and log is not None:
        return {"log": log, "deltas": deltas}
    if kind == 1:
        return {"after": chance.randrange(head + 1), "deltas": deltas}
    if kind == 2:
        return {"after": head + 1_000, "deltas": deltas}
    return {"deltas": deltas}


async def same_status(one: Viewer, other: Viewer) -> bool:
    """Whether they come to have the same; either may still be behind."""
    until = time.monotonic() + WITHIN
    while without(one.status, "activity") != without(other.status, "activity"):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.05)
    return True


async def agree(story: Story, steady: Viewer, members: list[Viewer], report: Report) -> None:
    for viewer in (steady, *members):
        await viewer.status_is(state="idle", queue=[], viewers=MEMBERS + 1)
    text = await exported(story.api, steady.session)
    stored = [json.loads(line) for line in text.splitlines()]
    report.log(stored)
    for viewer in (steady, *members):
        while viewer.log.last < len(stored):
            await viewer.more()
        report.seen(viewer.events, stored, whole=True)
        same_bytes(viewer.log, text, report)
        if not await same_status(viewer, steady):
            report.find("different", f"{viewer.status}, {steady.status}")
        if viewer.connection.texts.keys() & viewer.connection.closed:
            report.find("different", f"open texts {viewer.connection.texts}")
