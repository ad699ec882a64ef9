"""How fast, and how much at once: token buckets for submissions, counters for connections."""

import math
from collections import Counter
from collections.abc import Callable

from agent.errors import Refused
from server.config import Limits
from server.errors import Refusal
from server.held import Held
from server.proxies import Proxies, crowd_of

MOST_BUCKETS = 10_000
"""Users whose rate is remembered; the fullest are forgotten beyond it, which takes nothing away."""
USERS_OF_AN_ADDRESS = 5
"""How many busy users may share one address before it is slowed down as a whole."""


class Buckets:
    """A token bucket a user, or an address: `per_minute` at once, refilled evenly over a minute."""

    def __init__(
        self, per_minute: int, clock: Callable[[], float], what: str = "submissions"
    ) -> None:
        self._size = per_minute
        self._clock = clock
        self._what = what
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
                f"More than {self._size} {self._what} in a minute. Wait {wait} s.",
                retry_after=wait,
            )
        self._left[user] = (left - 1, now)
        if len(self._left) > MOST_BUCKETS:
            self._forget(now)

    def give_back(self, user: str) -> None:
        """What it was taken for had been done before."""
        if user in self._left:
            left, since = self._left[user]
            self._left[user] = (min(self._size, left + 1), since)

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full again."""
        full = self._size
        self._left = {
            user: (left, since)
            for user, (left, since) in self._left.items()
            if left + (now - since) * full / 60 < full
        }


class Rates:
    """How fast sessions are made, sockets opened, log-ins and false credentials tried."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        each = limits.handshakes_per_minute
        self.creations = Buckets(limits.creations_per_minute, clock, "new sessions")
        self._failures = Buckets(limits.failures_per_minute, clock, "failed log-ins")
        self._logins = Buckets(limits.logins_per_minute, clock, "log-in requests")
        self._of_users = Buckets(each, clock, "connections")
        self._of_addresses = Buckets(USERS_OF_AN_ADDRESS * each, clock, "connections")

    def handshake(self, user: str, address: str) -> None:
        """Raises Refused `rate_limited`."""
        self._of_users.take(user)
        self._of_addresses.take(crowd_of(address))

    def login(self, address: str) -> None:
        """Raises Refused `rate_limited`."""
        self._logins.take(crowd_of(address))

    def failure(self, address: str) -> None:
        """Raises Refused `rate_limited`. A credential that is good is never asked to wait: nobody
        keeps the neighbours of his address out."""
        self._failures.take(crowd_of(address))


class Connections:
    """How many sockets are open, by user and by address."""

    def __init__(self, per_user: int, per_address: int) -> None:
        self._users = Counted(per_user, "You have {} of {} connections. Close one first.")
        self._addresses = Counted(per_address, "Your address has {} of {} connections.")

    def one_more(self, user: str, address: str) -> Held:
        """To be entered at once. Raises Refusal `too_many_connections`."""
        crowd = crowd_of(address)
        self._users.add(user)
        try:
            self._addresses.add(crowd)
        except Refusal:
            self._users.drop(user)
            raise
        return Held(self._one_less, user, crowd)

    @property
    def open(self) -> int:
        """How many there are now."""
        return self._users.total

    def _one_less(self, user: str, crowd: str) -> None:
        self._users.drop(user)
        self._addresses.drop(crowd)


class Addresses:
    """How many connections an address has, of any kind; a trusted proxy has as many as it likes."""

    def __init__(self, per_address: int, proxies: Proxies) -> None:
        self._open = Counted(per_address, "Your address has {} of {} connections.")
        self._proxies = proxies

    def enter(self, address: str) -> Held:
        """To be left when the connection is over. Raises Refusal `too_many_connections`."""
        if self._proxies.trusts(address):
            return Held(lambda: None)
        crowd = crowd_of(address)
        self._open.add(crowd)
        return Held(self._open.drop, crowd)


class Counted:
    """So many at most of each; `says` tells the measured and the allowed."""

    def __init__(self, most: int, says: str) -> None:
        self._most = most
        self._says = says
        self._open: Counter[str] = Counter()

    @property
    def total(self) -> int:
        return self._open.total()

    def add(self, whose: str) -> None:
        if (there := self._open[whose]) >= self._most:
            says = self._says.format(there, self._most)
            raise Refusal(429, "too_many_connections", says, retry_after=5)
        self._open[whose] += 1

    def drop(self, whose: str) -> None:
        self._open[whose] -= 1
        if not self._open[whose]:
            del self._open[whose]
