"""Durable appends per second: the store alone, commits shared by many sessions or one for each."""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from server.store.port import Append
from server.store.sqlite import SqliteStore
from tests.benchmarks.growth import growth
from tests.benchmarks.machine import sync_ms
from tests.benchmarks.table import Figure
from tests.server.store import samples

SESSIONS = 50
GROWING = (1, 10, 50)
TOGETHER = 200
AHEAD = 20
ALONE = 500
BODY = b'{"seq":1,"at":"2026-01-01T00:00:00.000Z","type":"notice","text":"%s"}' % (b"word " * 40)


async def measure() -> list[Figure]:
    with TemporaryDirectory(prefix="mooring-bench-") as name:
        store = SqliteStore.open(Path(name) / "data")
        names = [f"s{number}" for number in range(SESSIONS)]
        try:
            for session in names:
                await store.create(samples.session(session))
            alone = await _rate(store, names[:1], ALONE, ahead=1)
            together = await _rate(store, names[1:], TOGETHER, ahead=1)
            ahead = await _rate(store, names[1:], TOGETHER * 5, ahead=AHEAD, first=TOGETHER)
            grown = {count: await _each(store, count) for count in GROWING}
        finally:
            await store.close()
        syncs = 1000 / sync_ms(Path(name))
    of, one = "a commit for each", "one sync of this disk for each"
    return [
        Figure("appends, a commit for each", alone, "/s", better="higher", reference=syncs, of=one),
        Figure("appends, 50 sessions", together, "/s", better="higher", reference=alone, of=of),
        Figure(
            f"appends, 50 sessions {AHEAD} ahead",
            ahead,
            "/s",
            better="higher",
            reference=alone,
            of=of,
        ),
        Figure("shared commits against one for each", together / alone, "×", 5.0, "higher"),
        growth("time for an append with the sessions that write", grown),
    ]


async def _each(store: SqliteStore, sessions: int) -> float:
    """Microseconds for an event where so many sessions write one after another."""
    names = [f"g{sessions}_{number}" for number in range(sessions)]
    for session in names:
        await store.create(samples.session(session))
    return 1e6 / await _rate(store, names, TOGETHER, ahead=1)


async def _rate(
    store: SqliteStore, sessions: list[str], count: int, *, ahead: int, first: int = 0
) -> float:
    """Events on disk per second; each session hands over `ahead` before it waits for the last."""
    begun = time.perf_counter()
    await asyncio.gather(*(_write(store, s, first + 2, count, ahead) for s in sessions))
    return len(sessions) * count / (time.perf_counter() - begun)


async def _write(store: SqliteStore, session: str, first: int, count: int, ahead: int) -> None:
    for seq in range(first, first + count, ahead):
        futures = [store.append(_one(session, s)) for s in range(seq, seq + ahead)]
        await asyncio.gather(*futures)


def _one(session: str, seq: int) -> Append:
    return Append(session, seq, samples.at(0), (BODY,), (), (), (), samples.IDLE)
