"""`python -m tests.faults --seed N --minutes M`: break what can break, and print what it found."""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from msgspec import Struct

from tests.faults.babble import ARGUMENTS as BOTH_ADAPTERS
from tests.faults.babble import CONFIG as IMPATIENT
from tests.faults.babble import babble
from tests.faults.clock import ARGUMENTS as WITH_TOKENS
from tests.faults.clock import CONFIG as SLEEPY
from tests.faults.clock import Clock, jump, suspend
from tests.faults.crowd import come_and_go
from tests.faults.cuts import cut_lines
from tests.faults.disk import disk
from tests.faults.kills import GONE, kill
from tests.faults.migration import upgrade
from tests.faults.phases import PHASES, strike
from tests.faults.protocol import play_alone
from tests.faults.readers import stop_reading
from tests.faults.report import Report
from tests.faults.scene import world
from tests.faults.soak import WARM_LAPS, soak
from tests.faults.storm import every_cursor, repeat_everywhere, storm
from tests.faults.tools import CONFIG as SMALL_SANDBOX
from tests.faults.tools import misuse
from tests.oracle import Frame
from tests.stories.scene import Story

WITHIN = 240.0
"""Seconds after which a part that takes 30 has got stuck."""
LAP, LEAST_LAPS = 30.0, WARM_LAPS + 3
LONGER_THAN_A_HEARTBEAT = 25.0
Kind = Callable[[Story, random.Random, Report], Awaitable[None]]


class Part(Struct, frozen=True):
    """One kind of trouble, on a server of its own; `every`: in one of so many rounds."""

    play: Kind
    every: int = 1
    live_sessions: int = 200
    config: Frame = {}
    arguments: tuple[str, ...] = ()
    environment: Callable[[Path], Mapping[str, str]] = lambda folder: {}
    within: float = WITHIN


async def cuts(story: Story, chance: random.Random, report: Report) -> None:
    await cut_lines(story, chance, report, 240)


async def crowd(story: Story, chance: random.Random, report: Report) -> None:
    await come_and_go(story, chance, report, 150)


async def readers(story: Story, chance: random.Random, report: Report) -> None:
    await stop_reading(story, report)


async def kills(story: Story, chance: random.Random, report: Report) -> None:
    await kill(story, chance, report, 25)


async def phases(story: Story, chance: random.Random, report: Report) -> None:
    for phase in chance.sample(PHASES, len(PHASES)):
        await strike(story, chance, report, phase)


async def babbling(story: Story, chance: random.Random, report: Report) -> None:
    await babble(story, chance, report, places=2)


async def tools(story: Story, chance: random.Random, report: Report) -> None:
    await misuse(story, chance, report)


async def storms(story: Story, chance: random.Random, report: Report) -> None:
    await repeat_everywhere(story, chance, report)
    await storm(story, chance, report, crowd=100, times=3)
    await every_cursor(story, report)


async def clocks(story: Story, chance: random.Random, report: Report) -> None:
    await jump(story, chance, report, Clock(story.server.data.parent))


async def standstill(story: Story, chance: random.Random, report: Report) -> None:
    await suspend(story, report, LONGER_THAN_A_HEARTBEAT)


async def migrations(story: Story, chance: random.Random, report: Report) -> None:
    await upgrade(story, chance, report, 5)


async def protocol(story: Story, chance: random.Random, report: Report) -> None:
    await asyncio.to_thread(play_alone, chance.randrange(2**32), report, 12, 30)


def soaking(minutes: float) -> Part:
    laps = [LAP] * max(round(minutes * 60 / LAP), LEAST_LAPS)

    async def play(story: Story, chance: random.Random, report: Report) -> None:
        await soak(story, chance, report, laps)

    return Part(play, live_sessions=8, within=minutes * 120 + WITHIN)


PARTS = {
    "cuts": Part(cuts),
    "crowd": Part(crowd),
    "readers": Part(readers, every=5),
    "kills": Part(kills, live_sessions=2),
    "phases": Part(phases, live_sessions=3),
    "storms": Part(storms),
    "tools": Part(tools, every=3, config=SMALL_SANDBOX),
    "clocks": Part(
        clocks,
        config=SLEEPY,
        arguments=WITH_TOKENS,
        environment=lambda folder: Clock(folder).environment,
    ),
    "protocol": Part(protocol, every=2),
    "migrations": Part(migrations, every=4),
    "disk": Part(disk, every=3),
    "standstill": Part(standstill, every=10),
    "babble": Part(babbling, every=3, config=IMPATIENT, arguments=BOTH_ADAPTERS),
}


async def run(seed: int, seconds: float, report: Report) -> None:
    """Round by round until the time is over; a round has a seed of its own, which it prints."""
    begun = time.monotonic()
    number = 0
    if Clock.library() is None:
        print("clocks are left out: libfaketime is not installed (Debian: apt install libfaketime)")
        del PARTS["clocks"]
    while True:
        for name, part in PARTS.items():
            if number % part.every:
                continue
            left = seconds - (time.monotonic() - begun)
            if left <= 0:
                return
            await one(name, part, f"{seed}/{number}", report)
        number += 1


async def one(name: str, part: Part, seed: str, report: Report) -> None:
    print(f"{name} {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="mooring-faults-") as folder:
        try:
            async with (
                asyncio.timeout(part.within),
                world(
                    Path(folder),
                    part.config,
                    arguments=part.arguments,
                    environment=part.environment(Path(folder)),
                    live_sessions=part.live_sessions,
                ) as story,
            ):
                await part.play(story, random.Random(seed), report)
        except* (AssertionError, LookupError, *GONE) as broken:
            report.find("broken", f"{name} {seed}: {flat(broken)}")


def flat(error: BaseException) -> str:
    """What was wrong, out of whatever groups it is in."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(flat(inner) for inner in error.exceptions)
    said = f"{type(error).__name__} {error}"
    return said[max(said.find("Traceback (most recent"), 0) :]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--soak", type=float, default=0.0, help="minutes of a soak behind it")
    given = parser.parse_args()
    report = Report()
    logging.getLogger("aiohttp.server").disabled = True  # the test model, whose client is killed
    asyncio.run(run(given.seed, given.minutes * 60, report))
    if given.soak:
        asyncio.run(one("soak", soaking(given.soak), str(given.seed), report))
    print(f"\nseed {given.seed}, {given.minutes:g} minutes\n\n{report.printed()}")
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(main())
