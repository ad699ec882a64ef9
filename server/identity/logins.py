"""Log-ins of browsers: who is logged in, until when, and with which of the provider's tokens."""

import logging
import math
import secrets
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec

from agent.errors import Problem
from server.identity.admission import Visitor, not_admitted
from server.identity.openid import Tokens
from server.store.identities import LoginRow
from server.times import written

if TYPE_CHECKING:
    from server.identity.vault import Vault

log = logging.getLogger(__name__)

PREFIX = "login_"
MOST_PER_USER = 50
"""Browsers in which one user is logged in; the oldest is logged out."""
MOST_KNOWN = 10_000
"""Log-ins that are remembered between two looks into the store."""
AHEAD_SECONDS = 300.0
"""How long before they end tokens are renewed, at most; those that live short, at half time."""


class LoginStore(Protocol):
    """The part of the store that log-ins need."""

    async def known_as(self, issuer: str, subject: str) -> str | None: ...

    async def call(self, issuer: str, subject: str, user: str) -> bool: ...

    async def add_login(self, login: LoginRow, *, most: int) -> None: ...

    async def renew_login(self, login: str, sealed: bytes, refresh_at: str | None) -> bool: ...

    async def end_logins(self, *, id: str = "", user: str = "") -> tuple[str, ...]: ...

    async def logins(self, ids: Collection[str] | None = None) -> tuple[LoginRow, ...]: ...

    async def due_logins(self, by: str, most: int) -> tuple[LoginRow, ...]: ...


class Purse(Protocol):
    """Where tokens go that serve beyond the log-in itself."""

    def bring(self, user: str, login: str, tokens: Tokens) -> None: ...

    def take(self, user: str, login: str) -> None: ...


class Logins:
    """What another process ends is seen after `stale_after`; `policy` is that of now: log-ins by
    another one are none."""

    def __init__(
        self,
        store: LoginStore,
        vault: "Vault",
        issuer: str,
        policy: str,
        *,
        days: int,
        purse: Purse | None = None,
        stale_after: float = 0.25,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._vault = vault
        self._issuer = issuer
        self._policy = policy
        self._days = days
        self._purse = purse
        self._stale_after = stale_after
        self._today = today
        self._clock = clock
        self._known: dict[str, tuple[LoginRow | None, float]] = {}
        self._changes = 0

    async def known_as(self, subject: str) -> str | None:
        return await self._store.known_as(self._issuer, subject)

    async def begin(self, visitor: Visitor, tokens: Tokens) -> str:
        """The id of a new log-in. Raises Refusal `not_admitted` for a name that is another's."""
        if not await self._store.call(self._issuer, visitor.subject, visitor.user):
            raise not_admitted(f"The name {visitor.user!r} belongs to another account here.")
        now, id = self._today(), f"{PREFIX}{secrets.token_hex(32)}"
        row = LoginRow(
            id=id,
            user=visitor.user,
            name=visitor.name,
            role=visitor.role,
            subject=visitor.subject,
            policy=self._policy,
            created_at=written(now),
            expires_at=written(now + timedelta(days=self._days)),
            refresh_at=self._refresh_at(tokens),
            sealed=self._sealed(id, tokens),
            used_at=written(now),
        )
        await self._store.add_login(row, most=MOST_PER_USER)
        self._tell(row.user, id, tokens)
        return id

    async def current(self, id: str) -> LoginRow | None:
        """The log-in of that id if it is good now."""
        row, until = self._known.get(id, (None, -math.inf))
        if self._clock() >= until:
            row = await self._read(id)
        return row if row is not None and self._is_good(row) else None

    async def lost(self, ids: Collection[str]) -> frozenset[str]:
        """Those of `ids` that are good no more."""
        rows = await self._store.logins(ids)
        return frozenset(ids) - {row.id for row in rows if self._is_good(row)}

    async def due(self, most: int) -> tuple[LoginRow, ...]:
        """Those whose tokens have to be renewed, the most urgent first."""
        rows = await self._store.due_logins(written(self._today()), most)
        return tuple(row for row in rows if self._is_good(row))

    async def tokens(self, id: str) -> Tokens | None:
        row = await self.current(id)
        return None if row is None else self.tokens_of(row)

    def tokens_of(self, row: LoginRow) -> Tokens | None:
        try:
            return msgspec.json.decode(self._vault.open(row.id, row.sealed), type=Tokens)
        except (Problem, msgspec.DecodeError):
            log.error("the tokens of a log-in of %s cannot be read", row.user)
            return None

    async def renewed(self, row: LoginRow, tokens: Tokens) -> None:
        sealed = self._sealed(row.id, tokens)
        if await self._store.renew_login(row.id, sealed, self._refresh_at(tokens)):
            self._tell(row.user, row.id, tokens)
        self._forget()

    async def postponed(self, row: LoginRow, seconds: float) -> None:
        """Not due before."""
        later = written(self._today() + timedelta(seconds=seconds))
        await self._store.renew_login(row.id, row.sealed, later)

    async def end(self, id: str, user: str) -> None:
        await self._store.end_logins(id=id)
        self._ended((id,), user)

    async def end_all(self, user: str) -> int:
        """Log out everywhere; how many log-ins that were."""
        ended = await self._store.end_logins(user=user)
        self._ended(ended, user)
        return len(ended)

    async def begin_telling(self) -> None:
        """Of the tokens that log-ins of before brought."""
        for row in sorted(await self._store.logins(), key=lambda row: row.created_at):
            if self._is_good(row) and (tokens := self.tokens_of(row)) is not None:
                self._tell(row.user, row.id, tokens)

    async def _read(self, id: str) -> LoginRow | None:
        # Both are taken before the read: it may miss what happens while it runs.
        changes, now = self._changes, self._clock()
        found = next(iter(await self._store.logins((id,))), None)
        if changes == self._changes:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[id] = (found, now + self._stale_after)
        return found

    def _is_good(self, row: LoginRow) -> bool:
        return row.policy == self._policy and row.expires_at > written(self._today())

    def _ended(self, ids: Collection[str], user: str) -> None:
        self._forget()
        for id in ids:
            if self._purse is not None:
                self._purse.take(user, id)

    def _forget(self) -> None:
        self._changes += 1
        self._known.clear()

    def _tell(self, user: str, id: str, tokens: Tokens) -> None:
        if self._purse is not None:
            self._purse.bring(user, id, tokens)

    def _sealed(self, id: str, tokens: Tokens) -> bytes:
        return self._vault.seal(id, msgspec.json.encode(tokens).decode())

    def _refresh_at(self, tokens: Tokens) -> str | None:
        """Only where there is something to renew them with."""
        if tokens.expires is None or tokens.refresh is None:
            return None
        now = self._today()
        lifetime = max(tokens.expires - now.timestamp(), 0.0)
        ahead = min(AHEAD_SECONDS, lifetime / 2)
        return written(now + timedelta(seconds=lifetime - ahead))
