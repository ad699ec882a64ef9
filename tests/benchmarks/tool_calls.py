"""A call of a tool through the toolbox beside the bare call, and one server of tools for 200."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median

import msgspec

from agent.sandbox.capacity import Capacity
from agent.sandbox.port import SandboxLimits
from agent.tools.mcp import opened
from agent.tools.mcp_pool import Pool
from agent.tools.mcp_port import Hearing
from agent.tools.mcp_results import Keeper
from agent.tools.mcp_settings import McpServer
from agent.tools.mcp_tools import McpTools
from agent.tools.plan import Plan
from agent.tools.port import Call, NoKeys, nobody
from agent.tools.toolbox import Toolbox
from tests.agent.doubles import FakeWorkspace
from tests.agent.tools.mcp_stage import opening, over_http
from tests.benchmarks.table import Figure
from tests.fakes.mcp import WORKSHOP

CALLS = 300
WARM_UP = 50
SESSIONS = 200
PROCESSES = 10
"""So many with a process each are measured; all of them would not fit into a small machine."""
GIVEN = {"a": 2, "b": 3}
ITEMS = {"items": [{"id": "1", "content": "Look", "status": "pending"}]}
HEARING = Hearing(lambda _: None, nobody)
NEAR = McpServer(command=WORKSHOP, start_seconds=60)
Act = Callable[[], Awaitable[object]]


async def measure() -> list[Figure]:
    logging.disable(logging.INFO)  # the SDK's server, imported here, prints each request in colour
    async with over_http() as url:
        calls = [await _built_in(), await _near(), await _far(url)]
    return [*calls, *await _sharing()]


# ---- one call ------------------------------------------------------------------------------------


async def _built_in() -> Figure:
    plan, call = Plan(), _call()
    given = msgspec.convert(ITEMS, plan.arguments)
    async with _sessions({}) as (toolbox,):
        through = await _microseconds(lambda: toolbox.call("plan", ITEMS, call))
    bare = await _microseconds(lambda: plan.run(given, call))
    return _figure("a built-in tool", through, bare, "its `run` alone")


async def _near() -> Figure:
    async with _sessions({"near": NEAR}) as (toolbox,):
        await toolbox.news()
        call = _call()
        through = await _microseconds(lambda: toolbox.call("mcp_near_add", GIVEN, call))
    async with opening(*WORKSHOP) as connection:
        bare = await _microseconds(lambda: connection.call("add", GIVEN, HEARING))
    return _figure("MCP over stdio", through, bare, "the SDK's client alone")


async def _far(url: str) -> Figure:
    async with _sessions({"far": McpServer(url=url, start_seconds=60)}) as (toolbox,):
        await toolbox.news()
        call = _call()
        through = await _microseconds(lambda: toolbox.call("mcp_far_add", GIVEN, call))
    async with opening(url=url) as connection:
        bare = await _microseconds(lambda: connection.call("add", GIVEN, HEARING))
    return _figure("MCP over HTTP", through, bare, "the SDK's client alone")


def _figure(what: str, through: float, bare: float, of: str) -> Figure:
    return Figure(f"a call through the toolbox: {what}", through, "µs", reference=bare, of=of)


async def _microseconds(act: Act) -> float:
    """The median of what one takes, one after the other."""
    taken: list[float] = []
    for _ in range(WARM_UP + CALLS):
        began = time.perf_counter()
        await act()
        taken.append(time.perf_counter() - began)
    return median(taken[WARM_UP:]) * 1e6


# ---- one server for all --------------------------------------------------------------------------


async def _sharing() -> list[Figure]:
    before = _children_mib()
    async with _sessions({"near": NEAR}, SESSIONS) as toolboxes:
        began = time.perf_counter()
        await asyncio.gather(*(toolbox.news() for toolbox in toolboxes))
        shared = (time.perf_counter() - began) * 1e3
        assert all("mcp_near_add" in toolbox.names for toolbox in toolboxes)
        memory = _children_mib() - before
    async with AsyncExitStack() as stack:
        began = time.perf_counter()
        for _ in range(PROCESSES):
            connection = await stack.enter_async_context(opening(*WORKSHOP))
            await connection.tools()
        alone = (time.perf_counter() - began) * 1e3 / PROCESSES
        each = (_children_mib() - before) / PROCESSES
    of, many = "a process each, by what ten take", f"{SESSIONS} sessions, one MCP server"
    starts = Figure(f"{many}: all know its tools", shared, "ms", reference=alone * SESSIONS, of=of)
    return [
        Figure(f"{many}: memory of it", memory, "MiB", reference=each * SESSIONS, of=of),
        starts,
    ]


def _children_mib() -> float:
    """What all processes below this one hold, shared pages by their share."""
    parents = {pid: parent for pid in _pids() if (parent := _parent(pid)) is not None}
    below, added = {os.getpid()}, True
    while added:
        more = {pid for pid, parent in parents.items() if parent in below} - below
        below |= more
        added = bool(more)
    return sum(map(_share_kib, below - {os.getpid()})) / 1024


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _share_kib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(float(line.split()[1]) for line in lines if line.startswith("Pss:"))


# ---- sessions ------------------------------------------------------------------------------------


@asynccontextmanager
async def _sessions(
    servers: dict[str, McpServer], count: int = 1
) -> AsyncIterator[tuple[Toolbox, ...]]:
    """The toolboxes of so many sessions over one pool of connections."""
    with ThreadPoolExecutor(2) as threads:
        pool = Pool(servers, opened)
        keeper = Keeper(Capacity(SandboxLimits()), threads, None)
        try:
            yield tuple(
                Toolbox([Plan()], threads).joined_by(
                    McpTools(pool, NoKeys(), keeper, pool.servers, ("plan",))
                )
                for _ in range(count)
            )
        finally:
            await pool.close()


def _call() -> Call:
    return Call("c1", FakeWorkspace(), lambda _: None)
