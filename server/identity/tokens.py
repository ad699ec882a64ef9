"""API tokens: made once, shown once, kept as a hash, compared in constant time."""

import asyncio
import hashlib
import hmac
import math
import re
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from agent.errors import ConfigProblem
from agent.protocol import MOORING
from server.people import Role
from server.store.port import Token

_SHAPE = re.compile(r"mooring_([0-9a-f]{12})_([0-9a-f]{64})")
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_NOBODY = bytes(32)
"""What an unknown id is compared with, so that it takes as long as a known one."""


class TokenStore(Protocol):
    """The part of the store that tokens need."""

    async def add_token(self, token: Token) -> None: ...

    async def tokens(self) -> tuple[Token, ...]: ...

    async def revoke_token(self, token: str) -> bool: ...


class Tokens:
    """The tokens of one store; what another process adds or revokes is seen after `stale_after`."""

    def __init__(
        self,
        store: TokenStore,
        *,
        stale_after: float = 0.25,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        random_hex: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        self._store = store
        self._stale_after = stale_after
        self._today = today
        self._clock = clock
        self._random_hex = random_hex
        self._known: Mapping[str, Token] = {}
        self._known_until = -math.inf
        self._changes = 0
        self._reading = asyncio.Lock()

    async def create(self, user: str, role: Role = "user", days: int = 90) -> str:
        """The token, which cannot be had again: `mooring_<id>_<secret>`."""
        if not _USER.fullmatch(user) or user == MOORING:
            raise ConfigProblem(
                f"{user!r} cannot be a user: use 1 to 64 letters, digits and . _ @ + - "
                f"beginning with a letter or digit, and not {MOORING!r}."
            )
        if not 1 <= days <= 3650:
            raise ConfigProblem(f"A token lasts 1 to 3650 days, not {days}.")
        now = self._today()
        name, secret = self._random_hex(6), self._random_hex(32)
        token = Token(
            id=name,
            user=user,
            role=role,
            hash=_hash(secret),
            created_at=_written(now),
            expires_at=_written(now + timedelta(days=days)),
        )
        await self._store.add_token(token)
        self._changed()
        return f"mooring_{name}_{secret}"

    async def verify(self, presented: str) -> Token | None:
        """Whose token this is, or None: unknown, revoked, expired and garbled look the same."""
        found = _SHAPE.fullmatch(presented)
        name, secret = found.groups() if found else ("", "")
        token = await self.current(name)
        right = hmac.compare_digest(token.hash if token else _NOBODY, _hash(secret))
        return token if right else None

    async def current(self, name: str) -> Token | None:
        """The token of that id if it is valid now; asked again for connections that stay open."""
        async with self._reading:
            if self._clock() >= self._known_until:
                await self._read()
        token = self._known.get(name)
        return None if token is None or self.expired(token) else token

    async def listed(self) -> tuple[Token, ...]:
        """All that are not revoked, expired ones too."""
        return await self._store.tokens()

    async def revoke(self, name: str) -> bool:
        """Whether there was such a token; from now on it is refused here, elsewhere shortly."""
        gone = await self._store.revoke_token(name)
        self._changed()
        return gone

    async def _read(self) -> None:
        # Both are taken before the read: it may miss what happens while it runs.
        changes, now = self._changes, self._clock()
        self._known = {token.id: token for token in await self._store.tokens()}
        self._known_until = now + self._stale_after if changes == self._changes else -math.inf

    def _changed(self) -> None:
        self._changes += 1
        self._known_until = -math.inf

    def lasts_beyond(self, token: Token, days: int) -> bool:
        then = _written(self._today() + timedelta(days=days))
        return token.expires_at is None or token.expires_at > then

    def expired(self, token: Token) -> bool:
        return token.expires_at is not None and token.expires_at <= _written(self._today())


def _hash(secret: str) -> bytes:
    # The secret has 256 random bits: nothing is gained by a slow hash.
    return hashlib.sha256(secret.encode()).digest()


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
