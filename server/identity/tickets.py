"""Tickets: what a browser on another origin shows once, within half a minute, to open a socket."""

import hashlib
import secrets
import time
from collections.abc import Callable

from msgspec import Struct

from server.errors import Refusal
from server.people import User

SECONDS = 30
MOST_PER_USER = 100
MOST = 10_000


class _Made(Struct, frozen=True):
    user: User
    ends: float


class Tickets:
    """Kept in memory, as hashes; whoever wants more than there may be has to wait."""

    def __init__(self, *, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._made: dict[bytes, _Made] = {}
        """In the order they end in."""
        self._held: dict[str, int] = {}

    def make(self, user: User) -> str:
        """Raises Refusal `rate_limited`."""
        now = self._clock()
        self._drop_ended(now)
        theirs = self._held.get(user.id, 0)
        if theirs >= MOST_PER_USER or len(self._made) >= self._most:
            raise Refusal(
                429,
                "rate_limited",
                f"{theirs} of {MOST_PER_USER} tickets of yours wait to be used. Use one, or wait.",
                retry_after=next(iter(self._made.values())).ends - now,
            )
        ticket = secrets.token_urlsafe(32)
        self._made[_hash(ticket)] = _Made(user, now + SECONDS)
        self._held[user.id] = theirs + 1
        return ticket

    def take(self, ticket: str) -> User | None:
        """Whose it is, once."""
        self._drop_ended(self._clock())
        made = self._made.pop(_hash(ticket), None)
        if made is None:
            return None
        self._gone(made.user.id)
        return made.user

    def _drop_ended(self, now: float) -> None:
        while self._made and (first := next(iter(self._made.items())))[1].ends <= now:
            del self._made[first[0]]
            self._gone(first[1].user.id)

    def _gone(self, user: str) -> None:
        left = self._held[user] - 1
        if left:
            self._held[user] = left
        else:
            del self._held[user]


def _hash(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode(errors="replace")).digest()
