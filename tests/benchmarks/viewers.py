"""Bad viewers and good ones beside them: how far behind, what they hold, whom they stop."""

import asyncio
import socket
import statistics
import time
from contextlib import closing
from urllib.parse import urlsplit

from msgspec import Struct

from tests.benchmarks import idle
from tests.benchmarks.lags import Share, following, lags
from tests.benchmarks.load import DELTA, ENDED, Load, load_on
from tests.benchmarks.machine import median_of, open_files, quantile, rss_kib
from tests.benchmarks.processes import TEST_MODEL, module, mooring
from tests.benchmarks.standing import standing
from tests.benchmarks.table import Figure

FULL_RATE_CHUNKS = 50_000
WATCHING = 100
PACE_MS = 10
LOOKED_AT = 5
"""Of those who watch; the others are read elsewhere, so that no lag of the reader's is measured."""
BEGINNING = 1.0
"""Seconds that do not count: they come with the turn's own events, and with whom joined last."""
ROUNDS = 1
"""Each takes a minute and a half."""
BACKLOG = 100_000
"""Characters said before, four times: the frozen viewer is full as soon as it joins."""
LOOK = 0.25
STAYS = 42.0
"""Seconds: told 4408 after 10, cut off 30 later when it did not read that either, and a look."""
PATIENCE = 90.0


class Beside(Struct, frozen=True):
    """Milliseconds from the model to those who read, the most that the server grew to (KiB), and
    seconds after which the frozen one was cut off."""

    lags: list[float]
    grown: float
    stayed: float


async def measure() -> list[Figure]:
    return [*await _full_rate(), *await _frozen(), *await idle.measure()]


async def _full_rate() -> list[Figure]:
    async with (
        module(TEST_MODEL, "--chunks", FULL_RATE_CHUNKS, "--stamp") as model,
        mooring(model.url) as server,
        load_on(server) as load,
    ):
        viewer = await load.viewer()
        share = Share(model.pid)
        await viewer.say()
        behind = await lags(viewer)
        of = str(share)
    return [
        Figure("a viewer at full rate: behind p99", quantile(behind, 0.99), "ms", of=of),
        Figure("a viewer at full rate: behind at most", max(behind), "ms", 100.0, of=of),
    ]


async def _frozen() -> list[Figure]:
    """Each round has one run with nobody frozen and one beside it; the medians of the rounds."""
    share = Share()
    rounds = [(await _among(frozen=False), await _among(frozen=True)) for _ in range(ROUNDS)]
    usual = median_of([without.lags for without, _ in rounds], 0.99)
    others = median_of([beside.lags for _, beside in rounds], 0.99)
    grown = statistics.median(beside.grown - without.grown for without, beside in rounds)
    stayed = max(beside.stayed for _, beside in rounds)
    of = f"{usual:.2f} ms with nobody frozen, {others:.2f} ms beside one; {share}"
    named = f"one frozen among {WATCHING}, until it is cut off"
    return [
        Figure(f"{named}: the others' p99 lag", others / usual, "×", 1.2, of=of),
        Figure(
            f"{named}: memory beyond the others', at most", grown, "KiB", 256.0,
            of=f"it stayed for {stayed:.0f} s",
        ),
    ]  # fmt: skip


async def _among(*, frozen: bool) -> Beside:
    model = module(TEST_MODEL, "--chunks", 1_000_000, "--pace-ms", PACE_MS, "--stamp")
    async with model as playing, mooring(playing.url) as server, load_on(server) as load:
        session = await load.session()
        head = await _backlog(load, session)
        viewers = [await load.viewer(session, after=head) for _ in range(LOOKED_AT)]
        crowd = standing(load, [session], WATCHING - 1 - LOOKED_AT, after=head)
        async with crowd, following(viewers) as found:
            await viewers[0].say()
            await asyncio.sleep(BEGINNING)
            before, files = rss_kib(load.pid), open_files(load.pid)
            found.clear()
            if not frozen:
                return Beside(found, *await _watched(load, before, files, least=STAYS))
            with closing(_frozen_viewer(load, session)):
                return Beside(found, *await _watched(load, before, files, least=1.0))


async def _watched(load: Load, before: float, files: int, *, least: float) -> tuple[float, float]:
    """KiB that the server grew by at most, and seconds until it has no more open files than before
    (which is looked at only after the `least` of them)."""
    begun, most = time.perf_counter(), 0.0
    while (lasted := time.perf_counter() - begun) < PATIENCE:
        await asyncio.sleep(LOOK)
        most = max(most, rss_kib(load.pid) - before)
        if lasted > least and open_files(load.pid) <= files:
            return most, lasted
    raise AssertionError(f"the frozen viewer is still there after {PATIENCE} s")


async def _backlog(load: Load, session: str) -> int:
    """The number of the last event behind a lot of text."""
    first = await load.viewer(session)
    for _ in range(4):
        await first.say("x" * BACKLOG)
        await first.until(DELTA)
        await _interrupt(load, session)
        await first.until(ENDED)
    async with load.http.get(f"{load.url}/api/sessions/{session}") as answer:
        return int((await answer.json())["head"])


async def _interrupt(load: Load, session: str) -> None:
    stop = {"type": "interrupt", "id": f"stop{time.monotonic_ns()}"}
    async with load.http.post(
        f"{load.url}/api/sessions/{session}/submissions", json=stop
    ) as answer:
        assert answer.status == 200, await answer.text()


def _frozen_viewer(load: Load, session: str) -> socket.socket:
    """It asks for the whole log, and reads none of it."""
    parts = urlsplit(load.url)
    assert parts.hostname is not None
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    peer.connect((parts.hostname, parts.port))
    peer.sendall(
        f"GET /api/sessions/{session}/socket HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return peer
