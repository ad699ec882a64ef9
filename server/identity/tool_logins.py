"""What users were granted at servers of tools: sealed on the disk, opened for their sessions."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from agent.errors import Problem
from agent.tools.mcp_grant import Grant
from agent.tools.mcp_grant import Login as ToolLogin
from server.identity.keeper import Keeper
from server.store.tool_logins import ToolLoginRow

log = logging.getLogger(__name__)


class ToolLoginStore(Protocol):
    """The part of the store that they need."""

    async def set(self, row: ToolLoginRow) -> None: ...

    async def renew(self, row: ToolLoginRow) -> bool: ...

    async def remove(self, owner: str, server: str, id: str | None = None) -> bool: ...

    async def all(self) -> tuple[ToolLoginRow, ...]: ...


class ToolLogins:
    """`learnt` is told of every value that must not be shown, and whose it is."""

    def __init__(
        self,
        store: ToolLoginStore,
        keeper: Keeper,
        learnt: Callable[[str, Sequence[str]], None],
        *,
        timestamp: Callable[[], str],
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._learnt = learnt
        self._timestamp = timestamp
        self._logins: dict[tuple[str, str], _Login] = {}
        self._changing = asyncio.Lock()

    async def read(self) -> None:
        """At the start. One that does not open is said so, and passed over."""
        for row in await self._store.all():
            vault = await self._keeper.vault()
            try:
                text = vault.open(place_of(row.owner, row.server), row.sealed)
                grant = msgspec.json.decode(text, type=Grant)
            except (Problem, msgspec.DecodeError) as problem:
                log.error("%s", problem)
                continue
            self._learnt(row.owner, grant.secrets)
            self._logins[row.owner, row.server] = _Login(self, row.owner, row.server, row.id, grant)

    def of(self, owner: str, server: str) -> ToolLogin | None:
        return self._logins.get((owner, server))

    async def set(self, owner: str, server: str, grant: Grant) -> None:
        login = _Login(self, owner, server, secrets.token_hex(8), grant)
        async with self._changing:
            await self._store.set(await self._sealed(login, grant))
            self._logins[owner, server] = login

    async def remove(self, owner: str, server: str) -> bool:
        """Whether there was one."""
        async with self._changing:
            gone = await self._store.remove(owner, server)
            self._logins.pop((owner, server), None)
        return gone

    async def renew(self, login: "_Login", grant: Grant) -> None:
        async with self._changing:
            await self._store.renew(await self._sealed(login, grant))
            login.grant = grant

    async def lose(self, login: "_Login") -> None:
        async with self._changing:
            await self._store.remove(login.owner, login.server, login.id)
            if self._logins.get((login.owner, login.server)) is login:
                del self._logins[login.owner, login.server]

    async def _sealed(self, login: "_Login", grant: Grant) -> ToolLoginRow:
        # Hidden before anybody could use it: what is shown cannot be taken back.
        self._learnt(login.owner, grant.secrets)
        text = msgspec.json.encode(grant).decode()
        sealed = (await self._keeper.vault()).seal(place_of(login.owner, login.server), text)
        return ToolLoginRow(login.owner, login.server, login.id, sealed, self._timestamp())


class _Login:
    """Implements agent.tools.mcp_grant.Login."""

    def __init__(self, logins: ToolLogins, owner: str, server: str, id: str, grant: Grant) -> None:
        self.owner = owner
        self.server = server
        self.id = id
        self.grant = grant
        self._logins = logins

    async def keep(self, grant: Grant) -> None:
        await self._logins.renew(self, grant)

    async def refused(self) -> None:
        log.info("the MCP server %s took back what it granted %s", self.server, self.owner)
        await self._logins.lose(self)


def place_of(owner: str, server: str) -> str:
    """What its seal is bound to."""
    return f"log-in of {owner} at the MCP server {server}"
