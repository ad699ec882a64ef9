"""A mixed load for as long as it is given: at rest the server stays as small as it was."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from statistics import median

import aiohttp
from msgspec import Struct
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.client import Closed, Viewer
from tests.faults.proxy import Line, Proxy, Way
from tests.faults.report import Report
from tests.faults.talk import Talk
from tests.stories.scene import Story
from tests.stories.test_any_instant import Walk

GUESTS = 4
STEPS = 25
WARM_LAPS = 3
"""What the first ones leave is what pools, caches and the allocator keep for good."""
SPARE = {"descriptors": 8, "threads": 4, "tasks": 2}
MOST_MORE = {"memory_mib": 4.0, "descriptors": 3, "threads": 2, "tasks": 1}
"""By how much the last third of a run may be above the middle one, each in its median."""
SHORTEST = 6
"""Rests of a run that has thirds; in a shorter one pools still grow, within SPARE."""
REST_WITHIN = 60.0
LOOK_SECONDS = 0.5


class Figures(Struct, frozen=True):
    """A server at rest, after so many sessions."""

    sessions: int
    memory_mib: float
    descriptors: int
    threads: int
    tasks: int


class Guest(Walk):
    """Does anything at any time to a session of its own, at times over a line that is lost."""

    def __init__(
        self,
        story: Story,
        session: str,
        chance: random.Random,
        stack: AsyncExitStack,
        proxy: Proxy,
    ) -> None:
        super().__init__(story, session, chance, "")
        self.everyone: list[Viewer] = []
        self.lines_lost = 0
        self._stack = stack
        self._proxy = proxy

    async def crash(self) -> None:
        """Not here."""

    async def step(self) -> None:
        with suppress(Closed, ConnectionClosed, InvalidHandshake, OSError):
            await super().step()
        for viewer in self.everyone:
            viewer.check()
        gone = [viewer for viewer in self.viewers if viewer.close_code is not None]
        self.lines_lost += len(gone)
        self.viewers = [viewer for viewer in self.viewers if viewer not in gone]

    async def join(self) -> None:
        log = self.viewers.pop().cut() if self.viewers and self.chance.random() < 0.5 else None
        direct = self.chance.random() < 0.6
        url = self.story.server.url if direct else self._proxy.url
        viewer = Viewer(url, self.session, log=log)
        self.everyone.append(await self._stack.enter_async_context(viewer))
        self.viewers.append(await viewer.synced())

    async def leave(self) -> Viewer:
        """Of all lines, and settle on a new one that holds."""
        for viewer in self.viewers:
            viewer.cut()
        self.viewers.clear()
        return await self.settle()


async def soak(story: Story, chance: random.Random, report: Report, laps: Sequence[float]) -> None:
    """Laps of so many seconds, each ending with a rest at which the server is measured."""
    story.model.fresh()
    story.model.answer = Talk(chance, words=300)
    rests: list[Figures] = []
    sessions = 0
    for seconds in laps:
        sessions += await _lap(story, chance, report, seconds)
        await story.model.quiet()
        rests.append(await _at_rest(story, sessions, rests[0] if rests else None))
        story.model.requests.clear()
        story.model.plain_requests.clear()
    report.tried["sessions that came, did anything, and went"] += sessions
    judge(rests, report)


async def _lap(story: Story, chance: random.Random, report: Report, seconds: float) -> int:
    """Guests, somebody who watches all of it, and how many sessions that were."""
    until = time.monotonic() + seconds
    dashboard = asyncio.create_task(_watch(story))
    try:
        guests = [
            _guest(story, random.Random(chance.random()), report, until) for _ in range(GUESTS)
        ]
        return sum(await asyncio.gather(*guests))
    finally:
        dashboard.cancel()
        await asyncio.wait([dashboard])


async def _watch(story: Story) -> None:
    """All that the dashboard is sent."""
    async with story.api.socket("/api/dashboard/socket") as socket:
        async for _ in socket:
            pass


async def _guest(story: Story, chance: random.Random, report: Report, until: float) -> int:
    """One session after the other; how many."""

    def lay() -> Line:
        return Line(down=Way(int(10 ** chance.uniform(2.5, 5))))

    count = 0
    while time.monotonic() < until:
        async with Proxy(story.server.url, lay) as proxy, AsyncExitStack() as stack:
            mine = Story(story.server, story.model, stack)
            await mine.connect()
            guest = Guest(mine, await mine.api.session(), chance, stack, proxy)
            await _visit(mine, guest, chance, report)
        count += 1
    return count


async def _visit(story: Story, guest: Guest, chance: random.Random, report: Report) -> None:
    session = guest.session
    if chance.random() < 0.5:
        report.tried["uploads in the mixed load"] += 1
        await story.put(session, "given.bin", chance.randbytes(chance.randrange(1, 200_000)))
    for _ in range(STEPS):
        await guest.step()
    last = await guest.leave()
    report.tried["lines lost in the mixed load"] += guest.lines_lost
    forked = await _fork(story, session, chance)
    stored = await story.api.events(session)
    report.log(stored)
    while last.log.last < len(stored):
        await last.more()
    applied = [tuple(viewer.events) for viewer in (*guest.everyone, last)]
    # What was said over a line that was lost may take effect now: the log is read behind the views.
    stored = await story.api.events(session)
    for events in applied:
        report.seen(events, stored, whole=False)
    for gone in (session, *forked):
        assert (await story.api.call("DELETE", f"/api/sessions/{gone}")).status == 204


async def _fork(story: Story, session: str, chance: random.Random) -> list[str]:
    """Sometimes, and where a turn has ended; the fork has a viewer and a turn, too."""
    if chance.random() < 0.7:
        return []
    answer = await story.api.call("POST", f"/api/sessions/{session}/fork", {})
    if answer.status != 201:
        return []
    viewer: Viewer = await story.join(answer.json["id"])
    await viewer.say("And now?")
    await viewer.ask({"type": "interrupt", "id": "stop", "queue": "drop"})
    return [viewer.session]


async def _at_rest(story: Story, sessions: int, first: Figures | None) -> Figures:
    """Nobody is there, no session in memory, and nothing more comes back; or a minute is over."""
    deadline = time.monotonic() + REST_WITHIN
    before: Figures | None = None
    while True:
        await asyncio.sleep(LOOK_SECONDS)  # connections are closed, tasks end, memory is freed
        idle, now = await is_idle(story), await figures(story, sessions)
        shrinks = before is None or now.memory_mib < before.memory_mib
        at_rest = idle and not shrinks and (first is None or not _unreturned(first, now))
        if at_rest or time.monotonic() > deadline:
            return now
        before = now


async def is_idle(story: Story) -> bool:
    """No session is in memory, and nobody watches one."""
    told = await told_by_metrics(story)
    return not any(float(told[name]) for name in ("mooring_sessions_live", "mooring_viewers"))


async def grown(story: Story, before: Figures) -> list[str]:
    """What a server whose work is over has more of than before, and keeps for a minute."""
    deadline = time.monotonic() + REST_WITHIN
    while (more := _unreturned(before, await figures(story, 0))) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)  # connections are closed, tasks end, and tell nobody
    return more


def _unreturned(first: Figures, now: Figures) -> list[str]:
    """What may still be given back: threads of a pool never are."""
    return [growth for growth in _more(first, now) if not growth.startswith("threads")]


def _more(first: Figures, now: Figures) -> list[str]:
    """What there is more of, beyond what pools may add."""
    return [
        f"{what}: {getattr(first, what)} became {getattr(now, what)}"
        for what, spare in SPARE.items()
        if getattr(now, what) > getattr(first, what) + spare
    ]


async def figures(story: Story, sessions: int) -> Figures:
    """Of the server's process, from outside; its tasks it tells itself."""
    place = Path("/proc") / str(story.server.pid)
    status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
    told = await told_by_metrics(story)
    return Figures(
        sessions,
        int(status["VmRSS"].split()[0]) / 1024,
        len(list((place / "fd").iterdir())),
        int(status["Threads"]),
        int(float(told["mooring_tasks"])),
    )


async def told_by_metrics(story: Story) -> dict[str, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{story.server.url}/metrics") as answer,
    ):
        return dict(line.rsplit(" ", 1) for line in (await answer.text()).splitlines())


def judge(rests: Sequence[Figures], report: Report) -> None:
    """Whether it grew, beside what the first laps leave for good."""
    for rest in rests:
        report.note(
            f"after {rest.sessions} sessions: {rest.memory_mib:.1f} MiB, {rest.descriptors}"
            f" descriptors, {rest.threads} threads, {rest.tasks} tasks"
        )
    if len(rests) < SHORTEST:
        for growth in _more(rests[min(WARM_LAPS, len(rests) - 1)], rests[-1]):
            report.find("leaked", growth)
        return
    third = len(rests) // 3
    middle, last = rests[-2 * third : -third], rests[-third:]
    for what, most in MOST_MORE.items():
        was, now = (median(getattr(rest, what) for rest in part) for part in (middle, last))
        told = f"{what}: {was:.1f} in the middle third, {now:.1f} in the last, +{most:g} is allowed"
        report.note(told)
        if now - was > most:
            report.find("leaked", told)
