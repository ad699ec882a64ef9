"""The servers of tools that the configuration names: one pool of connections for all sessions."""

from collections.abc import Collection
from concurrent.futures import Executor

from agent.sandbox.capacity import Capacity
from agent.sandbox.owner import sandbox_owner
from agent.tools.mcp_grant import LogIn
from agent.tools.mcp_pool import Pool, connecting, logging_in
from agent.tools.mcp_results import Keeper
from agent.tools.mcp_settings import McpServer
from agent.tools.mcp_tools import McpTools
from agent.tools.port import Keys
from agent.tools.toolbox import Toolbox
from server.config import Config


class ToolServers:
    """None is started before a session needs it. Raises ConfigProblem."""

    def __init__(self, config: Config, threads: Executor) -> None:
        allow = config.web.allow
        self._pool = Pool(config.mcp_servers, connecting(threads, allow))
        self.log_in: LogIn = logging_in(threads, allow)
        self._keeper = Keeper(Capacity(config.sandbox), threads, sandbox_owner())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._pool.servers)

    @property
    def with_logins(self) -> dict[str, McpServer]:
        """Those where each user logs in by themselves."""
        return {name: server for name, server in self._pool.servers.items() if server.oauth}

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
