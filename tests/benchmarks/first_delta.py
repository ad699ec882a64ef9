"""How soon a viewer sees the model begin, and what the server adds before; commits included."""

import time

import msgspec
from msgspec import Struct

from tests.benchmarks.growth import growth
from tests.benchmarks.load import DELTA, ENDED, Load, load_on
from tests.benchmarks.machine import median_of, quantile
from tests.benchmarks.processes import REHEARSED, module, mooring, relay
from tests.benchmarks.table import Figure

TURNS = 60
ROUNDS = 3
CHUNKS = 20
TARGETS = {("chunk", "p50"): 5.0, ("whole", "p50"): 2.0}
"""Milliseconds, where the model answers at once: a machine that sleeps wakes up slowly."""
LIVE = (3, 30, 300)
THINKING = ((0, "a model that answers at once"), (100, "a model that thinks for 100 ms"))


class Delays(Struct):
    """Milliseconds: from the model's first chunk to the viewer, and from the input without what
    the model took."""

    chunk: list[float]
    whole: list[float]


class _Delta(Struct):
    text: str


async def measure() -> list[Figure]:
    figures = []
    for think, named in THINKING:
        async with module(REHEARSED, "--chunks", CHUNKS, "--think-ms", think) as model:
            async with relay(model.url) as bare, load_on(bare) as load:
                reference = await _rounds(load)
            async with mooring(model.url) as server, load_on(server) as load:
                ours = await _rounds(load)
                grown = {} if think else {live: await _with(load, live) for live in LIVE}
        for of, what in (
            ("chunk", "first chunk to first delta"),
            ("whole", "input to first delta"),
        ):
            rounds: list[list[float]] = [getattr(r, of) for r in ours]
            bare_rounds: list[list[float]] = [getattr(r, of) for r in reference]
            for share, name in ((0.5, "p50"), (0.99, "p99")):
                promised = None if think else TARGETS.get((of, name))
                figures.append(
                    Figure(
                        f"{what} {name}, {named}",
                        median_of(rounds, share),
                        "ms",
                        promised,
                        reference=median_of(bare_rounds, share),
                        of="a bare relay",
                    )
                )
        if grown:
            figures.append(growth("input to first delta with the sessions in memory", grown))
    return figures


async def _with(load: Load, live: int) -> float:
    """Median from input to first delta with so many more sessions in memory, all watched."""
    others = [await load.viewer() for _ in range(live)]
    for viewer in others:
        await viewer.turn()
    return quantile((await _round(load, TURNS)).whole, 0.5)


async def _rounds(load: Load) -> list[Delays]:
    await _round(load, TURNS // 10)
    return [await _round(load, TURNS) for _ in range(ROUNDS)]


async def _round(load: Load, turns: int) -> Delays:
    """Turns one after another in a session of their own."""
    viewer = await load.viewer()
    delays = Delays([], [])
    for _ in range(turns):
        begun = time.monotonic_ns()
        await viewer.say()
        delta = await viewer.until(DELTA)
        seen = time.monotonic_ns()
        arrived, left = map(int, msgspec.json.decode(delta, type=_Delta).text.split()[:2])
        delays.chunk.append((seen - left) / 1e6)
        delays.whole.append((seen - begun - (left - arrived)) / 1e6)
        await viewer.until(ENDED)
    return delays
