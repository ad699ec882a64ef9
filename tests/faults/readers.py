"""Clients that do not read and connections that carry one way: nobody else is to notice."""

import asyncio
from contextlib import AsyncExitStack
from itertools import pairwise

from tests.client import Viewer
from tests.faults.proxy import Line, Proxy
from tests.faults.report import Report
from tests.faults.scene import same_in_the_end
from tests.model_server import Reply
from tests.oracle import Frame
from tests.stories.scene import Story

TOO_SLOW = 10.0
LET_GO = 45.0
"""Seconds in which a peer that answers no ping is given up: thirty to the next, fifteen for it."""
BUSY = 60.0
"""Spare seconds on a machine that others work on."""
FLOODS = 2
TIMES, SPARE_SECONDS = 4.0, 7.0
"""How much longer a steady viewer may wait for a frame beside bad ones than it does alone: who had
to wait for the stalled one would wait for ten seconds; a busy machine pauses for a few."""
FLOOD = "".join(f"a line of output, number {number}\n" for number in range(45_000))


class Steady(Viewer):
    """Notes when each frame came."""

    def __init__(self, url: str, session: str) -> None:
        super().__init__(url, session)
        self.came: list[float] = []

    def _take(self, frame: Frame, text: str) -> None:
        self.came.append(asyncio.get_running_loop().time())
        super()._take(frame, text)


async def flood(story: Story, steady: Steady) -> tuple[Frame, float]:
    """The end of a turn with very much text, and for how long no frame of it came, at most."""
    story.model.play(Reply(text=FLOOD, chunk_size=65_536))
    await steady.say("Flood")
    first = len(steady.came)
    ended = await steady.until("turn_ended")
    assert ended["status"] == "completed", ended
    return ended, max(after - before for before, after in pairwise(steady.came[first - 1 :]))


async def behind(story: Story, session: str, stack: AsyncExitStack) -> tuple[Viewer, Line]:
    """A viewer behind a proxy, and its line."""
    proxy = await stack.enter_async_context(Proxy(story.server.url))
    viewer = await stack.enter_async_context(Viewer(proxy.url, session))
    viewer.connection.lagged = True  # so narrow a line is behind the flood
    return await viewer.synced(), proxy.newest


async def stop_reading(story: Story, report: Report) -> None:
    """One client stalls, two lines are half-open, and a steady viewer sees a flood in time."""
    story.model.fresh()
    session = await story.api.session()
    async with AsyncExitStack() as stack:
        steady = await stack.enter_async_context(Steady(story.server.url, session))
        await steady.synced()
        steady.connection.lagged = True  # the flood is more than a ring holds for who is behind
        alone = max([(await flood(story, steady))[1] for _ in range(FLOODS)])
        stalled, stalled_line = await behind(story, session, stack)
        mute, mute_line = await behind(story, session, stack)
        deaf, deaf_line = await behind(story, session, stack)
        stalled_line.down.flows.clear()
        mute_line.up.swallows = True
        deaf_line.down.swallows = True
        report.tried.update({"stalled readers": 1, "half-open connections": 2})
        ended, beside = await flood(story, steady)
        told = f"a steady viewer waited {alone:.3f} s for a frame alone, {beside:.3f} s beside"
        report.note(f"{told} one that reads nothing and two half-open lines")
        assert beside < TIMES * alone + SPARE_SECONDS, told
        await mute.until("turn_ended", turn=ended["turn"])
        for viewer, line, known in ((mute, mute_line, False), (deaf, deaf_line, True)):
            await half_open(story, viewer, line, report, known=known)
        await told_to_go(stalled, stalled_line, steady)
        stored = await story.api.events(session)
        report.log(stored)
        for viewer in (stalled, mute, deaf):
            report.seen(viewer.events, stored, whole=False)
        report.seen(steady.events, stored, whole=True)
        back = await story.join(session, log=stalled.log)
        report.seen(back.events, stored, whole=True)


async def vanish(story: Story, report: Report) -> None:
    """A client is gone without a word, its line stays: the server gives it up by itself, nobody
    else notices, and back on another line it has all."""
    story.model.fresh()
    report.tried["half-open connections"] += 1
    session, steady = await story.begin()
    async with AsyncExitStack() as stack:
        gone, line = await behind(story, session, stack)
        await steady.status_is(viewers=2)
        line.up.swallows = line.down.swallows = True
        assert (await story.turn(steady, "Still there?"))["status"] == "completed"
        assert steady.status["viewers"] == 2, steady.status
        await steady.status_is(viewers=1, within=LET_GO + BUSY)
        back = await story.join(session, log=gone.cut())
        for viewer in (steady, back):
            await same_in_the_end(story, viewer, report)


async def half_open(
    story: Story, viewer: Viewer, line: Line, report: Report, *, known: bool
) -> None:
    """What is said into it has no answer; said again elsewhere it acts once."""
    frame: Frame = {"type": "user_input", "id": f"into-a-hole-{known}", "text": "Hello?"}
    future = await viewer.send(frame)
    steady = await story.join(viewer.session)
    if known:
        await steady.until("user_message", submission=frame["id"])
    assert not future.done()
    viewer.cut()
    line.severed.set()
    back = await story.join(viewer.session, log=viewer.log)
    answer = await back.ask(frame)
    assert answer.get("duplicate", False) is known, answer
    await back.until("user_message", submission=frame["id"])
    await back.until("turn_ended")
    stored = await story.api.events(viewer.session)
    report.submissions(stored, [frame["id"]], {frame["id"]: answer["seq"]})
    for viewer in (steady, back):
        await viewer.leave()


async def told_to_go(stalled: Viewer, line: Line, steady: Viewer) -> None:
    """Once it has not read for ten seconds; when it reads again it hears why."""
    await steady.status_is(viewers=1, within=TOO_SLOW + BUSY)
    line.down.flows.set()
    code = await stalled.closed()
    assert code == 4408, (code, stalled.bye)
    assert stalled.bye is not None
    assert stalled.bye["code"] == 4408
