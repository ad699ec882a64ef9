"""Sessions that stream side by side, as fast as people read: what it costs, and who waits."""

import asyncio
import time

import msgspec
from msgspec import Struct, structs

from tests.benchmarks.growth import growth
from tests.benchmarks.load import DELTA, ENDED, Load, Viewer, load_on
from tests.benchmarks.machine import cpu_seconds, quantile
from tests.benchmarks.processes import TEST_MODEL, module, mooring, relay
from tests.benchmarks.table import Figure


class Crowd(Struct, frozen=True):
    """`pace` is milliseconds between two tokens of a session, `apart` seconds between the starts
    of two turns: people do not all begin at once. Targets: % of a core, milliseconds."""

    sessions: int
    pace: int
    chunks: int
    apart: float
    cpu: float | None = None
    lag: float | None = None
    cpu_ratio: float | None = None
    """The same as a multiple of the bare relay."""

    @property
    def named(self) -> str:
        return f"{self.sessions} sessions × {round(1000 / self.pace)} tokens/s"


TWENTY = Crowd(20, pace=20, chunks=400, apart=0.037, cpu=6.0, lag=5.0, cpu_ratio=6.0 / 3.6)
"""6 % of a core were agreed on a machine where the bare relay takes 3.6."""
TWO_HUNDRED = Crowd(200, pace=33, chunks=250, apart=0.0073)
GROWING = (20, 60)
"""Beside the two hundred."""


class Run(Struct):
    """`cpu` is a share of one core; `lags` are milliseconds from the model to the viewer."""

    cpu: float
    per_chunk: float
    lags: list[float]


class _Delta(Struct):
    text: str


async def measure() -> list[Figure]:
    return (await _measured(TWENTY))[0]


async def measure_many() -> list[Figure]:
    """And how the figures of one chunk grow up to there."""
    figures, most = await _measured(TWO_HUNDRED)
    runs = {}
    async with (
        module(TEST_MODEL, *_played(TWO_HUNDRED)) as model,
        mooring(model.url) as server,
        load_on(server) as load,
    ):
        for sessions in GROWING:
            runs[sessions] = await _run(load, structs.replace(TWO_HUNDRED, sessions=sessions))
    runs[TWO_HUNDRED.sessions] = most
    each = {sessions: run.per_chunk for sessions, run in runs.items()}
    lag = {sessions: quantile(run.lags, 0.5) for sessions, run in runs.items()}
    return [
        *figures,
        growth("CPU per chunk with the sessions that stream", each),
        growth("lag p50 with the sessions that stream", lag),
    ]


def _played(crowd: Crowd) -> tuple[object, ...]:
    return ("--chunks", crowd.chunks, "--pace-ms", crowd.pace, "--stamp")


async def _measured(crowd: Crowd) -> tuple[list[Figure], Run]:
    async with module(TEST_MODEL, *_played(crowd)) as model:
        async with relay(model.url) as bare, load_on(bare) as load:
            reference = await _run(load, crowd)
        async with mooring(model.url) as server, load_on(server) as load:
            ours = await _run(load, crowd)
    bare_one, named = "a bare relay", crowd.named
    figures = [
        Figure(
            f"{named}: CPU",
            ours.cpu,
            "%",
            crowd.cpu,
            reference=reference.cpu,
            of=bare_one,
            target_ratio=crowd.cpu_ratio,
        ),
        Figure(
            f"{named}: CPU per chunk",
            ours.per_chunk,
            "µs",
            reference=reference.per_chunk,
            of=bare_one,
        ),
    ]
    for share, name in ((0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")):
        lag, least = quantile(ours.lags, share), quantile(reference.lags, share)
        promised = crowd.lag if name == "p99" else None
        figures.append(
            Figure(f"{named}: lag {name}", lag, "ms", promised, reference=least, of=bare_one)
        )
    return figures, ours


async def _run(load: Load, crowd: Crowd) -> Run:
    viewers = [await load.viewer() for _ in range(crowd.sessions)]
    before, begun = cpu_seconds(load.pid), time.perf_counter()
    lags = await asyncio.gather(*(_lags(v, crowd.apart * n) for n, v in enumerate(viewers)))
    spent = cpu_seconds(load.pid) - before
    share = spent / (time.perf_counter() - begun)
    each = spent / crowd.sessions / crowd.chunks
    return Run(share * 100, each * 1e6, [lag for some in lags for lag in some])


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
