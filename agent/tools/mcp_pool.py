"""All connections to servers of tools, shared by who has the same credential there."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from agent.errors import Problem
from agent.sandbox.patience import blocking
from agent.tools.mcp_grant import Grant, LogIn, Login, Returned
from agent.tools.mcp_link import Link, Patience, Time
from agent.tools.mcp_port import Connect, Signals, ToolServer
from agent.tools.mcp_settings import Credential, McpServer, Target, target_of
from agent.tools.port import Keys

MOST = 64
"""Connections at a time; when all are in use, another has to wait."""
REMEMBERED = 1000
"""Connections of which the tools are remembered."""


class Pool:
    """`servers` by their name. Nothing is started, and the SDK not imported, until it is needed."""

    def __init__(
        self,
        servers: Mapping[str, McpServer],
        connect: Connect,
        *,
        most: int = MOST,
        remembered: int = REMEMBERED,
        time: Time | None = None,
        waits: tuple[float, ...] = Patience().waits,
    ) -> None:
        self.servers = {name: server.checked(name) for name, server in servers.items()}
        self._connect = connect
        self._most = most
        self._remembered = remembered
        self._time = time or _real_time()
        self._waits = waits
        self._links: dict[tuple[str, Credential], Link] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False

    def link(self, name: str, keys: Keys) -> Link:
        """The connection that this user shares; ask again for each use, it may be another."""
        server = self.servers[name]
        login = _login(server, keys.login(name)) if server.oauth else None
        own = Credential(
            hub=keys.hub() if server.hub_token else None,
            github=keys.github() if server.github_token else None,
            login=login.id if login else None,
        )
        link = self._links.pop((name, own), None)
        if link is None:
            patience = Patience(server.start_seconds, server.idle_seconds, self._waits)
            target = target_of(name, server, own, login)
            link = Link(target, self._connect, patience, self._time)
        self._links[name, own] = link  # the last is the one that was used last
        self._forget()
        return link

    @asynccontextmanager
    async def using(self, name: str, keys: Keys) -> AsyncIterator[ToolServer]:
        """Raises Problem."""
        link = self.link(name, keys)
        await self.begin(link)
        async with link.using() as server:
            yield server

    async def begin(self, link: Link) -> None:
        """Let it connect. Raises Problem where there are too many that are all in use."""
        while not link.is_open and len(busy := self._open_links()) >= self._most:
            spare = next((other for other in busy if not other.in_use), None)
            if spare is None:
                says = f"{len(busy)} of {self._most} connections to MCP servers are in use"
                raise Problem("mcp_busy", f"{says}. Try again in a moment.")
            await spare.close()
        if self._closed:
            raise Problem("mcp_closed", "The server is going away.")
        link.begin()

    def _open_links(self) -> list[Link]:
        return [link for link in self._links.values() if link.is_open]

    async def close(self) -> None:
        """End them all, side by side."""
        self._closed = True
        await asyncio.gather(*(link.close() for link in self._links.values()), *self._leaving)

    def _forget(self) -> None:
        if len(self._links) <= self._remembered:
            return
        oldest = next((key for key, link in self._links.items() if not link.in_use), None)
        if oldest is not None:
            task = asyncio.create_task(self._links.pop(oldest).close())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)


def connecting(executor: Executor, allow: Sequence[str] = ()) -> Connect:
    """Imports the SDK when it is first needed, off the loop. `allow` are networks where servers may
    have their log-ins, beside the public ones."""

    @asynccontextmanager
    async def connect(target: Target, signals: Signals) -> AsyncIterator[ToolServer]:
        opened = await blocking(executor, lambda _: _imported())
        async with opened(target, signals, allow) as server:
            yield server

    return connect


def logging_in(executor: Executor, allow: Sequence[str] = ()) -> LogIn:
    """As `connecting` does."""

    async def log_in(
        url: str,
        back_to: str,
        redirect: Callable[[str], Awaitable[None]],
        returned: Callable[[], Awaitable[Returned]],
    ) -> Grant:
        whole = await blocking(executor, lambda _: _imported_login())
        return await whole(url, back_to, redirect, returned, allow)

    return log_in


def _login(server: McpServer, login: Login | None) -> Login | None:
    """What was granted at an address that is no longer the server's is not shown to it."""
    return login if login is not None and login.grant.home == server.url else None


def _imported() -> Callable[..., AbstractAsyncContextManager[ToolServer]]:
    from agent.tools.mcp import opened

    return opened


def _imported_login() -> Callable[..., Awaitable[Grant]]:
    from agent.tools.mcp_login import log_in

    return log_in


def _real_time() -> Time:
    return Time(time.monotonic, asyncio.sleep, lambda: random.uniform(0.75, 1.25))
