"""Server CPU per streamed chunk: one session, one viewer, a model that never pauses."""

import statistics

from tests.benchmarks.load import Load, load_on
from tests.benchmarks.machine import cpu_seconds
from tests.benchmarks.processes import REHEARSED, TEST_MODEL, module, mooring, relay
from tests.benchmarks.table import Figure

CHUNKS = 50_000
ROUNDS = 5
TARGET = 8.0


async def measure() -> list[Figure]:
    figures = []
    for model, named in ((REHEARSED, "prebuilt bytes"), (TEST_MODEL, "the test model")):
        async with module(model, "--chunks", CHUNKS) as playing:
            async with relay(playing.url) as bare, load_on(bare) as load:
                reference = await cpu_per_chunk(load, CHUNKS)
            async with mooring(playing.url) as server, load_on(server) as load:
                cpu = await cpu_per_chunk(load, CHUNKS)
        what = f"server CPU per chunk, {named}"
        figures.append(Figure(what, cpu, "µs", TARGET, reference=reference, of="a bare relay"))
    return figures


async def cpu_per_chunk(load: Load, chunks: int, rounds: int = ROUNDS) -> float:
    """Microseconds; each round is a session of its own, and the first only warms up."""
    await (await load.viewer()).turn()
    spent = []
    for _ in range(rounds):
        viewer = await load.viewer()
        before = cpu_seconds(load.pid)
        await viewer.turn()
        spent.append(cpu_seconds(load.pid) - before)
    return statistics.median(spent) / chunks * 1e6
