"""How soon a session that is only on disk takes input, and how that grows with its log."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from agent.protocol import Recorded, SessionCreated, SessionUpdated
from server.sessions.rows import indexed
from server.store.port import Append, NewSession
from server.store.sqlite import SqliteStore
from server.wire import outgoing
from tests.agent.logs import AT, Log
from tests.benchmarks.growth import growth
from tests.benchmarks.load import ACCEPTED, DELTA, ENDED, Load, load_on
from tests.benchmarks.machine import quantile
from tests.benchmarks.processes import REHEARSED, module, mooring
from tests.benchmarks.table import Figure

MODEL = "openai/test-model"
QUESTION = "What becomes of a word that was said while nobody listened?"
ANSWER = "It is in the log, with a number of its own, and whoever comes back is told of it. " * 3
EVENTS_OF_A_TURN = 5
SIZES = {100: 30, 1_000: 15, 5_000: 10}
"""How many sessions there are by the number of their events."""
TARGET = 50.0


class Delays(Struct, frozen=True):
    """Medians in milliseconds: from input to `accepted` in a session that is only on disk, and in
    one that is awake; from input to the first delta of a model that answers at once."""

    asleep: float
    awake: float
    shown: float


async def measure() -> list[Figure]:
    with TemporaryDirectory(prefix="mooring-bench-") as name:
        folder = Path(name)
        await _write_sessions(folder / "data")
        async with (
            module(REHEARSED, "--chunks", 5) as model,
            mooring(model.url, folder) as server,
            load_on(server) as load,
        ):
            found = {size: await _delays(load, size, count) for size, count in SIZES.items()}
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
    ):
        figures.append(growth(what, {size: getattr(found[size], of) for size in SIZES}))
    return figures


async def _delays(load: Load, size: int, count: int) -> Delays:
    asleep: list[float] = []
    awake: list[float] = []
    shown: list[float] = []
    for number in range(count):
        viewer = await load.viewer(_id(size, number), after=size)
        for taken in (asleep, awake):
            begun = time.perf_counter()
            await viewer.say()
            await viewer.until(ACCEPTED)
            taken.append((time.perf_counter() - begun) * 1000)
            await viewer.until(ENDED)
        begun = time.perf_counter()
        await viewer.say()
        await viewer.until(DELTA)
        shown.append((time.perf_counter() - begun) * 1000)
        await viewer.until(ENDED)
    return Delays(*(quantile(taken, 0.5) for taken in (asleep, awake, shown)))


async def _write_sessions(data: Path) -> None:
    """Logs of short turns, written straight into the store: none of them is in memory then."""
    store = SqliteStore.open(data)
    try:
        for size, count in SIZES.items():
            log = Log((SessionCreated(MODEL, "Load"),))
            for turn in range(size // EVENTS_OF_A_TURN):
                log = log.talk(f"t{turn}", QUESTION, ANSWER)
            log = log.add(SessionUpdated("dev", model=MODEL))
            for number in range(count):
                await _write_session(store, _id(size, number), log)
    finally:
        await store.close()


async def _write_session(store: SqliteStore, id: str, log: Log) -> None:
    entries = log.entries
    bodies = tuple(_body(entry) for entry in entries)
    row = indexed(log.history.digest(128_000))
    await store.create(NewSession(id, "dev", AT, bodies[0], row, at_most=1_000))
    await store.append(Append(id, 2, AT, bodies[1:], (), (), (), row))


def _body(entry: Recorded) -> bytes:
    return outgoing(entry.seq, entry.at, entry.event).body


def _id(size: int, number: int) -> str:
    return f"s_{size}_{number}"
