"""A job at the Hub, followed to its end: its log as it comes, and what became of it."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
from msgspec import Struct

from agent.errors import Problem
from agent.protocol import JobId, JobStatus
from agent.tools.hub_client import Hub
from agent.tools.job_log import JobLog
from agent.tools.job_port import JobEnd
from agent.tools.job_prices import Prices
from agent.tools.port import Keys

if TYPE_CHECKING:
    from agent.tools.hub_client import Api

TAIL = 4_000
"""Characters of the log that are kept with the end."""
ENDS: dict[str, JobStatus] = {
    "COMPLETED": "ok",
    "ERROR": "error",
    "CANCELED": "cancelled",
    "DELETED": "unknown",
}
REFUSALS = ("hub_unauthorized", "hub_forbidden", "hub_not_found")
LOST = "Nobody can tell what became of it: {why} Look with hf_jobs inspect."


class Patience(Struct, frozen=True):
    """Seconds: between two looks at a job, which grow from `first` to `longest`; until a Hub that
    refuses to tell, or tells nothing, is given up; and for the last of the log."""

    first: float = 2
    longest: float = 60
    refused: float = 900
    silent: float = 24 * 3600
    last_words: float = 10


class Seen(Struct, frozen=True):
    """A job as the Hub showed it."""

    stage: str
    message: str | None
    hardware: str | None
    seconds: float
    url: str


class HubJobs:
    """Implements JobWatch. At most `streams` logs are read at once, of others the end alone."""

    def __init__(
        self,
        hub: Hub,
        log: JobLog,
        prices: Prices,
        *,
        patience: Patience = Patience(),  # noqa: B008 - a frozen value
        streams: int = 200,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hub = hub
        self._log = log
        self._prices = prices
        self._patience = patience
        self._room = asyncio.Semaphore(streams)
        self._clock = clock

    async def follow(self, job: JobId, keys: Keys, show: Callable[[str], None]) -> JobEnd:
        reader = _Reader(job, keys, self._log, show, self._patience)
        reading = asyncio.create_task(self._read(reader))
        try:
            seen = await self._look_until_ended(job, keys, reader.hurry)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if isinstance(seen, str):
            return JobEnd("unknown", f"{LOST.format(why=seen)}\n{reader.tail}"[:TAIL], 0.0)
        await self._prices.refresh(keys)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.last_words):
                await reader.read_rest()
        says = f"The Hub says: {seen.message}\n" if seen.message else ""
        cost = self._prices.cost(seen.hardware or "", seen.seconds)
        output = says[: TAIL // 4] + reader.tail[-(TAIL - TAIL // 4) :]
        return JobEnd(ENDS[seen.stage], output, seen.seconds, cost, seen.url)

    async def _read(self, reader: "_Reader") -> None:
        async with self._room:
            await reader.read()

    async def _look_until_ended(self, job: JobId, keys: Keys, hurry: asyncio.Event) -> Seen | str:
        """What it came to; or why nobody can tell."""
        patience, wait, told = self._patience, self._patience.first, self._clock()
        while True:
            hurry.clear()
            try:
                seen = await self._hub.ask(keys, lambda api: look(api, job))
            except Problem as problem:
                refused = problem.code in REFUSALS
                if self._clock() - told > (patience.refused if refused else patience.silent):
                    return problem.message
            else:
                told = self._clock()
                if seen.stage in ENDS:
                    return seen
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await hurry.wait()
                    await asyncio.sleep(patience.first / 4)
            wait = min(wait * 1.5, patience.longest)


class _Reader:
    """Reads a log again and again from its beginning, and shows each line once."""

    def __init__(
        self, job: JobId, keys: Keys, log: JobLog, show: Callable[[str], None], patience: Patience
    ) -> None:
        self.hurry = asyncio.Event()
        """The log has ended: so may have the job."""
        self.tail = ""
        self._job = job
        self._keys = keys
        self._log = log
        self._show = show
        self._patience = patience
        self._shown = 0
        self._whole = False

    async def read(self) -> None:
        wait = self._patience.first
        while True:
            before = self._shown
            await self.read_rest(again=True)
            self.hurry.set()
            wait = self._patience.first if self._shown > before else wait * 2
            await asyncio.sleep(min(wait, self._patience.longest))

    async def read_rest(self, *, again: bool = False) -> None:
        """What was not read yet; nothing where the log came to its end, unless it may go on."""
        if self._whole and not again:
            return
        self._whole = False
        number = 0
        try:
            async for line in self._log.lines(self._job, self._keys):
                number += 1
                if number > self._shown:
                    self._shown = number
                    self.tail = f"{self.tail}{line}\n"[-TAIL:]
                    self._show(f"{line}\n")
            self._whole = True
        except (aiohttp.ClientError, TimeoutError, OSError):
            return


def look(api: "Api", job: JobId) -> Seen:
    namespace, _, id = job.rpartition("/")
    found = api.inspect_job(job_id=id, namespace=namespace)
    ran = found.durations.running_secs if found.durations else None
    if ran is None and found.started_at and found.finished_at:
        ran = int((found.finished_at - found.started_at).total_seconds())
    status = found.status
    return Seen(status.stage, status.message, found.flavor, float(ran or 0), found.url)
