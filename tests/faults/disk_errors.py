"""Statements of SQLite fail, before or after they were done: viewers see what is on disk."""

import random
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from agent.errors import Refused
from agent.protocol import AnySubmission, Resume, SetModel, UserInput
from agent.sandbox.capacity import Disk, disk_of
from server.config import Limits
from tests.faults.report import Report
from tests.server.sessions.house import ADA, House, MoodyStore, Watcher, eventually
from tests.server.store.faulty import Fault, Trouble, troubled

ORDERS: Sequence[AnySubmission] = (
    UserInput("c1", "Hello"),
    SetModel("c2", "other"),
    UserInput("c3", "And again"),
)
NUMBERS = (
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
)
TRIES = 50
WORDS = 20
"""What is said elsewhere while the disk stands still, at most."""


@asynccontextmanager
async def troubled_house(
    folder: Path, trouble: Trouble, disk: Callable[[Path], Disk] = disk_of
) -> AsyncIterator[House]:
    store = MoodyStore.open(folder / "data", kind=troubled(trouble), disk=disk)
    assert isinstance(store, MoodyStore)
    with ThreadPoolExecutor(2) as pool:
        home = House(store, folder, pool, Limits(), 900)
        try:
            yield home
        finally:
            await home.manager.close()
            await store.close()


async def fail_at(fault: Fault, report: Report) -> bool:
    """One session that meets one fault; whether it came so far."""
    trouble = Trouble()
    with tempfile.TemporaryDirectory(prefix="mooring-disk-") as folder:
        async with troubled_house(Path(folder), trouble) as home:
            session = await home.session()
            async with home.watch(session) as watcher:
                trouble.begin(fault)
                accepted = await say_all(home, session)
                trouble.fault = None
                await come_to_rest(home, session, watcher)
                await judge(home, session, watcher, accepted, report)
    return bool(trouble.met)


async def say_all(home: House, session: str) -> dict[str, int]:
    """Each order, and under which number it was accepted."""
    return {order.id: await said(home, session, order) for order in ORDERS}


async def said(home: House, session: str, order: AnySubmission) -> int:
    """Under the same id until it is accepted, as a client would; nothing else is refused with."""
    for _ in range(TRIES):
        try:
            return (await home.manager.submit(session, ADA, order)).seq
        except Refused as refused:
            if refused.code != "unavailable":
                raise
    raise AssertionError(f"{order} was refused {TRIES} times")


async def come_to_rest(home: House, session: str, watcher: Watcher) -> None:
    """Input behind a turn that the fault ended is held until somebody says so."""

    def over(turns: int) -> bool:
        ended = watcher.events.count("turn_ended") >= turns
        return ended and watcher.status["state"] == "idle"

    await eventually(lambda: over(1))
    await eventually(lambda: over(2) or watcher.status["held"])
    if watcher.status["held"]:
        await said(home, session, Resume("c4"))
    await eventually(lambda: over(2))


async def judge(
    home: House, session: str, watcher: Watcher, accepted: dict[str, int], report: Report
) -> None:
    stored = await home.log(session)
    report.log(stored)
    seen = [frame for frame in watcher.frames if "seq" in frame and "at" in frame]
    report.seen(seen, stored, whole=True)
    inputs = [order.id for order in ORDERS if isinstance(order, UserInput)]
    report.submissions(stored, inputs, {name: accepted[name] for name in inputs})
    for order in ORDERS:
        again = await home.manager.submit(session, ADA, order)
        if (again.seq, again.duplicate) != (accepted[order.id], True):
            report.find("doubled", f"{order} was {accepted[order.id]}, then {again}")


async def fail_statements(chance: random.Random, report: Report, faults: int) -> None:
    """So many faults, each at a statement that chance gives; one in three goes on for a while."""
    for _ in range(faults):
        fault = Fault(
            at=chance.randrange(1, 60),
            when="after" if chance.random() < 0.5 else "before",
            number=chance.choice(NUMBERS),
            times=chance.choice((1, 1, chance.randrange(2, 9))),
        )
        if await fail_at(fault, report):
            report.tried[f"statements that failed {fault.when} they were done"] += 1
