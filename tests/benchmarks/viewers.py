"""Many viewers and bad ones: how far behind they are, what they hold, whom they hold up."""

import asyncio
import socket
import statistics
import sys
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, nullcontext
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from tests.benchmarks.creation import NO_MODEL
from tests.benchmarks.load import DELTA, ENDED, Load, Viewer, load_on
from tests.benchmarks.machine import cpu_seconds, median_of, quantile, rss_kib
from tests.benchmarks.memory import SETTLED
from tests.benchmarks.processes import ROOMY, ROOT, TEST_MODEL, module, mooring
from tests.benchmarks.table import Figure

FULL_RATE_CHUNKS = 50_000
WATCHING = 100
PACE_MS = 10
CHUNKS = 400
LOOKED_AT = 5
"""Of those who watch; the others are read elsewhere, so that no lag of the reader's is measured."""
BEGINNING = 50
"""Chunks that do not count: they come with the turn's own events, and with whom joined last."""
ROUNDS = 3
BACKLOG = 100_000
"""Characters said before, four times: the frozen viewer is full as soon as it joins."""
IDLE = (1_000, 10_000)
SESSIONS_OF_IDLE = 50
STREAMING = 200
THIRTY_A_SECOND_MS = 33
APART = 0.037
"""Seconds between the starts of two turns: people do not all begin at once."""
LOOKS = 100
FIRST_LOOKS = 4
"""They do not count: the last of the turns begin."""
DEFLATE = "permessage-deflate; client_max_window_bits"
LIMITS = ROOMY | {
    "connections_per_user": 20_000,
    "connections_per_address": 25_000,
    "handshakes_per_minute": 1_000_000,
}


class Lags(Struct, frozen=True):
    """Milliseconds from the model to the viewers, and what the server's memory grew to (KiB)."""

    all: list[float]
    grown: float


class Share:
    """What the load generator takes of its core meanwhile: near 100 % the lags are its own."""

    def __init__(self) -> None:
        self._spent, self._begun = time.process_time(), time.perf_counter()

    def __str__(self) -> str:
        spent = time.process_time() - self._spent
        return f"load generator {spent / (time.perf_counter() - self._begun) * 100:.0f} %"


class _Delta(Struct):
    text: str


async def measure() -> list[Figure]:
    return [*await _full_rate(), *await _frozen(), *await _idle(), await _crowd()]


# ---- one at full rate, and one that never reads -------------------------------------------------


async def _full_rate() -> list[Figure]:
    async with (
        module(TEST_MODEL, "--chunks", FULL_RATE_CHUNKS, "--stamp") as model,
        mooring(model.url) as server,
        load_on(server) as load,
    ):
        viewer = await load.viewer()
        share = Share()
        await viewer.say()
        lags = await _lags(viewer)
        of = str(share)
    return [
        Figure("a viewer at full rate: behind p99", quantile(lags, 0.99), "ms", of=of),
        Figure("a viewer at full rate: behind at most", max(lags), "ms", 100.0, of=of),
    ]


async def _frozen() -> list[Figure]:
    """Each round has one run with nobody frozen and one beside it; the medians of the rounds."""
    share = Share()
    rounds = [(await _among(frozen=False), await _among(frozen=True)) for _ in range(ROUNDS)]
    usual = median_of([without.all for without, _ in rounds], 0.99)
    others = median_of([beside.all for _, beside in rounds], 0.99)
    grown = statistics.median(beside.grown - without.grown for without, beside in rounds)
    of = f"{usual:.2f} ms with nobody frozen, {others:.2f} ms beside one; {share}"
    named = f"one frozen among {WATCHING}"
    return [
        Figure(f"{named}: the others' p99 lag", others / usual, "×", 1.2, of=of),
        Figure(f"{named}: memory beyond the others'", grown, "KiB", 256.0),
    ]


async def _among(*, frozen: bool) -> Lags:
    model = module(TEST_MODEL, "--chunks", CHUNKS, "--pace-ms", PACE_MS, "--stamp")
    async with model as playing, mooring(playing.url) as server, load_on(server) as load:
        session = await load.session()
        first = await load.viewer(session)
        for _ in range(4):
            await first.say("x" * BACKLOG)
            await first.until(DELTA)
            await _interrupt(load, session)
            await first.until(ENDED)
        head = await _head(load, session)
        viewers = [await load.viewer(session, after=head) for _ in range(LOOKED_AT)]
        async with _standing(load, [session], WATCHING - 1 - LOOKED_AT, "", head):
            before = rss_kib(load.pid)
            with closing(_frozen_viewer(load, session)) if frozen else nullcontext():
                await viewers[0].say()
                lags = await asyncio.gather(*(_lags(viewer) for viewer in viewers))
                grown = rss_kib(load.pid) - before
    return Lags([lag for some in lags for lag in some[BEGINNING:]], grown)


async def _interrupt(load: Load, session: str) -> None:
    stop = {"type": "interrupt", "id": f"stop{time.monotonic_ns()}"}
    async with load.http.post(
        f"{load.url}/api/sessions/{session}/submissions", json=stop
    ) as answer:
        assert answer.status == 200, await answer.text()


async def _head(load: Load, session: str) -> int:
    async with load.http.get(f"{load.url}/api/sessions/{session}") as answer:
        return int((await answer.json())["head"])


def _frozen_viewer(load: Load, session: str) -> socket.socket:
    """It asks for the whole log, and reads none of it."""
    parts = urlsplit(load.url)
    assert parts.hostname is not None
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    peer.connect((parts.hostname, parts.port))
    peer.sendall(
        f"GET /api/sessions/{session}/socket HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return peer


async def _lags(viewer: Viewer) -> list[float]:
    """Of every chunk of one reply, in milliseconds."""
    lags: list[float] = []
    cut = ""
    async for frame in viewer.through(ENDED):
        if DELTA in frame:
            seen = time.monotonic_ns()
            *stamps, cut = (cut + msgspec.json.decode(frame, type=_Delta).text).split(" ")
            lags += [(seen - int(stamp)) / 1e6 for stamp in stamps]
    return lags


# ---- a crowd ------------------------------------------------------------------------------------


async def _idle() -> list[Figure]:
    figures = []
    for count in IDLE:
        for extensions, named in (("", "without"), (DEFLATE, "with")):
            held = await _held_by(count, extensions)
            what = f"{count:,} idle viewers {named} compression: memory each"
            figures.append(Figure(what, held, "KiB", 17.0))
    return figures


async def _held_by(count: int, extensions: str) -> float:
    async with mooring(NO_MODEL, limits=LIMITS) as server, load_on(server) as load:
        sessions = [await load.session() for _ in range(2)]
        async with _standing(load, sessions[:1], 100, extensions):
            await asyncio.sleep(SETTLED)
            before = rss_kib(load.pid)
            async with _standing(load, sessions[1:], count, extensions):
                await asyncio.sleep(SETTLED)
                return (rss_kib(load.pid) - before) / count


async def _crowd() -> Figure:
    """As many as one core is promised to carry; the loop's lag as the server itself reads it."""
    model = module(TEST_MODEL, "--chunks", 1_000_000, "--pace-ms", THIRTY_A_SECOND_MS)
    idle = IDLE[-1]
    async with (
        model as playing,
        mooring(playing.url, limits=LIMITS) as server,
        load_on(server) as load,
    ):
        quiet = [await load.session() for _ in range(SESSIONS_OF_IDLE)]
        async with _standing(load, quiet, idle // SESSIONS_OF_IDLE, ""):
            streaming = [await load.viewer() for _ in range(STREAMING)]
            for viewer in streaming:
                await viewer.say()
                await asyncio.sleep(APART)
            reading = [asyncio.create_task(viewer.until(ENDED)) for viewer in streaming]
            await asyncio.sleep(SETTLED)
            before, begun = cpu_seconds(load.pid), time.perf_counter()
            generator = Share()
            lags = [await loop_lag(load) for _ in range(FIRST_LOOKS + LOOKS)][FIRST_LOOKS:]
            share = (cpu_seconds(load.pid) - before) / (time.perf_counter() - begun) * 100
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
    what = f"{idle:,} idle viewers, {STREAMING} sessions streaming: loop lag p99"
    of = f"p50 {quantile(lags, 0.5):.1f} ms; {share:.0f} % of the server's core; {generator}"
    return Figure(what, quantile(lags, 0.99), "ms", 20.0, of=of)


async def loop_lag(load: Load) -> float:
    """Milliseconds, as the server measured it last; asked as often as it measures."""
    await asyncio.sleep(0.5)
    async with load.http.get(f"{load.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    line = next(line for line in lines if line.startswith("mooring_loop_lag_seconds"))
    return float(line.split()[-1]) * 1000


@asynccontextmanager
async def _standing(
    load: Load, sessions: Sequence[str], each: int, extensions: str, after: int = 0
) -> AsyncIterator[None]:
    """So many viewers of each session, in a process beside the load generator."""
    urls = [f"{load.url}/api/sessions/{session}/socket?after={after}" for session in sessions]
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.crowd", extensions, str(each), *urls),
        cwd=ROOT,
        stdout=PIPE,
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline(), "the crowd did not get in"
        yield
    finally:
        process.kill()
        await process.wait()
