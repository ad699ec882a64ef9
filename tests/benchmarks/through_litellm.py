"""A model behind litellm: what a chunk costs, how late the end is, how long others are held up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

import msgspec
from msgspec import Struct

from tests.benchmarks.chunks import cpu_per_chunk
from tests.benchmarks.load import DELTA, ENDED, PONG, Load, Viewer, load_on
from tests.benchmarks.machine import quantile
from tests.benchmarks.processes import TEST_MODEL, module, mooring
from tests.benchmarks.table import Figure

MODEL = ("--model", "hosted_vllm/test-model")
FULL_RATE = 4_000
PACED = (500, 2_000, 6_000)
"""Chunks of a reply that comes as fast as litellm can take it, and a little slower."""
PACE_MS = 1.5
TURNS = 3
ENDS = 20
"""Of one length; two sessions side by side have ten each, half a reply apart."""
SIDE_BY_SIDE = 2
EACH = 0.003
"""Seconds between two looks of the other session at the server."""
LATE, PAUSE = 20.0, 60.0


class _Delta(Struct):
    text: str


async def measure() -> list[Figure]:
    async with module(TEST_MODEL, "--chunks", FULL_RATE) as model:
        async with mooring(model.url) as server, load_on(server) as load:
            native = await cpu_per_chunk(load, FULL_RATE, rounds=TURNS)
        async with mooring(model.url, arguments=MODEL) as server, load_on(server) as load:
            cpu = await cpu_per_chunk(load, FULL_RATE, rounds=TURNS)
            pauses = await _pauses(load)
    of = "the native adapter"
    figures = [
        Figure("litellm: server CPU per chunk", cpu, "µs", reference=native, of=of),
        Figure(
            "litellm: longest pause for another session", max(pauses), "ms", PAUSE,
            of=f"p99 {quantile(pauses, 0.99):.1f} ms, at full rate",
        ),
    ]  # fmt: skip
    for chunks in PACED:
        late = await _lateness(chunks)
        what = f"litellm: end after the last of {chunks:,} chunks, p95"
        of = f"p50 {quantile(late, 0.5):.1f}, max {max(late):.1f} ms of {len(late)} ends"
        figures.append(Figure(what, quantile(late, 0.95), "ms", LATE, of=of))
    return figures


async def _lateness(chunks: int) -> list[float]:
    """Milliseconds from the model's last chunk to the viewer's end of the turn, which is on disk by
    then, of each reply."""
    async with (
        module(TEST_MODEL, "--chunks", chunks, "--pace-ms", PACE_MS, "--stamp") as model,
        mooring(model.url, arguments=MODEL) as server,
        load_on(server) as load,
    ):
        viewers = [await load.viewer() for _ in range(SIDE_BY_SIDE)]
        apart = chunks * PACE_MS / 1000 / SIDE_BY_SIDE
        ends = await asyncio.gather(*(_ends(v, n * apart) for n, v in enumerate(viewers)))
    return [late for some in ends for late in some]


async def _ends(viewer: Viewer, begin_after: float) -> list[float]:
    await asyncio.sleep(begin_after)
    late = []
    for _ in range(ENDS // SIDE_BY_SIDE):
        await viewer.say()
        last = ""
        async for frame in viewer.through(ENDED):
            last = frame if DELTA in frame else last
        ended = time.monotonic_ns()
        sent = int(msgspec.json.decode(last, type=_Delta).text.split()[-1])
        late.append((ended - sent) / 1e6 - PACE_MS)
    return late


async def _pauses(load: Load) -> list[float]:
    """What another session waits for an answer while replies stream at full rate, milliseconds."""
    streaming, other = await load.viewer(), await load.viewer()
    async with _answers(other) as waits:
        for _ in range(TURNS):
            await streaming.turn()
    return waits


@asynccontextmanager
async def _answers(viewer: Viewer) -> AsyncIterator[list[float]]:
    """The waits for answers to pings, one after another, until left."""
    waits: list[float] = []

    async def ask() -> None:
        for number in count():
            begun = time.perf_counter()
            await viewer.ping(f"p{number}")
            await viewer.until(PONG)
            waits.append((time.perf_counter() - begun) * 1000)
            await asyncio.sleep(EACH)

    asking = asyncio.create_task(ask())
    try:
        yield waits
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
