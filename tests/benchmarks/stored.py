"""Sessions with logs of a known length, written straight into a store: none is in memory then."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from agent.protocol import Recorded, SessionCreated, SessionUpdated
from server.sessions.rows import indexed
from server.store.port import Append, NewSession
from server.store.sqlite import SqliteStore
from server.wire import outgoing
from tests.agent.logs import AT, Log

MODEL = "openai/test-model"
QUESTION = "What becomes of a word that was said while nobody listened?"
ANSWER = "It is in the log, with a number of its own, and whoever comes back is told of it. " * 3
EVENTS_OF_A_TURN = 5
AT_ONCE = 200


async def write_sessions(data: Path, counts: Mapping[int, int]) -> None:
    """So many sessions by the number of their events."""
    store = SqliteStore.open(data)
    try:
        for size, count in counts.items():
            log = _log(size)
            numbers = list(range(count))
            for first in range(0, count, AT_ONCE):
                some = numbers[first : first + AT_ONCE]
                await asyncio.gather(*(_write(store, session_of(size, n), log) for n in some))
    finally:
        await store.close()


def session_of(size: int, number: int) -> str:
    return f"s_{size}_{number}"


def _log(size: int) -> Log:
    """Short turns, and changes of the model for what is left."""
    log = Log((SessionCreated(MODEL, "Load"),))
    turns, rest = divmod(size - 2, EVENTS_OF_A_TURN)
    for turn in range(turns):
        log = log.talk(f"t{turn}", QUESTION, ANSWER)
    for _ in range(1 + rest):
        log = log.add(SessionUpdated("dev", model=MODEL))
    assert len(log.entries) == size, f"{len(log.entries)} of {size}"
    return log


async def _write(store: SqliteStore, id: str, log: Log) -> None:
    bodies = tuple(_body(entry) for entry in log.entries)
    row = indexed(log.history.digest(128_000))
    await store.create(NewSession(id, "dev", AT, bodies[0], row, at_most=100_000))
    await store.append(Append(id, 2, AT, bodies[1:], (), (), (), row))


def _body(entry: Recorded) -> bytes:
    return outgoing(entry.seq, entry.at, entry.event).body
