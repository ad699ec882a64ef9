"""Servers that were started here end when they should, however hard they try not to."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from agent.tools.mcp_child import spawn
from tests.agent.sandbox.running import become, descriptors
from tests.fakes.mcp import ROGUE

PARENT = """
import asyncio, sys
from agent.tools.mcp_child import spawn
async def main():
    child = await spawn("x", sys.argv[1:], {})
    await asyncio.Event().wait()
asyncio.run(main())
"""


def alive(pid: int) -> bool:
    """Not a zombie that only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def pids_in(place: Path) -> list[int]:
    await become((place / "pids").exists)
    return [int(pid) for pid in (place / "pids").read_text().split()]


async def test_one_that_takes_no_hint_is_killed_with_its_children(tmp_path: Path) -> None:
    child = await spawn("x", [*ROGUE, "stubborn", str(tmp_path)], {}, grace=0.05)
    pids = [child.pid, *await pids_in(tmp_path)]
    assert all(map(alive, pids))
    await child.close()
    await become(lambda: not any(map(alive, pids)))


async def test_one_is_killed_at_once_when_closing_it_is_cancelled(tmp_path: Path) -> None:
    child = await spawn("x", [*ROGUE, "stubborn", str(tmp_path)], {}, grace=60)
    pids = await pids_in(tmp_path)
    closing = asyncio.create_task(child.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    await become(lambda: not any(map(alive, pids)))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells of a parent's end on Linux")
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
async def test_servers_die_with_the_process_that_started_them(
    tmp_path: Path, by: signal.Signals
) -> None:
    command = (sys.executable, "-c", PARENT, *ROGUE, "stubborn", str(tmp_path))
    parent = await asyncio.create_subprocess_exec(*command)
    pids = await pids_in(tmp_path)
    assert all(map(alive, pids))
    os.kill(parent.pid, by)
    await parent.wait()
    await become(lambda: not any(map(alive, pids)))


async def test_nothing_stays_open(tmp_path: Path) -> None:
    before = descriptors()
    for way in ("silent", "dies", "floods", "complains"):
        child = await spawn("x", [*ROGUE, way, str(tmp_path)], {}, grace=0.05)
        await child.close()
    await become(lambda: descriptors() == before)
