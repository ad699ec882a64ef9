"""How far behind a viewer is: the model's chunks carry the moment when they were sent."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from msgspec import Struct

from tests.benchmarks.load import DELTA, ENDED, Viewer
from tests.benchmarks.machine import cpu_seconds, quantile


class _Delta(Struct):
    text: str


async def lags(viewer: Viewer) -> list[float]:
    """Of every chunk of one reply, in milliseconds."""
    found: list[float] = []
    await follow(viewer, found)
    return found


async def follow(viewer: Viewer, found: list[float]) -> None:
    """Add those of one reply as they come."""
    cut = ""
    async for frame in viewer.through(ENDED):
        if DELTA in frame:
            seen = time.monotonic_ns()
            *stamps, cut = (cut + msgspec.json.decode(frame, type=_Delta).text).split(" ")
            found += [(seen - int(stamp)) / 1e6 for stamp in stamps]


@asynccontextmanager
async def streaming(viewers: Sequence[Viewer], apart: float) -> AsyncIterator[list[float]]:
    """Each begins a turn, so many seconds after the one before; else like `following`."""
    async with following(viewers) as found:
        for viewer in viewers:
            await viewer.say()
            await asyncio.sleep(apart)
        yield found


@asynccontextmanager
async def following(viewers: Sequence[Viewer]) -> AsyncIterator[list[float]]:
    """Their lags as they come: in the list is what was seen since somebody cleared it."""
    found: list[float] = []
    tasks = [asyncio.create_task(follow(viewer, found)) for viewer in viewers]
    try:
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def told(found: Sequence[float]) -> str:
    """Lags in a few words."""
    return (
        f"p50 {quantile(found, 0.5):.1f}, max {max(found):.0f} ms of {len(found):,} tokens"
        if found
        else "no tokens"
    )


class Share:
    """What the load generators take of their core meanwhile: near 100 % the lags are theirs."""

    def __init__(self, *others: int) -> None:
        """`others` are processes beside this one, by their ids."""
        self._others = others
        self._spent, self._begun = self._seconds(), time.perf_counter()

    def _seconds(self) -> list[float]:
        return [time.process_time(), *map(cpu_seconds, self._others)]

    def __str__(self) -> str:
        lasted = time.perf_counter() - self._begun
        each = [now - then for now, then in zip(self._seconds(), self._spent, strict=True)]
        return f"load generators {sum(each) / lasted * 100:.0f} % of the other core"
