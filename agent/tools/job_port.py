"""Who follows a background job to its end, whatever service runs it."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from agent.protocol import JobId, JobStatus
from agent.tools.port import Keys


class JobEnd(Struct, frozen=True):
    """`output` is the end of its log, `seconds` how long it ran; a cost of None is unknown."""

    status: JobStatus
    output: str
    seconds: float
    cost_usd: float | None = None
    url: str | None = None


class JobWatch(Protocol):
    async def follow(self, job: JobId, keys: Keys, show: Callable[[str], None]) -> JobEnd:
        """Returns when the job has ended, or when nobody can tell any more (`unknown`).

        `show` is given its log from the beginning. Cancelling this ends the watching alone.
        """
        ...
