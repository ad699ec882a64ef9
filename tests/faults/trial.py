"""One aimed blow: sessions with viewers, the server killed at an instant, and what is left."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import count
from typing import Any

from tests.client import WITHIN, Viewer, new_id
from tests.faults.report import Report
from tests.faults.scene import effects, same_in_the_end
from tests.faults.soak import told_by_metrics
from tests.faults.talk import AFTERWARDS, EFFECTS, marks_on_disk
from tests.model_server import CallScript, Reply, Seen
from tests.oracle import Frame, Log
from tests.serving import Server
from tests.stories.scene import Story, StoryModel, alive, bash, calls

Phase = Callable[["Trial"], AsyncIterator[None]]
A_COMMIT = 0.015
"""Seconds in which a commit is begun, written and told, give or take."""
NUMBERS = count(1)


def answer(seen: Seen) -> Reply:
    """What the model says where a trial has not said what."""
    if not seen.body.get("tools"):
        return Reply(text="A summary")
    return Reply(text="Yes." if AFTERWARDS in str(seen.messages[-2:]) else "All right.")


class Trial:
    """`async with Trial(...)`: sessions are begun, the power fails, and all of it is judged."""

    def __init__(
        self, server: Server, model: StoryModel, chance: random.Random, report: Report
    ) -> None:
        self.server = server
        self.model = model
        self.chance = chance
        self.report = report
        self.marker = f"mooring-trial-{next(NUMBERS)}"
        """In the command line of every process that a tool of this trial leaves running."""
        self.story: Story
        self.viewers: dict[str, Viewer] = {}
        self.sent: dict[str, list[tuple[Frame, asyncio.Future[Frame]]]] = {}
        self.most: dict[str, Counter[str]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Trial":
        self._nothing_scripted()
        await self._connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def begin(self) -> Viewer:
        """A new session and its viewer."""
        session, viewer = await self.story.begin()
        self._take(session, viewer)
        return viewer

    async def adopt(self, session: str) -> Viewer:
        """A session that a trial has made in another way."""
        viewer = await self.story.join(session)
        self._take(session, viewer)
        return viewer

    async def send(self, viewer: Viewer, kind: str, **fields: Any) -> None:
        """Something whose answer may never come."""
        frame = {"type": kind, "id": new_id(), **fields}
        self.sent[viewer.session].append((frame, await viewer.send(frame)))

    def mark(self, then: str = "", **more: Any) -> CallScript:
        """A call that leaves a mark of its own each time it runs."""
        return bash(f"echo mark-{next(NUMBERS)} >> {EFFECTS}{then}", **more)

    def ruling(self) -> str:
        return self.chance.choice(("approve", "reject"))

    def for_ever(self) -> CallScript:
        """The same, and it prints, has children that ignore signals, and does not end."""
        stubborn = f'(trap "" TERM HUP; exec -a {self.marker} sleep 1000) & disown'
        return self.mark(
            f"; setsid bash -c '{stubborn}' & echo running; exec -a {self.marker} sleep 1000"
        )

    async def instant(self, longest: float) -> None:
        """Any instant within so many seconds."""
        await asyncio.sleep(self.chance.uniform(0.0, longest))

    async def fail_power(self, told_as: str) -> None:
        """The server is killed, if it still lives; what its tools had started dies with it."""
        if self.server.running:
            self.report.tried[f"kill -9 {told_as}"] += 1
            await self.server.kill9()
        await self.look_at_rubble()

    async def look_at_rubble(self) -> None:
        """Behind any death of the server: nothing of its tools lives, nothing ran twice."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WITHIN):
                while alive(self.marker):  # noqa: ASYNC110 - the kernel tells nobody
                    await asyncio.sleep(0.02)
        left = alive(self.marker)
        self.report.checked["looks for processes of tools after a kill"] += 1
        if left:
            self.report.find("outlived the server", f"{len(left)} processes", len(left))
        for session, most in self.most.items():
            most |= marks_on_disk(self.server.data / "workspaces" / session)

    async def interrupted_starts(self, times: int, longest: float) -> None:
        """Starts that the power does not let come to their end."""
        for _ in range(times):
            self.report.tried["kill -9 while it recovers"] += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(self.chance.uniform(0.05, longest)):
                    await self.server.start()
            if self.server.running:
                await self.server.kill9()
            await self.look_at_rubble()

    async def metrics_are(self, **expected: int) -> None:
        """As soon as these metrics say so; nobody tells of them, so they are asked for."""
        async with asyncio.timeout(WITHIN):
            while await self.metrics(*expected) != expected:  # noqa: ASYNC110
                await asyncio.sleep(0.03)

    async def fewer_live(self, than: int) -> None:
        """As soon as a session has fallen asleep."""
        async with asyncio.timeout(WITHIN):
            while (await self.metrics("sessions_live"))["sessions_live"] >= than:  # noqa: ASYNC110
                await asyncio.sleep(0.03)

    async def metrics(self, *names: str) -> dict[str, int]:
        told = await told_by_metrics(self.story)
        return {name: int(float(told[f"mooring_{name}"])) for name in names}

    async def return_power(self) -> None:
        """A start, and every viewer is back with what it had."""
        for viewer in self.viewers.values():
            viewer.check()
        await self._stack.aclose()
        await self.server.start()
        await self._connect()
        for session, viewer in tuple(self.viewers.items()):
            self._take(session, await self.story.join(session, log=viewer.log))

    async def judge(self) -> None:
        """Every session's log is right, has what was seen and accepted, and goes on."""
        self._nothing_scripted()
        for viewer in self.viewers.values():
            await self._judge(viewer)
        await self.story.tidy()

    async def stored(self, viewer: Viewer) -> list[Frame]:
        return await self.story.api.events(viewer.session)

    async def of(self, viewer: Viewer, kind: str) -> list[Frame]:
        return [event for event in await self.stored(viewer) if event["type"] == kind]

    async def _judge(self, viewer: Viewer) -> None:
        report, session = self.report, viewer.session
        before = await self.stored(viewer)
        report.seen(viewer.events, before, whole=False)
        for frame, future in self.sent[session]:
            if future.done() and not future.cancelled() and future.result()["type"] == "accepted":
                await self._same(viewer, frame, future.result())
        await self._come_to_rest(viewer)
        ended = await self.story.turn(viewer, AFTERWARDS)
        report.checked["sessions that went on"] += 1
        if ended["status"] != "completed":
            report.find("stuck", str(ended))
        stored = await self.stored(viewer)
        judge_log(report, stored)
        if stored[: len(before)] != before:
            report.find("reordered", f"the log of {session} has changed behind a restart")
        now = await effects(self.story.api, session)
        self.most[session] |= now
        report.effects(stored, self.most[session], now)
        await same_in_the_end(self.story, viewer, report)

    async def _same(self, viewer: Viewer, frame: Frame, first: Frame) -> None:
        answer = await viewer.ask(frame)
        self.report.checked["submissions"] += 1
        if answer != {**first, "duplicate": True}:
            self.report.find("doubled", f"{frame} was answered {first} and {answer}")

    async def _come_to_rest(self, viewer: Viewer) -> None:
        while (row := await self.story.api.look(viewer.session))["state"] != "idle" or row["queue"]:
            if row["state"] == "idle":
                await viewer.ask({"type": "resume", "id": new_id()})
            await viewer.ask({"type": "interrupt", "id": new_id(), "queue": "drop"})

    def _nothing_scripted(self) -> None:
        self.model.fresh()
        self.model.answer = answer

    def _take(self, session: str, viewer: Viewer) -> None:
        self.viewers[session] = viewer
        self.sent.setdefault(session, [])
        self.most.setdefault(session, Counter())

    async def _connect(self) -> None:
        self.story = Story(self.server, self.model, self._stack)
        await self.story.connect()

    async def tell_to_stop(self) -> None:
        """SIGTERM; whether it has the time to stop is left to chance."""
        self.server.signal(signal.SIGTERM)
        await self.instant(0.08)


def lawful(stored: Iterable[Frame]) -> None:
    """Raises Broken where a log does not keep the contract."""
    log = Log()
    for event in stored:
        log.apply(event)


def judge_log(report: Report, stored: Sequence[Frame]) -> None:
    """What is missing, twice or out of order is counted as that, and the contract's laws once."""
    if report.log(stored):
        with report.filing("a log"):
            lawful(stored)


async def asked(trial: Trial, viewer: Viewer) -> str:
    """A turn has come to its question; the call it is about."""
    trial.model.play(calls(trial.mark("; : please-ask"), text="May I?"))
    await trial.send(viewer, "user_input", text="Ask")
    question: Frame = await viewer.until("approval_required")
    return str(question["calls"][0]["call"])
