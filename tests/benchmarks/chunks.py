"""Server CPU per streamed chunk: one session, one viewer, a model that never pauses."""

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.growth import growth
from tests.benchmarks.load import Load, Viewer, load_on
from tests.benchmarks.machine import cpu_seconds
from tests.benchmarks.processes import REHEARSED, TEST_MODEL, module, mooring, relay
from tests.benchmarks.standing import standing
from tests.benchmarks.stored import session_of, write_sessions
from tests.benchmarks.table import Figure

CHUNKS = 50_000
ROUNDS = 5
TARGET = 8.0
TARGET_RATIO = 8.0 / 8.2
"""8 µs were agreed on a machine where the bare relay takes 8.2."""
VIEWERS = (1, 10, 100)
EVENTS = (10, 1_000, 5_000)
FEWER = 30_000
FEWER_ROUNDS = 5
"""Chunks for each of the growths."""


async def measure() -> list[Figure]:
    figures = []
    for model, named in ((REHEARSED, "prebuilt bytes"), (TEST_MODEL, "the test model")):
        async with module(model, "--chunks", CHUNKS) as playing:
            async with relay(playing.url) as bare, load_on(bare) as load:
                reference = await cpu_per_chunk(load, CHUNKS)
            async with mooring(playing.url) as server, load_on(server) as load:
                cpu = await cpu_per_chunk(load, CHUNKS)
        what = f"server CPU per chunk, {named}"
        figures.append(
            Figure(
                what, cpu, "µs", TARGET, reference=reference, of="a bare relay",
                target_ratio=TARGET_RATIO,
            )
        )  # fmt: skip
    return [*figures, *await _growths()]


async def _growths() -> list[Figure]:
    """By the viewers of the session, and by the events that were there before."""
    with TemporaryDirectory(prefix="mooring-bench-") as name:
        folder = Path(name)
        await write_sessions(folder / "data", dict.fromkeys(EVENTS, FEWER_ROUNDS))
        async with (
            module(REHEARSED, "--chunks", FEWER) as model,
            mooring(model.url, folder) as server,
            load_on(server) as load,
        ):
            by_events = {events: await _after(load, events) for events in EVENTS}
            by_viewers = {viewers: await _among(load, viewers) for viewers in VIEWERS}
    return [
        growth("CPU per chunk with the viewers of the session", by_viewers),
        growth("CPU per chunk with the events of the session", by_events),
    ]


async def _after(load: Load, events: int) -> float:
    spent = []
    for number in range(FEWER_ROUNDS):
        viewer = await load.viewer(session_of(events, number), after=events)
        await viewer.turn()
        spent.append(await _spent(load, viewer))
    return statistics.median(spent) / FEWER * 1e6


async def _among(load: Load, viewers: int) -> float:
    session = await load.session()
    viewer = await load.viewer(session)
    await viewer.turn()
    async with standing(load, [session], viewers - 1):
        spent = [await _spent(load, viewer) for _ in range(FEWER_ROUNDS)]
    return statistics.median(spent) / FEWER * 1e6


async def _spent(load: Load, viewer: Viewer) -> float:
    before = cpu_seconds(load.pid)
    await viewer.turn()
    return cpu_seconds(load.pid) - before


async def cpu_per_chunk(load: Load, chunks: int, rounds: int = ROUNDS) -> float:
    """Microseconds; each round is a session of its own, and the first only warms up."""
    await (await load.viewer()).turn()
    spent = []
    for _ in range(rounds):
        viewer = await load.viewer()
        spent.append(await _spent(load, viewer))
    return statistics.median(spent) / chunks * 1e6
