"""Thousands of viewers that hold still: what each holds, and who streams beside them."""

import asyncio
import time
from contextlib import AsyncExitStack

from tests.benchmarks.creation import NO_MODEL
from tests.benchmarks.growth import growth
from tests.benchmarks.lags import Share, streaming, told
from tests.benchmarks.load import ENDED, Load, load_on
from tests.benchmarks.machine import cpu_seconds, quantile, rss_kib
from tests.benchmarks.memory import SETTLED
from tests.benchmarks.processes import ROOMY, TEST_MODEL, module, mooring
from tests.benchmarks.standing import DEFLATE, standing
from tests.benchmarks.table import Figure

IDLE = (1_000, 3_000, 10_000)
DEFLATING = (1_000, 10_000)
LONG = "words that shrink when they are deflated " * 20
"""Said before anybody comes: who agreed on compression is sent it deflated."""
EARLY = 100
SESSIONS_OF_IDLE = 50
STREAMING = 200
THIRTY_A_SECOND_MS = 33
APART = 0.037
"""Seconds between the starts of two turns: people do not all begin at once."""
LOOKS = 100
FIRST_LOOKS = 4
"""They do not count: the last of the turns begin."""
LIMITS = ROOMY | {
    "connections_per_user": 20_000,
    "connections_per_address": 25_000,
    "handshakes_per_minute": 1_000_000,
}


async def measure() -> list[Figure]:
    plain = {count: await _held_by(count, "") for count in IDLE}
    deflating = {count: await _held_by(count, DEFLATE) for count in DEFLATING}
    named = ((plain, "without compression"), (deflating, "with it, one deflated ping each"))
    return [
        *(
            Figure(f"{count:,} idle viewers {how}: memory each", each, "KiB", 17.0)
            for held, how in named
            for count, each in held.items()
        ),
        growth("memory of an idle viewer with their number", plain),
        *await _crowd(),
    ]


async def _held_by(count: int, extensions: str) -> float:
    async with mooring(NO_MODEL, limits=LIMITS) as server, load_on(server) as load:
        sessions = [await _spoken_in(load) for _ in range(2)]
        async with standing(load, sessions[:1], EARLY, extensions=extensions):
            await asyncio.sleep(SETTLED)
            before = rss_kib(load.pid)
            async with standing(load, sessions[1:], count, extensions=extensions):
                await asyncio.sleep(SETTLED)
                return (rss_kib(load.pid) - before) / count


async def _spoken_in(load: Load) -> str:
    """A session with an input of some length; no model answers it."""
    session = await load.session()
    viewer = await load.viewer(session)
    await viewer.say(LONG)
    await viewer.until(ENDED)
    return session


async def _crowd() -> list[Figure]:
    """As many as one core is promised to carry: the loop's lag as the server itself reads it, and
    that of each token of all who stream."""
    idle = IDLE[-1]
    model = module(TEST_MODEL, "--chunks", 1_000_000, "--pace-ms", THIRTY_A_SECOND_MS, "--stamp")
    async with AsyncExitStack() as stack:
        playing = await stack.enter_async_context(model)
        server = await stack.enter_async_context(mooring(playing.url, limits=LIMITS))
        load = await stack.enter_async_context(load_on(server))
        quiet = [await load.session() for _ in range(SESSIONS_OF_IDLE)]
        crowd = await stack.enter_async_context(standing(load, quiet, idle // SESSIONS_OF_IDLE))
        viewers = [await load.viewer() for _ in range(STREAMING)]
        tokens = await stack.enter_async_context(streaming(viewers, APART))
        await asyncio.sleep(SETTLED)
        for _ in range(FIRST_LOOKS):
            await loop_lag(load)
        tokens.clear()
        before, begun = cpu_seconds(load.pid), time.perf_counter()
        generators = Share(crowd.pid, playing.pid)
        loop = [await loop_lag(load) for _ in range(LOOKS)]
        share = (cpu_seconds(load.pid) - before) / (time.perf_counter() - begun) * 100
        seen, of = list(tokens), f"{share:.0f} % of the server's core; {generators}"
    what = f"{idle:,} idle viewers, {STREAMING} sessions streaming"
    looked = f"p50 {quantile(loop, 0.5):.1f}, max {max(loop):.0f} ms of {LOOKS} looks"
    return [
        Figure(f"{what}: loop lag p99", quantile(loop, 0.99), "ms", 20.0, of=f"{looked}; {of}"),
        Figure(f"{what}: lag of tokens p99", quantile(seen, 0.99), "ms", of=told(seen)),
    ]


async def loop_lag(load: Load) -> float:
    """Milliseconds, as the server measured it last; asked as often as it measures."""
    await asyncio.sleep(0.5)
    return await load.metric("mooring_loop_lag_seconds") * 1000
