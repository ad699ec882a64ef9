"""Stopping a command: at any instant, at once, completely; also when the server is killed."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from agent.sandbox.bubblewrap import Bubblewrap
from tests.agent.sandbox.running import Commands, alive, become, descriptors

PARENT = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from agent.sandbox.bubblewrap import Bubblewrap
from agent.sandbox.port import SandboxLimits

async def main(tree, command):
    sandbox = Bubblewrap(SandboxLimits(), ThreadPoolExecutor(1))
    def show(text):
        print(text, end="", flush=True)
    await sandbox.run(("bash", "-c", command), workspace=Path(tree), timeout=600, show=show)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_an_interrupt_kills_everything_and_returns_at_once(
    commands: Commands, marker: str
) -> None:
    stubborn = f"trap '' TERM INT; for i in 1 2 3; do (exec -a {marker} sleep 1000) & done"
    running = asyncio.create_task(commands(f"{stubborn}; setsid sleep 1000 & echo half; wait"))
    await commands.shown("half\n")
    running.cancel()
    async with asyncio.timeout(60):  # 0.1 on a machine that does nothing else
        with pytest.raises(asyncio.CancelledError):
            await running
    assert alive(marker) == []
    assert commands.output == "half\n"


async def test_a_second_interrupt_does_not_leave_the_first_half_done(
    commands: Commands, marker: str
) -> None:
    before = descriptors()
    running = asyncio.create_task(commands(f"echo on; exec -a {marker} sleep 1000"))
    await commands.shown("on")
    for _ in range(3):
        running.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert alive(marker) == []
    assert descriptors() == before


async def test_an_interrupt_at_any_step_of_the_launch_leaves_nothing(
    commands: Commands, marker: str
) -> None:
    before = descriptors()
    ran = commands.tree / "ran"
    for steps in range(12):
        running = asyncio.create_task(commands(f"touch ran; exec -a {marker} sleep 1000"))
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert alive(marker) == []
        assert steps > 3 or not ran.exists()  # so early no command can have begun
        ran.unlink(missing_ok=True)
    assert descriptors() == before
    assert not ran.exists()


async def test_what_was_printed_before_an_interrupt_is_shown(commands: Commands) -> None:
    running = asyncio.create_task(commands("echo first; printf second; touch done; sleep 1000"))
    await become((commands.tree / "done").exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert commands.output == "first\nsecond"


async def test_an_error_in_who_watches_ends_the_command(
    sandbox: Bubblewrap, tree: Path, marker: str
) -> None:
    def show(text: str) -> None:
        raise RuntimeError("nobody listens")

    command = ("bash", "-c", f"echo on; exec -a {marker} sleep 1000")
    with pytest.raises(RuntimeError, match="nobody listens"):
        await sandbox.run(command, workspace=tree, timeout=60, show=show)
    assert alive(marker) == []


@pytest.mark.usefixtures("sandbox")
async def test_a_server_that_is_killed_takes_its_commands_along(tree: Path, marker: str) -> None:
    daemon = f"(setsid bash -c 'exec -a {marker} sleep 1000' &)"
    command = f"trap '' TERM; {daemon}; echo started; exec -a {marker} sleep 1000"
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tree), command, stdout=PIPE, cwd=_root()
    )
    assert server.stdout
    assert await server.stdout.readline() == b"started\n"
    server.send_signal(signal.SIGKILL)
    await server.wait()
    await become(lambda: not alive(marker))
    assert alive(marker) == []


@pytest.mark.usefixtures("sandbox")
async def test_a_server_that_is_killed_during_a_launch_leaves_nothing(
    tree: Path, marker: str
) -> None:
    command = f"exec -a {marker} sleep 1000"
    for _ in range(4):
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PARENT, str(tree), command, cwd=_root()
        )
        await become(lambda: len(alive(marker)) > 1)
        server.send_signal(signal.SIGKILL)
        await server.wait()
        await become(lambda: not alive(marker))
    assert alive(marker) == []


def _root() -> str:
    return str(Path(__file__).parents[3])
