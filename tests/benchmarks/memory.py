"""What the server holds: after the start, for each viewer that watches, for each stored session."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from tests.benchmarks.creation import NO_MODEL
from tests.benchmarks.load import Load, Viewer, load_on
from tests.benchmarks.machine import rss_kib
from tests.benchmarks.processes import ROOMY, TEST_MODEL, module, mooring, relay
from tests.benchmarks.table import Figure

VIEWERS = 1_000
STORED = 2_000
WARM_UP = 4_000
AT_ONCE = 20
SLEPT = 600
"""Sessions that had a turn and were put to sleep again."""
SLEPT_BEFORE = 3 * SLEPT
"""They only warm up: until then the pages that the database's readers keep are still growing."""
AWAKE = 10
ASLEEP_WITHIN = 60.0
LOOK = 0.2
SETTLED = 2.0
"""Seconds after which nothing that was caused is still going on."""


async def measure() -> list[Figure]:
    async with mooring(NO_MODEL) as server, load_on(server) as load:
        started = rss_kib(server.pid) / 1024
        await _created(load, WARM_UP)
        stored = await _growth(load, _created(load, STORED)) / STORED
    async with relay(NO_MODEL) as bare, load_on(bare) as load:
        reference = await _per_viewer(load, [None] * VIEWERS)
    async with mooring(NO_MODEL) as server, load_on(server) as load:
        together = await _per_viewer(load, [await load.session()] * VIEWERS)
    async with mooring(NO_MODEL) as server, load_on(server) as load:
        alone = await _per_viewer(load, await _created(load, VIEWERS))
    slept = await _slept()
    bare_one = "a bare relay"
    return [
        Figure("memory after the start", started, "MiB", 61.0),
        Figure("memory per idle viewer", together, "KiB", 17.0, reference=reference, of=bare_one),
        Figure(
            "the same, the only viewer of its session",
            alone,
            "KiB",
            reference=reference,
            of=bare_one,
        ),
        Figure("memory per stored session, never awake", stored, "KiB", 0.5),
        Figure("memory per hibernated session, after a turn", slept, "KiB"),
    ]


async def _slept() -> float:
    """KiB for each, when none is awake any more."""
    limits = {**ROOMY, "live_sessions": AWAKE}
    async with (
        module(TEST_MODEL, "--chunks", 20) as playing,
        mooring(playing.url, limits=limits, hibernate_after_seconds=2) as server,
        load_on(server) as load,
    ):
        await _asleep_after_turns(load, SLEPT_BEFORE)
        return await _growth(load, _asleep_after_turns(load, SLEPT)) / SLEPT


async def _asleep_after_turns(load: Load, count: int) -> None:
    for _ in range(count):
        viewer = await load.viewer()
        await viewer.turn()
        await viewer.leave()
    latest = time.monotonic() + ASLEEP_WITHIN
    while await load.metric("mooring_sessions_live") > 0:
        assert time.monotonic() < latest, f"not asleep after {ASLEEP_WITHIN} s"
        await asyncio.sleep(LOOK)


async def _per_viewer(load: Load, sessions: Sequence[str | None]) -> float:
    """Each has been sent all there is before it counts; the first tenth only warms up."""
    early = len(sessions) // 10
    there: list[Viewer] = []
    await _join(load, sessions[:early], there)
    grown = await _growth(load, _join(load, sessions[early:], there))
    return grown / (len(there) - early)


async def _join(load: Load, sessions: Sequence[str | None], there: list[Viewer]) -> None:
    """A viewer that nobody keeps would hang up."""
    for session in sessions:
        there.append(await load.viewer(session))


async def _created(load: Load, count: int) -> list[str]:
    ids: list[str] = []
    for _ in range(count // AT_ONCE):
        ids += await asyncio.gather(*(load.session() for _ in range(AT_ONCE)))
    return ids


async def _growth(load: Load, work: Coroutine[Any, Any, object]) -> float:
    """KiB of resident memory that the work leaves behind."""
    await asyncio.sleep(SETTLED)
    before = rss_kib(load.pid)
    await work
    await asyncio.sleep(SETTLED)
    return rss_kib(load.pid) - before
