"""`python -m tests.faults --seed N --minutes M`: break what can break, and print what it found."""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

from tests.faults.parts import PARTS, Part, soaking
from tests.faults.report import Report
from tests.faults.scene import world

FULL = 18.0
"""Minutes; a run of that length or more is a whole one and has to have tried enough."""
KILLS, CUTS = 200, 1_000


async def run(
    seed: int,
    minutes: float,
    report: Report,
    parts: Mapping[str, Part] = PARTS,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Round by round until the time is over; a round has a seed of its own, which it prints."""
    begun = clock()
    report.runs.update(dict.fromkeys(parts, 0))
    for name, part in parts.items():
        if why := part.lacks():
            report.left_out[name] = why
    for number in count():
        for name in in_round(number, parts):
            if name in report.left_out:
                continue
            if over((clock() - begun) / 60, minutes, report):
                return
            await one(name, parts[name], f"{seed}/{number}", report)


def over(gone: float, minutes: float, report: Report) -> bool:
    """A whole run that has not tried enough goes on for as long again at most."""
    return gone >= minutes and (gone >= 2 * minutes or not lacking(report, minutes))


def in_round(number: int, parts: Mapping[str, Part]) -> list[str]:
    """The first round has them all."""
    return [name for name, part in parts.items() if number % part.every == 0]


async def one(name: str, part: Part, seed: str, report: Report) -> None:
    """A part that breaks is filed, and the next one has its turn."""
    print(f"{name} {seed}", flush=True)
    begun = time.monotonic()
    report.runs[name] += 1
    with (
        report.filing(f"{name} {seed}"),
        tempfile.TemporaryDirectory(prefix="mooring-faults-") as folder,
    ):
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
    print(f"{name} {seed}: {time.monotonic() - begun:.0f} s", flush=True)


def lacking(report: Report, minutes: float) -> list[str]:
    """What a run of full length should have tried, and has not."""
    if minutes < FULL:
        return []
    never = [name for name, runs in report.runs.items() if not runs]
    lacks = [f"{name} has never run" for name in never if name not in report.left_out]
    for what, there, least in (("kills", report.kills, KILLS), ("cuts", report.cuts, CUTS)):
        if there < least:
            lacks.append(f"too few {what}: {there:,}, at least {least:,} are wanted")
    return lacks


def main(
    arguments: list[str] | None = None,
    parts: Mapping[str, Part] = PARTS,
    say: Callable[[str], None] = print,
) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=FULL)
    parser.add_argument(
        "--soak", type=float, default=30.0, help="minutes of a soak behind it (30); 0 leaves it out"
    )
    given = parser.parse_args(arguments)
    report = Report()
    lacks: list[str] = []
    logging.getLogger("aiohttp.server").disabled = True  # the test model, whose client is killed
    try:
        asyncio.run(run(given.seed, given.minutes, report, parts))
        lacks = lacking(report, given.minutes)
        if given.soak:
            asyncio.run(one("soak", soaking(given.soak), str(given.seed), report))
    finally:
        say(f"\nseed {given.seed}, {given.minutes:g} minutes\n\n{report.printed()}")
        for lack in lacks:
            say(f"not enough: {lack}")
    return 1 if lacks or not report.clean else 0


if __name__ == "__main__":
    sys.exit(main())
