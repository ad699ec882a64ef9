"""Renews the tokens of log-ins before they end, and ends the log-ins that the provider gave up."""

import asyncio
import logging

from agent.errors import Problem
from server.identity.logins import Logins
from server.identity.openid import OpenID
from server.identity.provider_calls import Denied, Unreachable
from server.store.identities import LoginRow

log = logging.getLogger(__name__)

TICK = 1.0
PAUSE_SECONDS = 30.0
"""After the provider could not be asked."""
POSTPONED_SECONDS = 60.0
"""Before one that was refused for a reason of its own is tried again; it holds up no other."""
MOST_AT_ONCE = 20
GONE = "invalid_grant"


class Renewal:
    """One loop: a refresh token is good once, so it must not be used twice at a time."""

    def __init__(
        self,
        logins: Logins,
        provider: OpenID,
        *,
        tick: float = TICK,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self._logins = logins
        self._provider = provider
        self._tick = tick
        self._pause = pause

    async def go_on(self) -> None:
        """For ever; what cannot be renewed now is tried again."""
        while True:
            wait = self._tick
            try:
                await self.once()
            except Unreachable as problem:
                log.warning("log-ins are not renewed: %s", problem.message)
                wait = self._pause
            except Problem as problem:
                log.warning("log-ins cannot be looked at: %s", problem.message)
                wait = self._pause
            await asyncio.sleep(wait)

    async def once(self) -> None:
        """Those that are due. Raises Problem where the provider or the store cannot be asked."""
        for row in await self._logins.due(MOST_AT_ONCE):
            await self._renew(row)

    async def _renew(self, row: LoginRow) -> None:
        """Only where the provider says that the grant itself is gone, so is the log-in."""
        tokens = self._logins.tokens_of(row)
        if tokens is None or tokens.refresh is None:
            await self._logins.end(row.id, row.user)
            return
        try:
            renewed = await self._provider.renew(tokens.refresh)
        except Denied as problem:
            if problem.error == GONE:
                log.info("a log-in of %s ends: the provider gave it up", row.user)
                await self._logins.end(row.id, row.user)
            else:
                log.warning("a log-in of %s is not renewed: %s", row.user, problem.message)
                await self._logins.postponed(row, POSTPONED_SECONDS)
        else:
            await self._logins.renewed(row, renewed)
