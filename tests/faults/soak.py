"""A mixed load for as long as it is given: at each rest the server is as small as at the first."""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
from msgspec import Struct

from tests.client import Viewer
from tests.faults.report import Report
from tests.faults.talk import Talk
from tests.stories.scene import Story
from tests.stories.test_any_instant import Walk

GUESTS = 4
STEPS = 25
MIB = 1024 * 1024
WARM_LAPS = 3
"""What the first ones leave is what pools, caches and the allocator keep for good."""
SPARE = {"descriptors": 8, "threads": 4, "tasks": 2}
MIB_PER_THOUSAND = 4.0
"""How much memory a thousand sessions that came and went may leave behind."""


class Figures(Struct, frozen=True):
    """A server at rest, after so many sessions."""

    sessions: int
    memory_mib: float
    descriptors: int
    threads: int
    tasks: int


class Guest(Walk):
    """Does anything at any time to a session of its own; the server is not killed."""

    async def crash(self) -> None:
        """Not here."""


async def soak(story: Story, chance: random.Random, report: Report, laps: Sequence[float]) -> None:
    """Laps of so many seconds, each ending with a rest at which the server is measured."""
    story.model.fresh()
    story.model.answer = Talk(chance, words=300)
    rests: list[Figures] = []
    sessions = 0
    for seconds in laps:
        until = time.monotonic() + seconds
        guests = [
            _guest(story, random.Random(chance.random()), report, until) for _ in range(GUESTS)
        ]
        sessions += sum(await asyncio.gather(*guests))
        await story.model.quiet()
        rests.append(await _at_rest(story, sessions, rests[0] if rests else None))
        story.model.requests.clear()
        story.model.plain_requests.clear()
    report.tried["sessions that came, did anything, and went"] += sessions
    judge(rests, report)


async def _guest(story: Story, chance: random.Random, report: Report, until: float) -> int:
    """One session after the other; how many."""
    count = 0
    while time.monotonic() < until:
        async with AsyncExitStack() as stack:
            mine = Story(story.server, story.model, stack)
            await mine.connect()
            await _visit(mine, await mine.api.session(), chance, report)
        count += 1
    return count


async def _visit(story: Story, session: str, chance: random.Random, report: Report) -> None:
    walk = Guest(story, session, chance, "")
    for _ in range(STEPS):
        await walk.step()
    _ = await walk.settle()
    forked = await _fork(story, session, chance)
    stored = await story.api.events(session)
    report.log(stored)
    report.seen(walk.viewers[-1].events if walk.viewers else [], stored, whole=False)
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
    """As soon as it is as small as it was at first, or after half a minute as it is."""
    deadline = time.monotonic() + 30.0
    while True:
        await asyncio.sleep(0.5)  # connections are closed, tasks end
        now = await figures(story, sessions)
        if first is None or not _more(first, now) or time.monotonic() > deadline:
            return now


async def grown(story: Story, before: Figures) -> list[str]:
    """What a server at rest has more of than before; it may take half a minute to come to rest."""
    return _more(before, await _at_rest(story, 0, before))


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
    warm = rests[WARM_LAPS:]
    if len(warm) < 2:
        return
    begun, last = warm[0], warm[-1]
    for growth in _more(begun, last):
        report.find("leaked", growth)
    slope = memory_slope(warm)
    report.note(f"memory: {slope:+.2f} MiB per 1,000 sessions, {MIB_PER_THOUSAND} are allowed")
    grew = last.memory_mib - begun.memory_mib
    if slope > MIB_PER_THOUSAND and grew > 2.0:
        report.find("leaked", f"memory: {grew:.1f} MiB, {slope:.2f} per 1,000 sessions")


def memory_slope(rests: Sequence[Figures]) -> float:
    """MiB per 1,000 sessions, the straight line of least squares."""
    counts = [rest.sessions / 1000 for rest in rests]
    return statistics.linear_regression(counts, [rest.memory_mib for rest in rests]).slope
