"""Viewers that hold still or come back, as processes beside the load generator."""

import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.benchmarks.load import Load
from tests.benchmarks.processes import ROOT, Started, module

CROWD = "tests.benchmarks.crowd"
STORM = "tests.benchmarks.storm"
DEFLATE = "permessage-deflate; client_max_window_bits"


@asynccontextmanager
async def standing(
    load: Load, sessions: Sequence[str], each: int, *, extensions: str = "", after: int = 0
) -> AsyncIterator[Started]:
    """So many viewers of each session, all of them there and answered."""
    urls = [f"{load.url}/api/sessions/{session}/socket?after={after}" for session in sessions]
    async with module(CROWD, extensions, each, *urls) as crowd:
        yield crowd


async def come_back(load: Load, session: str, count: int, last: int, behind: int) -> float:
    """Seconds until so many viewers are in again who come within one, each missing up to `behind`
    of the events before `last`."""
    url = f"{load.url}/api/sessions/{session}/socket"
    process = await create_subprocess_exec(
        *(sys.executable, "-m", STORM, url, str(count), str(last), str(behind)),
        cwd=ROOT,
        stdout=PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, "the storm did not get in"
    return float(said)
