"""A slow network: seconds of delay with jitter, in one direction or both, and answers too late."""

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Literal, get_args

from tests.client import Viewer, new_id
from tests.faults.proxy import Line, Proxy, Way
from tests.faults.report import Report
from tests.faults.scene import exported, same_bytes
from tests.faults.talk import Talk
from tests.oracle import Frame
from tests.stories.scene import Story

Late = Literal["towards the server", "towards the client"]
LONGEST = 2.5
"""Seconds by which one piece is late, at most; most are by far less."""
WITHIN = 120.0


async def delay_lines(story: Story, chance: random.Random, report: Report) -> None:
    """Clients with slow lines talk, each says things again that are still on their way."""
    story.model.fresh()
    story.model.answer = Talk(chance, words=150, gentle=True)
    session, steady = await story.begin()
    async with AsyncExitStack() as stack:
        viewers = [await _far_away(story, session, chance, report, stack) for _ in range(3)]
        for late in get_args(Late):
            await say_twice(story, session, late, stack, report)
        await asyncio.gather(*(_talk(viewer, chance, report) for viewer in viewers))
        await steady.ask({"type": "interrupt", "id": new_id(), "queue": "drop"})
        await steady.status_is(state="idle", queue=[], within=WITHIN)
        stored = await story.api.events(session)
        report.log(stored)
        text = await exported(story.api, session)
        for viewer in (steady, *viewers):
            while viewer.log.last < len(stored):
                await viewer.more(within=WITHIN)
            report.seen(viewer.events, stored, whole=True)
            same_bytes(viewer.log, text, report)


async def _far_away(
    story: Story, session: str, chance: random.Random, report: Report, stack: AsyncExitStack
) -> Viewer:
    """Behind a line that is slow one way or both, and now and then very slow."""

    def jitter() -> float:
        return min(chance.expovariate(40.0) + chance.choice((0.0,) * 40 + (LONGEST,)), LONGEST)

    def lay() -> Line:
        slow = Way(jitter=jitter)
        return chance.choice(
            (Line(up=slow), Line(down=slow), Line(up=slow, down=Way(jitter=jitter)))
        )

    report.tried["lines with seconds of delay"] += 1
    proxy = await stack.enter_async_context(Proxy(story.server.url, lay))
    viewer = await stack.enter_async_context(Viewer(proxy.url, session))
    viewer.connection.lagged = True  # so slow a line is behind what is written
    await viewer.live("status", within=WITHIN)
    return viewer


async def _talk(viewer: Viewer, chance: random.Random, report: Report) -> None:
    """It does not wait for answers before it says the same again."""
    for _ in range(3):
        frame: Frame = {"type": "user_input", "id": new_id(), "text": "Go on"}
        sent = [await viewer.send(frame) for _ in range(chance.randrange(1, 4))]
        first, *again = [await viewer.answer(future, within=WITHIN) for future in sent]
        assert first["type"] == "accepted", first
        for answer in again:
            report.checked["repeats that crossed their answer"] += 1
            assert answer == {**first, "duplicate": True}, (first, answer)


async def say_twice(
    story: Story, session: str, late: Late, stack: AsyncExitStack, report: Report
) -> None:
    """Said, said again elsewhere because no answer came, and then the first comes after all."""
    report.tried[f"answers later than the repeat, late {late}"] += 1
    proxy = await stack.enter_async_context(Proxy(story.server.url))
    slow = await stack.enter_async_context(Viewer(proxy.url, session))
    slow.connection.lagged = True
    await slow.synced()
    line = proxy.newest
    way = line.up if late == "towards the server" else line.down
    way.flows.clear()
    frame: Frame = {"type": "user_input", "id": new_id(), "text": "Are you there?"}
    waiting = await slow.send(frame)
    other = await story.join(session)
    if late == "towards the client":
        await _is_known(other, frame["id"])
    answer = await other.ask(frame)
    assert answer["type"] == "accepted", answer
    assert not waiting.done()
    way.flows.set()
    first = await slow.answer(waiting, within=WITHIN)
    assert first["seq"] == answer["seq"], (first, answer)
    duplicates = (first.get("duplicate", False), answer.get("duplicate", False))
    assert duplicates == (late == "towards the server", late == "towards the client"), duplicates
    await _is_known(other, frame["id"])
    report.submissions(other.events, [frame["id"]], {frame["id"]: answer["seq"]})
    await slow.leave()


async def _is_known(viewer: Viewer, name: str) -> None:
    """It begins a turn, or waits."""

    def found() -> Frame | None:
        kinds = ("user_message", "input_queued")
        of = (event for event in viewer.events if event["type"] in kinds)
        return next((event for event in of if event["submission"] == name), None)

    await viewer.wait(found, f"the effect of {name}")
