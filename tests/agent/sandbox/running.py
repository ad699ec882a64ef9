"""Running commands in a sandbox and finding their processes from outside."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.sandbox.port import Exit, Sandbox


class Commands:
    """Bash commands in one workspace; `output` is all that was shown."""

    def __init__(self, sandbox: Sandbox, tree: Path) -> None:
        self.sandbox = sandbox
        self.tree = tree
        self.output = ""
        self.news = asyncio.Event()

    async def __call__(self, command: str, *, timeout: float = 60) -> Exit:
        return await self.sandbox.run(
            ("bash", "-c", command), workspace=self.tree, timeout=timeout, show=self.show
        )

    def show(self, text: str) -> None:
        self.output += text
        self.news.set()

    async def shown(self, text: str) -> None:
        """Wait until `text` was shown."""
        while text not in self.output:
            self.news.clear()
            await self.news.wait()


def alive(marker: str) -> list[str]:
    """Command lines of the processes, anywhere on the machine, that carry the marker."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if marker in line:
            found.append(line)
    return found


def descriptors() -> set[str]:
    """What this process has open, but for the directory that is read to find out."""
    return {entry.name for entry in Path("/proc/self/fd").iterdir() if entry.exists()}


async def become(true: Callable[[], bool]) -> None:
    """Wait, at most a minute, for something on the machine that tells nobody when it happens."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)  # and who is waited for needs the processor
