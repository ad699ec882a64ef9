"""A server of tools that was started here: its lines, its complaints, and its end."""

import asyncio
import logging
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from agent.errors import Problem
from agent.sandbox.patience import to_the_end

log = logging.getLogger(__name__)

LEASH = Path(__file__).with_name("mcp_leash.py")
INHERITED = ("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER")
"""What a server is told of this one's environment; the rest is configured or not its business."""
LONGEST_LINE = 8 * 1024 * 1024
"""Bytes of one message: an image or a file may be in it."""
COMPLAINTS = 2000
"""Bytes of its standard error that are kept for the log."""


class Child:
    """`grace` is how long it may take, in seconds, after each of two hints that it should end."""

    def __init__(self, process: asyncio.subprocess.Process, name: str, grace: float) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self.name = name
        self._grace = grace
        self._in, self._out, self._err = process.stdin, process.stdout, process.stderr
        self._complaints = b""
        self._listening = asyncio.create_task(self._listen())

    @property
    def pid(self) -> int:
        """Of the process group, too."""
        return self._process.pid

    async def lines(self) -> AsyncIterator[bytes]:
        """What it says, until it ends. Raises Problem where a line is longer than any may be."""
        try:
            while line := await self._out.readline():
                yield line
        except ValueError:
            raise Problem("mcp_flooded", f"It sent a line over {LONGEST_LINE} bytes.") from None
        except ConnectionError:
            return

    async def write(self, line: bytes) -> None:
        """Raises ConnectionError when it has ended."""
        self._in.write(line)
        await self._in.drain()

    async def close(self) -> None:
        """Hint, ask, kill; returns when it and its group are gone. Cancelled: kills at once, and
        still sees them go."""
        self._in.close()
        try:
            await self._ended_within(self._grace)
            if self._process.returncode is None:
                self._signal(signal.SIGTERM)
                await self._ended_within(self._grace)
        finally:
            self._signal(signal.SIGKILL)
            await to_the_end(self._gone())

    async def _gone(self) -> None:
        self._listening.cancel()
        await self._ended_within(self._grace)
        await asyncio.gather(self._listening, return_exceptions=True)
        # Somebody who left the group may hold a pipe open; asyncio has no public way to let go.
        self._process._transport.close()  # type: ignore[attr-defined]
        if said := self._complaints.decode(errors="replace").strip():
            log.info("the MCP server %s said at its end: %s", self.name, said)

    async def _ended_within(self, seconds: float) -> None:
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                while await self._out.read(65536):
                    pass  # stuck in writing, it would not see that it should end
                await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def _listen(self) -> None:
        with suppress(ConnectionError):
            while said := await self._err.read(4096):
                self._complaints = (self._complaints + said)[-COMPLAINTS:]


async def spawn(
    name: str, command: Sequence[str], environment: Mapping[str, str], grace: float = 2.0
) -> Child:
    """Raises Problem `mcp_not_found`. Call it on the thread that lives as long as the server."""
    own = {key: value for key in INHERITED if (value := os.environ.get(key)) is not None}
    whole = {**own, **environment}
    if shutil.which(command[0], path=whole.get("PATH", os.defpath)) is None:
        raise Problem("mcp_not_found", f"There is no program {command[0]!r} here.")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=whole,
        limit=LONGEST_LINE,
        start_new_session=True,
    )
    return Child(process, name, grace)
