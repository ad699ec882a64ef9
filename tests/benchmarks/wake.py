"""How soon a session that is only on disk takes input, and how that grows with its log."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from tests.benchmarks.growth import growth
from tests.benchmarks.load import ACCEPTED, DELTA, ENDED, Load, Viewer, load_on
from tests.benchmarks.machine import quantile, rss_kib
from tests.benchmarks.processes import REHEARSED, module, mooring
from tests.benchmarks.stored import session_of, write_sessions
from tests.benchmarks.table import Figure

LIVE = (10, 50, 250)
"""Sessions that are in memory and watched while others are woken."""
WOKEN = 10
SMALL = 50
SIZES = {100: 30, 1_000: 15, 5_000: 10}
"""How many sessions there are by the number of their events."""
TARGET = 50.0


class Delays(Struct, frozen=True):
    """Medians in milliseconds: from input to `accepted` in a session that is only on disk, and in
    one that is awake; from input to the first delta of a model that answers at once. And KiB that
    the server grew by for each that it woke."""

    asleep: float
    awake: float
    shown: float
    held: float


async def measure() -> list[Figure]:
    with TemporaryDirectory(prefix="mooring-bench-") as name:
        folder = Path(name)
        await write_sessions(folder / "data", {**SIZES, SMALL: WOKEN * len(LIVE)})
        async with (
            module(REHEARSED, "--chunks", 5) as model,
            mooring(model.url, folder) as server,
            load_on(server) as load,
        ):
            found = {size: await _delays(load, size, count) for size, count in SIZES.items()}
            beside = await _beside(load)
    figures = [
        Figure(
            f"wake to accepted p50, {size:,} events",
            delays.asleep,
            "ms",
            TARGET,
            reference=delays.awake,
            of="the same awake",
        )
        for size, delays in found.items()
    ]
    for of, what in (
        ("asleep", "wake to accepted with the events"),
        ("awake", "input to accepted with the events, awake"),
        ("shown", "input to first delta with the events, awake"),
        ("held", "memory of a session that is awake with its events"),
    ):
        figures.append(growth(what, {size: getattr(found[size], of) for size in SIZES}))
    return [*figures, growth("wake to accepted with the sessions in memory", beside)]


async def _beside(load: Load) -> dict[int, float]:
    """Medians of waking small sessions, by the sessions that are awake already."""
    awake: list[Viewer] = []
    found = {}
    for step, live in enumerate(LIVE):
        while len(awake) < live:
            awake.append(await load.viewer())
            await awake[-1].turn()
        taken = []
        for number in range(step * WOKEN, (step + 1) * WOKEN):
            viewer = await load.viewer(session_of(SMALL, number), after=SMALL)
            taken.append(await _accepted(viewer))
        found[live] = quantile(taken, 0.5)
    return found


async def _accepted(viewer: Viewer) -> float:
    """Milliseconds from input to `accepted`, in a turn that is read to its end."""
    begun = time.perf_counter()
    await viewer.say()
    await viewer.until(ACCEPTED)
    taken = (time.perf_counter() - begun) * 1000
    await viewer.until(ENDED)
    return taken


async def _delays(load: Load, size: int, count: int) -> Delays:
    asleep: list[float] = []
    awake: list[float] = []
    shown: list[float] = []
    watching: list[Viewer] = []
    before = rss_kib(load.pid)
    for number in range(count):
        watching.append(await load.viewer(session_of(size, number), after=size))
        asleep.append(await _accepted(watching[-1]))
    held = (rss_kib(load.pid) - before) / count
    for viewer in watching:
        awake.append(await _accepted(viewer))
        begun = time.perf_counter()
        await viewer.say()
        await viewer.until(DELTA)
        shown.append((time.perf_counter() - begun) * 1000)
        await viewer.until(ENDED)
    return Delays(quantile(asleep, 0.5), quantile(awake, 0.5), quantile(shown, 0.5), held)
