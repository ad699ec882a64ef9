"""The servers of tools that the configuration names: one pool of connections for all sessions."""

from collections.abc import Collection
from concurrent.futures import Executor

from agent.sandbox.capacity import Capacity
from agent.sandbox.owner import sandbox_owner
from agent.tools.mcp_pool import Pool, connecting
from agent.tools.mcp_results import Keeper
from agent.tools.mcp_tools import McpTools
from agent.tools.port import Keys
from agent.tools.toolbox import Toolbox
from server.config import Config


class ToolServers:
    """None is started before a session needs it. Raises ConfigProblem."""

    def __init__(self, config: Config, threads: Executor) -> None:
        self._pool = Pool(config.mcp_servers, connecting(threads))
        self._keeper = Keeper(Capacity(config.sandbox), threads, sandbox_owner())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._pool.servers)

    def join(self, toolbox: Toolbox, keys: Keys, named: Collection[str] | None) -> Toolbox:
        """The toolbox of one session of the user whose keys these are. A server that is no longer
        configured is left out."""
        wanted = self.names if named is None else set(named).intersection(self.names)
        if not wanted:
            return toolbox
        return toolbox.joined_by(
            McpTools(self._pool, keys, self._keeper, wanted, taken=toolbox.names)
        )

    async def close(self) -> None:
        """End the connections, and what was started for them."""
        await self._pool.close()
