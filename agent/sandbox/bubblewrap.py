"""Commands run in bubblewrap: cut off, limited, and gone to the last process when they end."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import msgspec

from agent.sandbox.capacity import Capacity, Disk, disk_of
from agent.sandbox.gauge import Gauge
from agent.sandbox.jail import MIB, Bwrap, command_line
from agent.sandbox.namespace import CannotStart, Namespace, started
from agent.sandbox.output import Output
from agent.sandbox.owner import Owner, sandbox_owner
from agent.sandbox.patience import blocking, to_the_end
from agent.sandbox.port import Exit, SandboxLimits

Cut = Literal["timeout", "output", "disk", "memory", "processes"]

PROBE_SECONDS = 20.0
INSTALL = "bubblewrap is not installed. Install it: apt-get install bubblewrap"


class Bubblewrap:
    """`executor` measures what commands use, every `look_every` seconds; `owner` is whom they run
    as when the server is root: then the workspace and its files must belong to them."""

    def __init__(
        self,
        limits: SandboxLimits,
        executor: Executor,
        *,
        owner: Owner | None = None,
        program: str = "bwrap",
        look_every: float = 0.25,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        disk: Callable[[Path], Disk] = disk_of,
    ) -> None:
        self._limits = limits
        self._capacity = Capacity(limits, disk)
        self._executor = executor
        self._owner = owner or sandbox_owner()
        self._program = program
        self._look_every = look_every
        self._sleep = sleep
        self._bwrap: Bwrap | None = None
        self._works = False

    async def probe(self) -> str | None:
        """Run `true` for real; a success is remembered, a failure looked at again next time."""
        if self._works:
            return None
        with TemporaryDirectory(prefix="mooring-probe-") as place:
            if self._owner:
                os.chown(place, self._owner.uid, self._owner.gid)
            try:
                ended = await self.run(
                    ("true",), workspace=Path(place), timeout=PROBE_SECONDS, show=lambda _: None
                )
            except CannotStart as failure:
                return failure.message
        self._works = ended.code == 0
        return None if self._works else f"A trial command in the sandbox ended with {ended.code}."

    async def run(
        self,
        command: Sequence[str],
        *,
        workspace: Path,
        timeout: float,
        show: Callable[[str], None],
    ) -> Exit:
        """Raises CannotStart when bwrap is missing or the kernel forbids what it needs."""
        bwrap = await self._installed()
        limits = self._limits_in(workspace)

        def line(etc: dict[str, int]) -> Sequence[str]:
            return command_line(bwrap, limits, command, etc)

        async with started(line, workspace, self._owner) as space:
            output = Output(space.output, show, self._limits.output_mib * MIB)
            with closing(Gauge(space.init, workspace, limits, self._capacity)) as gauge:
                watch = _Watch(space, output, self._excess(gauge))
                try:
                    space.go()
                    cut = await watch.verdict(timeout)
                finally:
                    code = await to_the_end(watch.close())
        if cut is not None:
            return Exit(-signal.SIGKILL, cut)
        return Exit(code, "output" if output.over else None)

    def _limits_in(self, workspace: Path) -> SandboxLimits:
        """No file may grow larger than what the disk can spare now."""
        try:
            spare = max(self._capacity.left(workspace), 0) // MIB
        except FileNotFoundError:
            return self._limits
        return msgspec.structs.replace(self._limits, file_mib=min(self._limits.file_mib, spare))

    async def _excess(self, gauge: Gauge) -> Cut:
        while True:
            if excess := await blocking(self._executor, gauge.look):
                return excess
            await self._sleep(self._look_every)

    async def _installed(self) -> Bwrap:
        if self._bwrap is None:
            program = shutil.which(self._program)
            if program is None:
                raise CannotStart(INSTALL)
            asked = await asyncio.create_subprocess_exec(
                program, "--help", stdout=PIPE, stderr=DEVNULL, stdin=DEVNULL, env={}
            )
            options, _ = await asked.communicate()
            self._bwrap = Bwrap(program, options.decode(errors="replace"))
        return self._bwrap


class _Watch:
    """The three things that can end a command, other than its time."""

    def __init__(self, space: Namespace, output: Output, excess: Coroutine[Any, Any, Cut]) -> None:
        create_task = asyncio.get_running_loop().create_task
        self._space = space
        self._output = output
        self._exited = create_task(space.exited())
        self._overflow = create_task(output.overflow())
        self._excess = create_task(excess)

    async def verdict(self, timeout: float) -> Cut | None:
        """Why the command has to be cut; None when it ended by itself."""
        done, _ = await asyncio.wait(
            (self._exited, self._overflow, self._excess),
            timeout=timeout,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in done:
            task.result()
        if self._exited in done:
            return None
        if self._overflow in done:
            return "output"
        return self._excess.result() if self._excess in done else "timeout"

    async def close(self) -> int:
        """Kill first, then let go; what was printed up to the end is shown. The exit status."""
        status = await self._space.end()
        tasks = (self._exited, self._overflow, self._excess)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self._output.drain()
        return status
