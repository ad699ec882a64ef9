"""The power fails at any instant: under load, while it shuts down, while it starts again."""

import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

import aiohttp
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.client import Closed, Viewer
from tests.faults.report import Report
from tests.faults.scene import effects, exported, same_bytes, same_in_the_end
from tests.faults.talk import AFTERWARDS, Talk, marks_on_disk
from tests.oracle import Log
from tests.stories.scene import Story
from tests.stories.test_any_instant import Walk

SESSIONS = 3
LONGEST, LONGEST_OF_ALL = 1.2, 40.0
"""Seconds of a life between a start and a kill."""
CAUGHT = "marks on disk after a kill"
GONE = (OSError, ConnectionClosed, InvalidHandshake, aiohttp.ClientError, Closed)
"""What a client meets when its server dies."""


class Walker(Walk):
    """Does anything at any time until the server is gone; what its viewers saw stays in `logs`."""

    def __init__(self, story: Story, session: str, chance: random.Random, log: Log | None) -> None:
        super().__init__(story, session, chance, "")
        self.logs: list[Log] = [log] if log else []
        self.seen: list[Viewer] = []

    async def join(self) -> None:
        await super().join()
        self.seen.append(self.viewers[-1])
        self.logs.append(self.viewers[-1].log)

    async def crash(self) -> None:
        """Not its business here."""

    async def run(self, power_off: asyncio.Event) -> None:
        """Until the power fails; whatever goes wrong before is the server's fault."""
        try:
            if self.logs:
                await self._come_back(self.logs[0])
            while not power_off.is_set():
                await self.step()
        except GONE:
            if not power_off.is_set():
                raise
        for viewer in self.seen:
            viewer.check()

    async def _come_back(self, log: Log) -> None:
        """With what a viewer had when the power failed."""
        self.viewers.append(await self.story.join(self.session, log=log))
        self.seen.append(self.viewers[-1])


class Killer:
    """Kills one server again and again while walkers are at its sessions, and judges each time."""

    def __init__(self, story: Story, chance: random.Random, report: Report) -> None:
        self.server = story.server
        self.model = story.model
        self.chance = chance
        self.report = report
        self.sessions: dict[str, Log | None] = {}
        self.most: dict[str, Counter[str]] = {}
        self.longest = LONGEST

    async def begin(self, story: Story) -> None:
        self.model.fresh()
        self.model.answer = Talk(self.chance, words=300)
        self.sessions = {await story.api.session(): None for _ in range(SESSIONS)}
        self.most = {session: Counter() for session in self.sessions}

    async def round(self) -> None:
        """One life of the server, and what it left."""
        self.model.requests.clear()
        self.model.plain_requests.clear()
        async with AsyncExitStack() as stack:
            story = Story(self.server, self.model, stack)
            await story.connect()
            walkers = [
                Walker(story, session, random.Random(self.chance.random()), log)
                for session, log in self.sessions.items()
            ]
            await self._live_and_die(walkers)
            self._look_at_disk()
            await self._come_back()
            await story.connect()
            for walker in walkers:
                await self._judge(story, walker)
            await self._go_on(story, self.chance.choice(walkers))

    async def _live_and_die(self, walkers: Sequence[Walker]) -> None:
        power_off = asyncio.Event()
        tasks = [asyncio.create_task(walker.run(power_off)) for walker in walkers]
        try:
            await asyncio.wait(
                tasks,
                timeout=self.chance.uniform(0.02, self.longest),
                return_when=asyncio.FIRST_EXCEPTION,
            )
            power_off.set()
            if self.chance.random() < 0.2:
                await self._shut_down()
            else:
                self.report.tried["kill -9 under load"] += 1
                await self.server.kill9()
        finally:
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if error:
                raise error

    async def _shut_down(self) -> None:
        """SIGTERM, and the kill before it is through with it, unless it was quicker."""
        self.server.signal(signal.SIGTERM)
        try:
            await self.server.exited(self.chance.uniform(0.0, 0.1))
        except AssertionError:  # which says that it was killed before its end
            self.report.tried["kill -9 during a shutdown"] += 1
        else:
            self.report.tried["shutdowns under load"] += 1

    async def _come_back(self) -> None:
        """A start, which may be cut short, too."""
        while self.chance.random() < 0.3:
            self.report.tried["kill -9 during a start"] += 1
            try:
                async with asyncio.timeout(self.chance.uniform(0.1, 1.0)):
                    await self.server.start()
            except TimeoutError:
                self._look_at_disk()
            else:
                await self.server.kill9()
        await self.server.start()

    async def _judge(self, story: Story, walker: Walker) -> None:
        text = await exported(story.api, walker.session)
        stored = [json.loads(line) for line in text.splitlines()]
        self.report.log(stored)
        for log in {id(log): log for log in walker.logs}.values():
            self.report.seen(log.events, stored, whole=False)
            same_bytes(log, text, self.report)
        inputs = [name for name, sent in walker.sent.items() if sent["type"] == "user_input"]
        accepted = {name: seq for name, seq in walker.accepted.items() if name in inputs}
        self.report.submissions(stored, inputs, accepted)
        late = [name for name, seq in walker.accepted.items() if seq > len(stored)]
        if late:
            self.report.find("lost", f"{late} were accepted, and are not in the log", len(late))
        self.report.effects(stored, self.most[walker.session], None)
        self.sessions[walker.session] = walker.logs[-1] if walker.logs else None

    async def _go_on(self, story: Story, walker: Walker) -> None:
        """What was sent is known; what runs can be stopped; what is said is answered."""
        again = Walker(story, walker.session, self.chance, None)
        last = await again.settle()
        for name, seq in list(walker.accepted.items())[-20:]:
            if name in walker.sent:
                answer = await last.ask(walker.sent[name])
                same = {"type": "accepted", "id": name, "seq": seq, "duplicate": True}
                if answer != same:
                    self.report.find("doubled", f"{walker.sent[name]} was answered {answer}")
        ended = await story.turn(last, AFTERWARDS)
        self.report.checked["sessions that went on"] += 1
        if ended["status"] != "completed":
            self.report.find("stuck", str(ended))
        now = await effects(story.api, walker.session)
        self.most[walker.session] |= now
        stored = await story.api.events(walker.session)
        self.report.effects(stored, self.most[walker.session], now)
        await same_in_the_end(story, last, self.report)

    def _look_at_disk(self) -> None:
        """Undo takes effects back, so they are counted at every instant there is."""
        for session, most in self.most.items():
            found = marks_on_disk(self.server.data / "workspaces" / session)
            self.report.checked[CAUGHT] += found.total()
            most |= found


async def kill(story: Story, chance: random.Random, report: Report, kills: int) -> None:
    """At least so many kills of one server with three sessions of its own; where it lived too
    short each time for any tool to run, up to three times as many, and each life may be longer."""
    killer = Killer(story, chance, report)
    await killer.begin(story)
    for number in range(3 * kills):
        if number < kills or not report.checked[CAUGHT]:
            await killer.round()
        if number >= kills - 1:
            killer.longest = min(2 * killer.longest, LONGEST_OF_ALL)
    await story.connect()
