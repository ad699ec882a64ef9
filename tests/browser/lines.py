"""The lines between a page and its server, which a test cuts, stalls or leaves half-open."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from playwright.async_api import Page, WebSocket

from tests.faults.proxy import Line, Proxy, Way
from tests.model_server import Gate, Reply

HEAD_END = b"\r\n\r\n"
SOCKETS = 2
"""That a page has: its list's, and that of the session on screen."""
SOON = 600
"""Bytes after which a line is cut that never gets as far as its session."""
PARTS = 8
"""Words that stream between two cuts."""
ODD = 4
"""Every so many cuts the next line breaks as well, at any byte of its beginning."""


class Lines:
    """Every line that a page has; go to `url` instead of the server's."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._all: list[Line] = []
        self.lay: Callable[[], Line] = Line
        proxy.lay = self._lay

    @property
    def url(self) -> str:
        return self._proxy.url

    def sever(self) -> None:
        for line in self._all:
            line.severed.set()

    def swallow(self) -> None:
        """Half-open: what is said goes nowhere, and nobody is told."""
        for line in self._all:
            line.up.swallows = line.down.swallows = True

    def stall(self) -> None:
        """Nothing comes down any more until `flow`."""
        for line in self._all:
            line.down.flows.clear()

    def flow(self) -> None:
        for line in self._all:
            line.down.flows.set()

    async def go_offline(self, page: Page) -> None:
        """The lines go first: a page that is offline need not hear that they are lost."""
        self.lay = silent = SilentLines()
        self.sever()
        await silent.dialled.wait()
        await page.context.set_offline(True)

    async def come_back(self, page: Page) -> None:
        self.lay = Line
        self.sever()
        await page.context.set_offline(False)

    def _lay(self) -> Line:
        line = self.lay()
        self._all.append(line)
        return line


class Short(Way):
    """A way that breaks early, and tells when it did."""

    def __init__(self, cut: int, broke: asyncio.Event) -> None:
        super().__init__(cut)
        self._broke = broke

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        await super().carry(source, sink)
        if self.was_cut:
            self._broke.set()


class SilentLines:
    """The lines of a server that takes calls and never answers.

    `dialled` tells that both sockets of a page have called: then each knows that it was lost.
    """

    def __init__(self) -> None:
        self.dialled = asyncio.Event()
        self._laid = 0

    def __call__(self) -> Line:
        line = Line()
        line.down.flows.clear()
        self._laid += 1
        if self._laid >= SOCKETS:
            self.dialled.set()
        return line


@asynccontextmanager
async def lines_to(url: str) -> AsyncIterator[Lines]:
    async with Proxy(url) as proxy:
        yield Lines(proxy)


class Guarded(Way):
    """The way up, on which each request gets a token: what a log-in in front of a server does."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token.encode()

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            head = await source.readuntil(HEAD_END)
        except asyncio.IncompleteReadError:
            return
        asked, _, rest = head.partition(b"\r\n")
        # One request a connection: only its beginning is read here.
        rest = rest.replace(b"Connection: keep-alive", b"Connection: close")
        sink.write(b"%s\r\nAuthorization: Bearer %s\r\n%s" % (asked, self._token, rest))
        await super().carry(source, sink)


class Back:
    """When the page had all of its session again: the times of every `synced`."""

    def __init__(self, page: Page) -> None:
        self.times: list[float] = []
        self._came = asyncio.Event()
        page.on("websocket", self._watch)

    async def after(self, moment: float) -> float:
        """Seconds from `moment` to the first `synced` after it."""
        while not self.times or self.times[-1] <= moment:
            self._came.clear()
            await self._came.wait()
        return next(time for time in self.times if time > moment) - moment

    def _watch(self, socket: WebSocket) -> None:
        if "/api/sessions/" in socket.url:
            socket.on("framereceived", self._heard)

    def _heard(self, payload: Any) -> None:
        if '"type":"synced"' in str(payload):
            self.times.append(time.monotonic())
            self._came.set()


class Journey:
    """A reply that streams in parts, and a line that is lost in each of them."""

    def __init__(self, lines: Lines, cuts: int, seed: int) -> None:
        self._lines = lines
        self._chance = random.Random(seed)
        self._gates = [Gate() for _ in range(cuts)]
        self.words = ["w0", *(f" w{number}" for number in range(1, (cuts + 1) * PARTS))]
        self.reply = Reply(
            pieces=self.words,
            hold={(number + 1) * PARTS: gate for number, gate in enumerate(self._gates)},
        )

    @property
    def text(self) -> str:
        return "".join(self.words)

    async def travel(self, back: Back) -> list[float]:
        """Seconds from each cut, or from the last of several, until the page had all again."""
        took = []
        for number, gate in enumerate(self._gates, start=1):
            await gate.reached.wait()
            broke = asyncio.Event()
            if number % ODD == 0:
                cut = self._chance.randrange(1, SOON)
                self._lines.lay = partial(_short, cut, broke)
            else:
                broke.set()
            self._lines.sever()
            gate.set()
            await broke.wait()
            self._lines.lay = Line
            took.append(await back.after(time.monotonic()))
        return took


def _short(cut: int, broke: asyncio.Event) -> Line:
    return Line(None, Short(cut, broke))
