"""Twenty sessions that stream fifty tokens a second each: what the server needs, who waits."""

import asyncio
import time

import msgspec
from msgspec import Struct

from tests.benchmarks.load import DELTA, ENDED, Load, Viewer, load_on
from tests.benchmarks.machine import cpu_seconds, quantile
from tests.benchmarks.processes import TEST_MODEL, module, mooring, relay
from tests.benchmarks.table import Figure

SESSIONS = 20
PACE_MS = 20
CHUNKS = 400
APART = 0.037
"""Seconds between the starts of two turns: people do not all begin at once."""


class Run(Struct):
    """`cpu` is a share of one core; `lags` are milliseconds from the model to the viewer."""

    cpu: float
    per_chunk: float
    lags: list[float]


class _Delta(Struct):
    text: str


async def measure() -> list[Figure]:
    async with module(TEST_MODEL, "--chunks", CHUNKS, "--pace-ms", PACE_MS, "--stamp") as model:
        async with relay(model.url) as bare, load_on(bare) as load:
            reference = await _run(load)
        async with mooring(model.url) as server, load_on(server) as load:
            ours = await _run(load)
    bare_one, named = "a bare relay", f"{SESSIONS} sessions × 50 tokens/s"
    figures = [
        Figure(f"{named}: CPU", ours.cpu, "%", reference=reference.cpu, of=bare_one),
        Figure(
            f"{named}: CPU per chunk",
            ours.per_chunk,
            "µs",
            reference=reference.per_chunk,
            of=bare_one,
        ),
    ]
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        lag, least = quantile(ours.lags, share), quantile(reference.lags, share)
        figures.append(Figure(f"{named}: lag {name}", lag, "ms", reference=least, of=bare_one))
    return figures


async def _run(load: Load) -> Run:
    viewers = [await load.viewer() for _ in range(SESSIONS)]
    before, begun = cpu_seconds(load.pid), time.perf_counter()
    lags = await asyncio.gather(*(_lags(v, APART * number) for number, v in enumerate(viewers)))
    spent = cpu_seconds(load.pid) - before
    share = spent / (time.perf_counter() - begun)
    return Run(share * 100, spent / SESSIONS / CHUNKS * 1e6, [lag for some in lags for lag in some])


async def _lags(viewer: Viewer, begin_after: float) -> list[float]:
    """Of every chunk of one reply, in milliseconds."""
    lags: list[float] = []
    await asyncio.sleep(begin_after)
    await viewer.say()
    async for frame in viewer.through(ENDED):
        if DELTA in frame:
            seen = time.monotonic_ns()
            stamps = msgspec.json.decode(frame, type=_Delta).text.split()
            lags += [(seen - int(stamp)) / 1e6 for stamp in stamps]
    return lags
