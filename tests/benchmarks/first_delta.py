"""How soon a viewer sees the model begin, and what the server adds before; commits included."""

import time

import msgspec
from msgspec import Struct

from tests.benchmarks.growth import growth
from tests.benchmarks.load import DELTA, ENDED, Load, load_on
from tests.benchmarks.machine import median_of, quantile
from tests.benchmarks.processes import REHEARSED, module, mooring, relay
from tests.benchmarks.standing import standing
from tests.benchmarks.table import Figure

TURNS = 60
ROUNDS = 3
CHUNKS = 20
TARGETS = {("chunk", "p50"): 5.0, ("whole", "p50"): 2.0}
"""Milliseconds; the first where the model answers at once: a machine that sleeps wakes slowly."""
LIVE = (3, 30, 300)
WATCHING = (1, 10, 100)
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
                among = {} if think else {n: await _among(load, n) for n in WATCHING}
                grown = {} if think else {live: await _with(load, live) for live in LIVE}
        for of, what in (
            ("chunk", "first chunk to first delta"),
            ("whole", "input to first delta"),
        ):
            rounds: list[list[float]] = [getattr(r, of) for r in ours]
            bare_rounds: list[list[float]] = [getattr(r, of) for r in reference]
            for share, name in ((0.5, "p50"), (0.99, "p99")):
                asleep = think and of == "chunk"
                promised = None if asleep else TARGETS.get((of, name))
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
            figures.append(growth("input to first delta with the viewers of the session", among))
    return figures


async def _with(load: Load, live: int) -> float:
    """Median from input to first delta with so many more sessions in memory, all watched."""
    others = [await load.viewer() for _ in range(live)]
    for viewer in others:
        await viewer.turn()
    return quantile((await _round(load, TURNS)).whole, 0.5)


async def _among(load: Load, viewers: int) -> float:
    """Median from input to first delta with so many viewers of the session."""
    session = await load.session()
    async with standing(load, [session], viewers - 1):
        return quantile((await _round(load, TURNS // 2, session)).whole, 0.5)


async def _rounds(load: Load) -> list[Delays]:
    await _round(load, TURNS // 10)
    return [await _round(load, TURNS) for _ in range(ROUNDS)]


async def _round(load: Load, turns: int, session: str | None = None) -> Delays:
    """Turns one after another in a session, of their own where none is named."""
    viewer = await load.viewer(session)
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
