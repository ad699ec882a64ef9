"""The workspaces of all sessions: one object a session, whoever asks for it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from agent.protocol import TurnId
from agent.sandbox.beneath import Beneath
from agent.sandbox.capacity import Capacity
from agent.sandbox.drafts import drafts_beside, sweep_drafts
from agent.sandbox.owner import sandbox_owner
from agent.sandbox.patience import Stop, blocking, check
from agent.sandbox.port import SandboxLimits
from agent.sandbox.room import room_of
from agent.sandbox.workspace import SessionWorkspace

T = TypeVar("T")


class Workspaces:
    """Kept under `root`, a folder a session. Two objects for one folder would not see each other's
    locks, hence the table; it holds none that nobody else holds. `capacity` says how much they
    may hold."""

    def __init__(self, root: Path, executor: Executor, limits: SandboxLimits | None = None) -> None:
        self.capacity = Capacity(limits or SandboxLimits())
        self._root = root
        self._executor = executor
        self._open: WeakValueDictionary[str, SessionWorkspace] = WeakValueDictionary()

    def of(self, session: str) -> SessionWorkspace:
        known = self._open.get(session)
        if known is None:
            known = self._open[session] = SessionWorkspace(self._root / session, self._executor)
        return known

    async def names(self) -> tuple[str, ...]:
        """The sessions that have a folder here, whether they still exist or not."""
        if not self._root.is_dir():
            return ()
        return await self.blocking(lambda: tuple(path.name for path in self._root.iterdir()))

    async def blocking(self, work: Callable[[], T]) -> T:
        """Run what reads or writes files, on the threads for that."""
        return await blocking(self._executor, lambda _: work())

    async def beneath(self, session: str) -> Beneath:
        """The files of a session, as they are now, reached through no link."""
        workspace = self.of(session)
        return await self.blocking(lambda: Beneath(workspace.tree, sandbox_owner()))

    async def used(self, workspace: SessionWorkspace) -> int:
        """Bytes on disk of the files, unfinished uploads among them."""

        def count(stop: Stop) -> int:
            tree = workspace.tree
            return room_of(tree, stop).bytes + drafts_beside(tree)

        return await blocking(self._executor, count)

    async def tidy(self) -> None:
        """Free what servers before this one were writing when they died."""

        def sweep(stop: Stop) -> None:
            with suppress(FileNotFoundError):
                for place in list(self._root.iterdir()):
                    check(stop)
                    sweep_drafts(place / "trees")

        await blocking(self._executor, sweep)

    async def copy(self, source: str, turn: TurnId, later: Sequence[TurnId], target: str) -> bool:
        """Give `target` the files that `source` had after `turn`; False: the files of now."""
        return await self.of(source).copy_as_of(turn, later, self._root / target)
