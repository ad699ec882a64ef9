"""The real server as a process of its own, on a free port and a data directory of its own."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

COMMAND = Path(sys.executable).with_name("mooring")
READY_WITHIN = 180.0
COMMAND_WITHIN = 180.0
STOPPED_WITHIN = 60.0
"""Seconds, also where many others want the machine and a start imports litellm. That it takes no
more than ten to stop is the server's own law: it exits with 1 then."""
SAYS = "Mooring listens on "
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_START")


class Server:
    """`async with Server(data, model_url) as server`: it is ready inside, and gone behind.

    `config` is the overlay that `--config` names, `prefix` a command that runs it elsewhere;
    `stderr` what the server logged, all lives of it together.
    """

    def __init__(
        self,
        folder: Path,
        model_url: str,
        *,
        config: Mapping[str, Any] | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        model: Sequence[str] | None = None,
        data: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.data = data or folder / "data"
        self.url = ""
        self.stdout: list[str] = []
        self._folder = folder
        named = ("--model", "openai/test-model", "--api-base", model_url)
        self._model = named if model is None else model
        self._arguments = list(arguments)
        self._prefix = prefix
        self._environment = dict(environment or {})
        self._log = folder / "stderr.log"
        self._process: Process | None = None
        self.configure(config)

    def configure(self, config: Mapping[str, Any] | None) -> None:
        """Takes effect at the next start."""
        self._config = self._folder / "overlay.json"
        self._config.write_text(json.dumps(config or {}))

    @property
    def stderr(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def status(self) -> int | None:
        """With what it exited; a start that a server refuses leaves its own there."""
        return None if self._process is None else self._process.returncode

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.running:
            await self.kill9()
        if kind is None:
            assert "Traceback (most recent call last)" not in self.stderr, self.stderr[-6000:]

    async def start(self) -> None:
        arguments = ["--data-dir", str(self.data), "--config", str(self._config), *self._arguments]
        serve = ("serve", "--port", "0", "--no-browser", *self._model)
        self._process = await self.spawn(*serve, *arguments)
        try:
            async with asyncio.timeout(READY_WITHIN):
                self.url = await self._announced(self._process)
                await self._ready()
        except BaseException:
            await self.kill9()
            raise

    async def spawn(self, *arguments: str) -> Process:
        """Any `mooring` command, in an environment without this machine's keys."""
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment |= {"HOME": str(self._folder), **self._environment}
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *self._prefix,
                COMMAND,
                *arguments,
                env=environment,
                cwd=self._folder,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=log,
            )

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end: its exit status and what it printed."""
        process = await self.spawn(*arguments)
        try:
            async with asyncio.timeout(COMMAND_WITHIN):
                printed, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()
            raise AssertionError(f"mooring {' '.join(arguments)} did not end") from None
        assert process.returncode is not None
        return process.returncode, printed.decode()

    async def kill9(self) -> None:
        """The power fails."""
        self.signal(signal.SIGKILL)
        await self.exited()

    async def terminate(self, within: float = STOPPED_WITHIN) -> int:
        """SIGTERM, and the exit status."""
        self.signal(signal.SIGTERM)
        return await self.exited(within)

    async def restart(self) -> None:
        """`kill -9`, and a new start on the same data."""
        if self.running:
            await self.kill9()
        await self.start()

    def signal(self, how: signal.Signals) -> None:
        assert self._process is not None
        if self.running:
            self._process.send_signal(how)

    async def exited(self, within: float = STOPPED_WITHIN) -> int:
        """The exit status of a server that was told to stop."""
        process = self._process
        assert process is not None
        try:
            async with asyncio.timeout(within):
                rest, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()
            raise AssertionError(f"it did not stop within {within} s") from None
        self.stdout += rest.decode().splitlines()
        assert process.returncode is not None
        return process.returncode

    async def _announced(self, process: Process) -> str:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode().rstrip("\n")
        if not line:
            await process.wait()
        assert line.startswith(SAYS), f"stdout begins with {line!r}; stderr:\n{self.stderr[-6000:]}"
        self.stdout.append(line)
        return line.removeprefix(SAYS)

    async def _ready(self) -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                async with http.get(f"{self.url}/readyz") as response:
                    if response.status == 200:
                        return
                    assert response.status == 503, await response.text()
                await asyncio.sleep(0.05)
