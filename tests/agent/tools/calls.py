"""Calls of tools, one after the other, and what each of them showed."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.protocol import CallId
from agent.sandbox.port import Exit, Sandbox, Workspace
from agent.tools.port import Call


class Calls:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.shown: dict[CallId, str] = {}

    def __call__(self, id: CallId = "c1") -> Call:
        self.shown[id] = ""

        def show(text: str) -> None:
            self.shown[id] += text

        return Call(id, self.workspace, show)


class ScriptedSandbox(Sandbox):
    """Prints and ends as it is told, and keeps what it was asked to run."""

    def __init__(
        self,
        *printed: str,
        ends: Exit | None = None,
        why_not: str | None = None,
        hangs: bool = False,
    ) -> None:
        self.asked: list[tuple[Sequence[str], float]] = []
        self.started = asyncio.Event()
        self._printed = printed
        self._ends = ends or Exit(0)
        self._why_not = why_not
        self._hangs = hangs

    async def probe(self) -> str | None:
        return self._why_not

    async def run(
        self,
        command: Sequence[str],
        *,
        workspace: Path,
        timeout: float,
        show: Callable[[str], None],
    ) -> Exit:
        self.asked.append((command, timeout))
        for text in self._printed:
            show(text)
        self.started.set()
        if self._hangs:
            await asyncio.Event().wait()
        return self._ends
