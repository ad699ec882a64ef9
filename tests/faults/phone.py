"""A client whose connection breaks again and again; it comes back with what it has."""

import random
from contextlib import suppress

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.client import Closed, Viewer, new_id
from tests.faults.proxy import Line, Proxy, Way
from tests.faults.report import Report
from tests.oracle import Frame, Log, law

AT_ONCE = 3
"""Inputs it has said and not seen accepted, or that are queued, before it says another."""


class Phone:
    """Says what was not answered again, under the same id, on the next connection."""

    def __init__(
        self, server: str, session: str, name: str, chance: random.Random, report: Report
    ) -> None:
        self.log = Log()
        self.sent: dict[str, Frame] = {}
        self.accepted: dict[str, int] = {}
        self.cuts = 0
        self._generation: str | None = None
        self._server = server
        self._session = session
        self._name = name
        self._chance = chance
        self._report = report

    async def travel(self, cuts: int) -> None:
        """Lose so many connections, each at a byte offset that chance gives."""
        async with Proxy(self._server, self._lay) as proxy:
            while self.cuts < cuts:
                await self._connect(proxy)

    async def arrive(self) -> None:
        """A last connection that holds, on which all that is left is said."""
        async with self._viewer(self._server) as viewer:
            await viewer.synced()
            for frame in self._unanswered():
                await self._say(viewer, frame)
            await viewer.ask({"type": "interrupt", "id": new_id(), "queue": "drop"})
            await viewer.status_is(state="idle", queue=[])

    def _lay(self) -> Line:
        """Anywhere: in the handshake, in the replay, in a frame, in the middle of a letter."""
        delay = self._chance.choice((0.0, 0.0, 0.0, 0.002))
        if self._chance.random() < 0.5:
            self._report.tried["cuts towards the server"] += 1
            return Line(up=Way(self._chance.randrange(1, 1_500), delay=delay))
        self._report.tried["cuts towards a client"] += 1
        size = int(10 ** self._chance.uniform(0, 4.7))
        return Line(down=Way(size, delay=delay))

    async def _connect(self, proxy: Proxy) -> None:
        self.cuts += 1
        viewer = self._viewer(proxy.url)
        with suppress(OSError, ConnectionClosed, InvalidHandshake, Closed):
            async with viewer:
                await viewer.synced()
                self._generation = viewer.hello["log"]
                await self._talk(viewer)
        viewer.check()  # however it was lost, in the handshake or in the middle of a word

    async def _talk(self, viewer: Viewer) -> None:
        """Until the line is lost: pings make every byte offset come."""
        for frame in self._unanswered():
            await self._say(viewer, frame)
        if len(viewer.status["queue"]) < AT_ONCE:
            name = f"{self._name}-{len(self.sent)}"
            await self._say(viewer, {"type": "user_input", "id": name, "text": f"Say {name}"})
        if self.accepted:
            again = self._chance.choice(list(self.accepted))
            await self._say(viewer, self.sent[again])
        while True:
            await viewer.ask({"type": "ping", "id": new_id()})

    async def _say(self, viewer: Viewer, frame: Frame) -> None:
        name = frame["id"]
        self.sent[name] = frame
        answer = await viewer.ask(frame)
        law(answer["type"] == "accepted", "input is accepted", answer)
        known = self.accepted.setdefault(name, answer["seq"])
        law(known == answer["seq"], f"the answer is the same, it was {known}", answer)

    def _unanswered(self) -> list[Frame]:
        return [frame for name, frame in self.sent.items() if name not in self.accepted]

    def _viewer(self, url: str) -> Viewer:
        return Viewer(url, self._session, log=self.log, generation=self._generation)
