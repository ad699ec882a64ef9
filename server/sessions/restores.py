"""Files go back before anybody sees them, also where the server died in the middle of an undo."""

import logging
from collections.abc import Collection

from agent.errors import Problem
from agent.protocol import TurnId
from agent.sandbox.workspace import SessionWorkspace
from server.sessions.loading import load_history
from server.sessions.manager import SessionManager
from server.sessions.workspaces import Workspaces
from server.store.port import Store

log = logging.getLogger(__name__)

MOST_KNOWN = 10_000
"""Sessions that need not be looked at again; beyond that the first are looked at once more."""
TRIES = 3
"""An actor that has just woken stands in line a moment later than who woke it."""


class Restores:
    """An actor finishes a restore that was cut short when it wakes. Here one is woken for it, and
    only for it: the logs of sessions without checkpoints need not even be read."""

    def __init__(self, store: Store, manager: SessionManager, workspaces: Workspaces) -> None:
        self._store = store
        self._manager = manager
        self._workspaces = workspaces
        self._whole: dict[str, None] = {}

    async def finish(self, session: str) -> None:
        """Returns when the files are those that the log speaks of, as far as they can be.

        Files of a log that cannot be read are there as they are.
        """
        workspace = self._workspaces.of(session)
        try:
            actor = self._manager.in_memory(session)
            if actor is None and session not in self._whole:
                if not await self._is_whole(session, workspace):
                    actor = await self._manager.woken(session)
                self._know(session)
            if actor is not None:
                await _restored(workspace, actor.history.undone)
        except Problem as problem:
            log.warning("the files of session %s are as they are: %s", session, problem.message)

    async def _is_whole(self, session: str, workspace: SessionWorkspace) -> bool:
        if not await workspace.has_checkpoints():
            return True
        return await workspace.agrees((await load_history(self._store, session)).undone)

    def _know(self, session: str) -> None:
        """What is undone from now on this server's actors undo."""
        if len(self._whole) >= MOST_KNOWN:
            del self._whole[next(iter(self._whole))]
        self._whole[session] = None


async def _restored(workspace: SessionWorkspace, undone: Collection[TurnId]) -> None:
    for _ in range(TRIES):
        if await workspace.agrees(undone):
            return
        await workspace.quiet()
