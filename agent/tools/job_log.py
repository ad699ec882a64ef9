"""What a job prints, as the Hub streams it: server-sent events, each a line."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress

import aiohttp
import msgspec
from msgspec import Struct

from agent.protocol import JobId
from agent.tools.port import Keys

LONGEST_LINE = 64 * 1024
"""Bytes; the rest of a longer event is left out."""
_OPENING = "===== Job started"


class _Printed(Struct):
    data: str = ""


class JobLog:
    """Streams begin at the beginning; one that is silent for `silence` seconds is given up.

    `patience` is for whoever waits for an answer now.
    """

    def __init__(self, endpoint: str, *, silence: float = 120, patience: float = 20) -> None:
        self.patience = patience
        self._endpoint = endpoint
        self._silence = silence

    async def lines(self, job: JobId, keys: Keys) -> AsyncGenerator[str, None]:
        """Every line so far, then as they come, until the Hub ends the log.

        Raises aiohttp.ClientError or TimeoutError where it breaks off or is refused.
        """
        async with self._opened(job, keys) as content, aclosing(_events(content)) as found:
            async for line in found:
                yield line

    async def recent(self, job: JobId, keys: Keys, *, lines: int, quiet: float) -> tuple[str, ...]:
        """The last lines there are: of a job that goes on, once it printed none for `quiet` s."""
        kept: deque[str] = deque(maxlen=lines)
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self.patience):
                content = await stack.enter_async_context(self._opened(job, keys))
            found = await stack.enter_async_context(aclosing(_events(content)))
            with suppress(StopAsyncIteration, TimeoutError):
                while True:
                    async with asyncio.timeout(quiet):
                        kept.append(await anext(found))
        return tuple(kept)

    @asynccontextmanager
    async def _opened(self, job: JobId, keys: Keys) -> AsyncIterator[aiohttp.StreamReader]:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=self._silence)
        token = keys.hub()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self._endpoint}/api/jobs/{job}/logs"
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(
                url, headers=headers, allow_redirects=False, raise_for_status=True
            ) as found,
        ):
            yield found.content


async def _events(content: aiohttp.StreamReader) -> AsyncGenerator[str, None]:
    """Lines that are too long are cut, what is no event is passed over."""
    kept = b""
    async for chunk in content.iter_any():
        *whole, kept = (kept + chunk).split(b"\n")
        for raw in whole:
            if (line := _line(raw)) is not None:
                yield line
        if len(kept) > LONGEST_LINE:
            if (line := _line(kept[:LONGEST_LINE])) is not None:
                yield line
            kept = b""


def _line(raw: bytes) -> str | None:
    if not raw.startswith(b"data:"):
        return None
    try:
        line = msgspec.json.decode(raw[5:], type=_Printed).data
    except (msgspec.DecodeError, UnicodeError):
        return None
    return None if line.startswith(_OPENING) else line
