"""A disk that stands still holds back what it was asked for, and nobody else."""

import asyncio
import random
import tempfile
from pathlib import Path

from agent.models.port import Text
from agent.protocol import UserInput
from tests.faults.disk_errors import come_to_rest, judge, said, say_all, troubled_house
from tests.faults.report import Report
from tests.server.sessions.house import House, Watcher, eventually
from tests.server.store.faulty import Fault, Trouble

MOST_WORDS = 30
"""How long it stands still: until so many words were said elsewhere."""


async def stall_at(fault: Fault, words: int, report: Report) -> bool:
    """A session and another one beside it; whether the first came to the statement that stalls."""
    trouble = Trouble()
    with tempfile.TemporaryDirectory(prefix="mooring-disk-") as folder:
        async with troubled_house(Path(folder), trouble) as home:
            session, other = await home.session(), await home.session()
            gates = [asyncio.Event() for _ in range(words)]
            home.model.script.append([it for gate in gates for it in (gate, Text("word "))])
            async with home.watch(session) as watcher, home.watch(other) as elsewhere:
                await said(home, other, UserInput("o1", "Speak"))
                await eventually(lambda: home.model.asked == 1)
                trouble.begin(fault)
                saying = asyncio.create_task(say_all(home, session))
                try:
                    await eventually(lambda: bool(trouble.met) or saying.done())
                    await _goes_on(home, other, elsewhere, gates)
                finally:
                    trouble.goes_on.set()
                accepted = await saying
                await come_to_rest(home, session, watcher)
                await judge(home, session, watcher, accepted, report)
                await elsewhere.until("turn_ended")
                report.seen(_durable(elsewhere), await home.log(other), whole=True)
    return bool(trouble.met)


async def _goes_on(home: House, other: str, elsewhere: Watcher, gates: list[asyncio.Event]) -> None:
    """Word by word, and what is on the disk can be read."""
    for number, gate in enumerate(gates, 1):
        gate.set()
        while _words(elsewhere) < number:
            elsewhere.transport.wrote.clear()
            await elsewhere.transport.wrote.wait()
    known = [event["type"] for event in await home.log(other)]
    assert known[: len(elsewhere.events)] == elsewhere.events, (known, elsewhere.events)


def _words(watcher: Watcher) -> int:
    deltas = (frame["text"] for frame in watcher.frames if frame["type"] == "text_delta")
    return "".join(deltas).count("word ")


def _durable(watcher: Watcher) -> list[dict[str, object]]:
    return [frame for frame in watcher.frames if "seq" in frame and "at" in frame]


async def stall_statements(chance: random.Random, report: Report, times: int) -> None:
    """So many, each at a statement that chance gives, for as long as chance gives."""
    for _ in range(times):
        fault = Fault(at=chance.randrange(1, 60), when="stalls")
        async with asyncio.timeout(60):
            if await stall_at(fault, chance.randrange(1, MOST_WORDS), report):
                report.tried["statements that stood still"] += 1
