"""How fast, and how much at once: token buckets for submissions, counters for connections."""

import math
from collections import Counter
from collections.abc import Callable
from functools import partial

from agent.errors import Refused
from server.errors import Refusal
from server.held import Held

MOST_BUCKETS = 10_000
"""Users whose rate is remembered; the fullest are forgotten beyond it, which takes nothing away."""


class Buckets:
    """A token bucket a user: `per_minute` submissions at once, refilled evenly over a minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._size = per_minute
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, user: str) -> None:
        """Raises Refused `rate_limited` with the seconds until the next token."""
        now = self._clock()
        left, since = self._left.get(user, (float(self._size), now))
        left = min(self._size, left + (now - since) * self._size / 60)
        if left < 1:
            self._left[user] = (left, now)
            wait = math.ceil((1 - left) * 60 / self._size)
            raise Refused(
                "rate_limited",
                f"More than {self._size} submissions in a minute. Wait {wait} s.",
                retry_after=wait,
            )
        self._left[user] = (left - 1, now)
        if len(self._left) > MOST_BUCKETS:
            self._forget(now)

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full again."""
        full = self._size
        self._left = {
            user: (left, since)
            for user, (left, since) in self._left.items()
            if left + (now - since) * full / 60 < full
        }


class Connections:
    """How many sockets a user has open."""

    def __init__(self, per_user: int) -> None:
        self._per_user = per_user
        self._open: Counter[str] = Counter()

    def one_more(self, user: str) -> Held:
        """To be entered at once. Raises Refusal `too_many_connections`."""
        if self._open[user] >= self._per_user:
            raise Refusal(
                429,
                "too_many_connections",
                f"You have {self._open[user]} of {self._per_user} connections. Close one first.",
                retry_after=5,
            )
        self._open[user] += 1
        return Held(partial(self._one_less, user))

    def _one_less(self, user: str) -> None:
        self._open[user] -= 1
        if not self._open[user]:
            del self._open[user]
