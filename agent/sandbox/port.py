"""Where a tool's code runs: a command in a workspace, cut off from everything else."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from agent.protocol import TurnId


class SandboxLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """What one command may use; a configuration object."""

    memory_mib: int = 4096
    processes: int = 256
    file_mib: int = 1024
    workspace_mib: int = 5120
    output_mib: int = 16
    open_files: int = 1024
    temporary_mib: int = 512
    """Of /tmp and of /dev/shm each; both are memory."""
    reserve_mib: int = 512
    """Of the disk, free for what the server has to write; at most 5 % of it."""


class Exit(Struct, frozen=True):
    """How a command ended. `code` is the exit status (negative: the signal), `cut` why it was
    stopped from outside, if it was."""

    code: int
    cut: Literal["timeout", "output", "disk", "memory", "processes"] | None = None


class Sandbox(Protocol):
    async def probe(self) -> str | None:
        """None when commands can run here, else why not and what to install."""
        ...

    async def run(
        self,
        command: Sequence[str],
        *,
        workspace: Path,
        timeout: float,
        show: Callable[[str], None],
    ) -> Exit:
        """Run to the end, showing stdout and stderr as they come (UTF-8, broken bytes replaced).

        Must be awaited on the event loop's thread. When it returns, or when it is cancelled, no
        process of the command lives on, daemons included.
        """
        ...


class Workspace(Protocol):
    """A session's files, and their checkpoints. Outlives actors and servers."""

    @property
    def tree(self) -> Path:
        """The files' root now (another path after a rewind)."""
        ...

    async def checkpoint(self, turn: TurnId) -> None:
        """Keep the files as they are before the first call of `turn` that may write; only once."""
        ...

    async def rewind(self, undone: Collection[TurnId]) -> bool:
        """Go back to before the undone turns that changed files; finishes an interrupted rewind.

        False when a checkpoint that was needed is gone: the files then stay as they are.
        """
        ...
