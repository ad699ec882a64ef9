"""The parts of a run: each kind of trouble, on a server of its own, and how often it comes."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from msgspec import Struct

from server.store.schema import STEPS
from tests.faults.babble import ARGUMENTS as BOTH_ADAPTERS
from tests.faults.babble import CONFIG as IMPATIENT
from tests.faults.babble import babble
from tests.faults.clock import ARGUMENTS as WITH_TOKENS
from tests.faults.clock import CONFIG as DROWSY
from tests.faults.clock import Clock, jump, suspend
from tests.faults.crowd import come_and_go
from tests.faults.cuts import cut_lines
from tests.faults.delays import delay_lines
from tests.faults.disk import disk
from tests.faults.kills import kill
from tests.faults.migration import upgrade, upgrade_to_tomorrow
from tests.faults.phases import PHASES, strike
from tests.faults.phases_asleep import IN_TIME, LIVE, SLEEPY
from tests.faults.protocol import play_alone
from tests.faults.readers import stop_reading, vanish
from tests.faults.report import Report
from tests.faults.soak import WARM_LAPS, soak
from tests.faults.storm import every_cursor, repeat_everywhere, storm
from tests.faults.tools import CONFIG as SMALL_SANDBOX
from tests.faults.tools import misuse
from tests.oracle import Frame
from tests.stories.scene import Story

WITHIN = 480.0
"""Seconds after which a part that takes 30, and 240 on a machine that others work on, is stuck."""
ONCE = 99
"""In one of so many rounds: a part that tries all there is at once."""
LAP, LEAST_LAPS = 30.0, WARM_LAPS + 3
LONGER_THAN_A_HEARTBEAT = 25.0
NO_FAKETIME = "libfaketime is not installed (Debian: apt install libfaketime)"
Kind = Callable[[Story, random.Random, Report], Awaitable[None]]


class Part(Struct, frozen=True):
    """One kind of trouble, on a server of its own; `every`: in one of so many rounds."""

    play: Kind
    every: int = 1
    live_sessions: int = 200
    config: Frame = {}
    arguments: tuple[str, ...] = ()
    environment: Callable[[Path], Mapping[str, str]] = lambda folder: {}
    lacks: Callable[[], str] = lambda: ""
    """Why it cannot run here, if it cannot."""
    within: float = WITHIN


async def upright(story: Story) -> None:
    """What comes next has a server, whatever went wrong before it."""
    if not story.server.running:
        await story.server.start()
        await story.connect()


async def cuts(story: Story, chance: random.Random, report: Report) -> None:
    await cut_lines(story, chance, report, 600)


async def crowd(story: Story, chance: random.Random, report: Report) -> None:
    await come_and_go(story, chance, report, 150)


async def readers(story: Story, chance: random.Random, report: Report) -> None:
    await stop_reading(story, report)


async def silence(story: Story, chance: random.Random, report: Report) -> None:
    await vanish(story, report)


async def delays(story: Story, chance: random.Random, report: Report) -> None:
    await delay_lines(story, chance, report)


async def kills(story: Story, chance: random.Random, report: Report) -> None:
    await kill(story, chance, report, 45)


async def phases(story: Story, chance: random.Random, report: Report) -> None:
    for phase in chance.sample(PHASES, len(PHASES)):
        with report.filing(f"killed at {phase.__name__}"):
            await strike(story, chance, report, phase)
        await upright(story)


async def sleep(story: Story, chance: random.Random, report: Report) -> None:
    for phase in IN_TIME * 3:
        with report.filing(f"killed at {phase.__name__}"):
            await strike(story, chance, report, phase)
        await upright(story)


async def babbling(story: Story, chance: random.Random, report: Report) -> None:
    await babble(story, chance, report)


async def tools(story: Story, chance: random.Random, report: Report) -> None:
    await misuse(story, chance, report)


async def storms(story: Story, chance: random.Random, report: Report) -> None:
    with report.filing("the same frame over many sockets"):
        await repeat_everywhere(story, chance, report)
    with report.filing("a storm of reconnects"):
        await storm(story, chance, report, crowd=100, times=3)
    await every_cursor(story, report)


async def clocks(story: Story, chance: random.Random, report: Report) -> None:
    await jump(story, chance, report, Clock(story.server.data.parent))


async def standstill(story: Story, chance: random.Random, report: Report) -> None:
    await suspend(story, report, LONGER_THAN_A_HEARTBEAT)


async def migrations(story: Story, chance: random.Random, report: Report) -> None:
    for begin in (1, *sorted(chance.sample(range(2, len(STEPS)), 2))):
        with report.filing(f"an upgrade from schema {begin}"):
            await upgrade(story, chance, report, begin, kills=3)
        await upright(story)
    await upgrade_to_tomorrow(story, chance, report, kills=5)


async def protocol(story: Story, chance: random.Random, report: Report) -> None:
    await asyncio.to_thread(play_alone, chance.randrange(2**32), report, 12, 30)


def soaking(minutes: float) -> Part:
    laps = [LAP] * max(round(minutes * 60 / LAP), LEAST_LAPS)

    async def play(story: Story, chance: random.Random, report: Report) -> None:
        await soak(story, chance, report, laps)

    return Part(play, live_sessions=6, within=minutes * 120 + WITHIN)


PARTS = {
    "cuts": Part(cuts),
    "crowd": Part(crowd),
    "readers": Part(readers),
    "delays": Part(delays),
    "kills": Part(kills, live_sessions=2),
    "phases": Part(phases, live_sessions=LIVE),
    "sleep": Part(sleep, config=SLEEPY),
    "storms": Part(storms),
    "tools": Part(tools, every=3, config=SMALL_SANDBOX),
    "clocks": Part(
        clocks,
        config=DROWSY,
        arguments=WITH_TOKENS,
        environment=lambda folder: Clock(folder).environment,
        lacks=lambda: "" if Clock.library() else NO_FAKETIME,
    ),
    "protocol": Part(protocol, every=2),
    "migrations": Part(migrations, every=4),
    "disk": Part(disk, every=3, within=3 * WITHIN),
    "standstill": Part(standstill, every=10),
    "silence": Part(silence, every=10),
    "babble": Part(
        babbling, every=ONCE, config=IMPATIENT, arguments=BOTH_ADAPTERS, within=4 * WITHIN
    ),
}
