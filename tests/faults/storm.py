"""Many at once: the same frame over many sockets, crowds that come back, and every cursor."""

import asyncio
import json
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import count
from typing import Any

from tests.client import Viewer
from tests.faults.report import Report
from tests.faults.scene import exported
from tests.model_server import Gate, Reply
from tests.model_server.reply import Held
from tests.oracle import Frame, Log
from tests.stories.scene import Story, bash, calls

SOCKETS = 6
NUMBERS = count(1)
WITHIN = 60.0
INPUTS = 4


async def repeat_everywhere(story: Story, chance: random.Random, report: Report) -> None:
    """One frame over several sockets and over HTTP at the same time has one effect, one answer."""
    story.model.fresh()
    session, steady = await story.begin()
    async with AsyncExitStack() as stack:
        viewers = [
            await stack.enter_async_context(Viewer(story.server.url, session))
            for _ in range(SOCKETS)
        ]
        for viewer in viewers:
            await viewer.synced()
        for frame in _script():
            if frame["type"] in ("undo", "retry"):
                # The status may be from before: a copy that comes early is `busy`, the next is not.
                await steady.wait(lambda: _ended(steady) == INPUTS or None, "the inputs' turns")
            await _everywhere(story, chance, session, viewers, frame, report)
        stored = await story.api.events(session)
        await steady.wait(lambda: True if steady.log.last >= len(stored) else None, "all of it")
    report.log(stored)
    by_then = [event for event in steady.events if event["seq"] <= len(stored)]
    report.seen(by_then, stored, whole=True)  # the turn of the retry goes on meanwhile
    made = [event["type"] for event in stored].count
    assert made("turn_undone") == 2, stored  # one by the undo, one by the retry
    begun = [event["submission"] for event in stored if event["type"] == "user_message"]
    assert len(begun) == len(set(begun)) == 5, begun


def _script() -> list[Frame]:
    """Four inputs, an undo and a retry."""
    inputs: list[Frame] = [{"type": "user_input", "text": f"Say {n}"} for n in range(INPUTS)]
    frames = [*inputs, {"type": "undo"}, {"type": "retry"}]
    return [{**frame, "id": f"everywhere-{next(NUMBERS)}"} for frame in frames]


def _ended(viewer: Viewer) -> int:
    return [event["type"] for event in viewer.events].count("turn_ended")


async def _everywhere(
    story: Story,
    chance: random.Random,
    session: str,
    viewers: Sequence[Viewer],
    frame: Frame,
    report: Report,
) -> None:
    posts = [story.api.submit(session, frame) for _ in range(2)]
    asks = [viewer.ask(frame, within=WITHIN) for viewer in viewers]
    if chance.random() < 0.5:
        asks += [viewer.ask(frame, within=WITHIN) for viewer in viewers[:2]]
    answered, posted = await asyncio.gather(asyncio.gather(*asks), asyncio.gather(*posts))
    answers = [*answered, *(answer.json for answer in posted)]
    report.tried["submissions repeated at the same time"] += len(answers)
    report.checked["submissions"] += 1
    plain = [answer for answer in answers if "duplicate" not in answer]
    same = {"type": "accepted", "id": frame["id"], "seq": answers[0].get("seq")}
    if len(plain) != 1 or any(
        answer not in (same, {**same, "duplicate": True}) for answer in answers
    ):
        report.find("doubled", f"{frame} was answered {answers}")


async def storm(
    story: Story, chance: random.Random, report: Report, crowd: int, times: int
) -> None:
    """A crowd loses its connections at once, comes back at once, again and again, in a stream."""
    story.model.fresh()
    session, steady = await story.begin()
    gates = [Gate() for _ in range(times)]
    holds: dict[Held, asyncio.Event] = {20 * number: gate for number, gate in enumerate(gates, 1)}
    story.model.play(
        calls(bash("echo hi"), text="Let me see. " * 20),
        Reply(text="wörd " * 40 * times, chunk_size=10, hold=holds),
    )
    await steady.say("Speak")
    logs: list[Log | None] = [None] * crowd
    for gate in gates:
        await gate.reached.wait()
        async with AsyncExitStack() as stack:
            viewers = await _all_join(story, stack, session, logs)
            for viewer in viewers:
                await viewer.shows("wörd")
            gate.set()
            report.tried["viewers in a storm of reconnects"] += crowd
            for number in chance.sample(range(crowd), crowd // 2):
                viewers[number].cut()
            logs = [viewer.log for viewer in viewers]
    await steady.until("turn_ended", status="completed", within=WITHIN)
    async with AsyncExitStack() as stack:
        last = await _all_join(story, stack, session, logs)
        text = await exported(story.api, session)
        stored = [json.loads(line) for line in text.splitlines()]
        report.log(stored)
        for viewer in (steady, *last):
            report.seen(viewer.events, stored, whole=True)


async def _all_join(
    story: Story, stack: AsyncExitStack, session: str, logs: Sequence[Log | None]
) -> list[Viewer]:
    viewers = [Viewer(story.server.url, session, log=log) for log in logs]
    for viewer in viewers:
        viewer.connection.lagged = True  # a hundred clients in one process are slow readers
    await asyncio.gather(*(stack.enter_async_context(viewer) for viewer in viewers))
    for viewer in viewers:
        await viewer.live("status", within=WITHIN)
    return viewers


async def every_cursor(story: Story, report: Report) -> None:
    """Every position there is, with and without the log's generation and deltas, at once."""
    story.model.fresh()
    session, steady = await story.begin()
    for number in range(4):
        await story.turn(steady, f"Turn {number}", calls(bash("echo hi")), Reply(text="So."))
    head, generation = steady.log.last, steady.hello["log"]
    story.model.play(Reply(text="half a sentence", hold={1: (gate := Gate())}))
    await steady.say("Go on")
    await steady.shows("half a ")
    head = steady.log.last
    table: list[tuple[dict[str, Any], str]] = [
        ({}, "replay"),
        ({"after": 0, "generation": generation}, "replay"),
        ({"after": 0, "generation": "stale"}, "replay"),
        ({"after": 1, "generation": generation}, "replay"),
        ({"after": head // 2}, "replay"),
        ({"after": head // 2, "generation": "stale"}, "tail"),
        ({"after": head, "generation": generation}, "replay"),
        ({"after": head, "deltas": "none"}, "replay"),
        ({"after": head + 1}, "tail"),
        ({"after": 2**53, "generation": generation}, "tail"),
        ({"after": 2**53, "generation": "stale", "deltas": "none"}, "tail"),
    ]
    async with AsyncExitStack() as stack:
        viewers = [Viewer(story.server.url, session, **how) for how, _ in table]
        await asyncio.gather(*(stack.enter_async_context(viewer) for viewer in viewers))
        for viewer, (how, mode) in zip(viewers, table, strict=True):
            report.tried["cursors"] += 1
            await viewer.synced()
            assert viewer.hello["mode"] == mode, (how, viewer.hello)
        gate.set()
        for viewer in (steady, *viewers):
            await viewer.until("turn_ended", status="completed")
        stored = await story.api.events(session)
        for viewer in (steady, *viewers):
            report.seen(viewer.events, stored, whole=True)
