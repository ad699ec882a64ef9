"""All sessions at a glance: what changed, how fast they stream, and what the server has to do."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from msgspec import UNSET, UnsetType

from agent.protocol import Recorded, TurnEnded, TurnStarted, Usage
from server.access import Relation
from server.sessions.channel import Channel
from server.sessions.rows import session_of
from server.store.port import SessionRow
from server.store.shares import ShareRole
from server.wire import Access, Context, Row

log = logging.getLogger(__name__)

CHARACTERS_PER_TOKEN = 4
TICK = 0.5
"""Seconds between two readings of rates, and between two frames of a dashboard at the least."""
MOST_TURNS = 10_000
"""How many turns that ended within a minute are counted."""
MOST_OWNERS = 10_000
"""Whose costs of a day are known one by one; of further ones they are unknown."""


class Listener(Protocol):
    """Who follows what happens to all sessions."""

    def created(self, row: SessionRow) -> None: ...

    def recorded(self, channel: Channel, entries: Sequence[Recorded]) -> None: ...

    def gone(self, session: str) -> None: ...


class View:
    """What one dashboard has not been told yet; `owner` None sees everybody's sessions.

    `shared` are sessions of others that its user sees, `user` the owner where that is not said.
    """

    def __init__(self, owner: str | None, user: str | None = None) -> None:
        self.owner = owner
        self.user = user or owner
        self.shared: dict[str, ShareRole] = {}
        self.changed: dict[str, Channel | SessionRow] = {}
        self.gone: dict[str, None] = {}

    def sees(self, row: SessionRow) -> bool:
        return self.owner is None or self.owner == row.owner or row.id in self.shared

    def relation(self, row: SessionRow) -> Relation:
        """What its user is to a session."""
        return "owner" if row.owner == self.user else self.shared.get(row.id, "none")

    def take(self) -> tuple[list[Channel | SessionRow], tuple[str, ...]]:
        """What changed and what is gone since the last time."""
        changed, gone = list(self.changed.values()), tuple(self.gone)
        self.changed.clear()
        self.gone.clear()
        return changed, gone


class Spending:
    """Dollars since midnight UTC or the start of the server; None where a part is unknown."""

    def __init__(self, today: Callable[[], str], most_owners: int = MOST_OWNERS) -> None:
        self._today = today
        self._most_owners = most_owners
        self._day = today()
        self._all: float | None = 0.0
        self._of: dict[str, float | None] = {}

    def add(self, owner: str, cost: float | None) -> None:
        self._turn_the_page()
        self._all = _sum(self._all, cost)
        if owner in self._of or len(self._of) < self._most_owners:
            self._of[owner] = _sum(self._of.get(owner, 0.0), cost)

    def of(self, owner: str | None) -> float | None:
        """Of one owner, or of all with None."""
        self._turn_the_page()
        if owner is None:
            return self._all
        return self._of.get(owner, 0.0 if len(self._of) < self._most_owners else None)

    def _turn_the_page(self) -> None:
        if (day := self._today()) != self._day:
            self._day, self._all = day, 0.0
            self._of.clear()


def _sum(spent: float | None, cost: float | None) -> float | None:
    return None if spent is None or cost is None else spent + cost


class Fleet:
    """Implements Audience. Costs nothing while nobody looks, a few additions apart."""

    def __init__(self, clock: Callable[[], float], today: Callable[[], str]) -> None:
        """`clock` in seconds; `today` names the day that costs are counted for."""
        self._clock = clock
        self._views: set[View] = set()
        self._listeners: list[Listener] = []
        self._streamed: dict[Channel, int] = {}
        self._turns: deque[tuple[float, str, bool]] = deque(maxlen=MOST_TURNS)
        """The ended ones: when, whose, and whether it failed."""
        self._spending = Spending(today)
        self.loop_lag_ms = 0.0

    def tell(self, listener: Listener) -> None:
        """Let it hear what happens to sessions from now on."""
        self._listeners.append(listener)

    # -- told by sessions --

    def changed(self, channel: Channel) -> None:
        self._show(channel.row, channel)

    def created(self, row: SessionRow) -> None:
        self._show(row, row)
        for listener in self._listeners:
            listener.created(row)

    def gone(self, session: str) -> None:
        for listener in self._listeners:
            listener.gone(session)
        for view in self._views:
            view.changed.pop(session, None)
            view.shared.pop(session, None)
            view.gone[session] = None

    def recorded(self, channel: Channel, entries: Sequence[Recorded]) -> None:
        for listener in self._listeners:
            listener.recorded(channel, entries)
        for entry in entries:
            match entry.event:
                case TurnStarted(turn=turn):
                    log.info("turn %s began", turn)
                    channel.turn_since = self._clock()
                case TurnEnded(turn=turn, status=status):
                    log.info("turn %s ended: %s", turn, status)
                    channel.turn_since = None
                    self._turns.append((self._clock(), channel.row.owner, status == "failed"))
                case Usage(cost_usd=cost):
                    self._spending.add(channel.row.owner, cost)
                case _:
                    pass

    def shared(
        self, session: Channel | SessionRow, id: str, user: str, role: ShareRole | None
    ) -> None:
        """A user has it as `role` from now on, or not any more."""
        for view in self._views:
            if view.user != user:
                continue
            view.shared.pop(id, None)
            if role is not None:
                view.shared[id] = role
            if role is not None or view.owner is None:
                view.changed[id] = session
                view.gone.pop(id, None)
            else:
                view.changed.pop(id, None)
                view.gone[id] = None

    def streamed(self, channel: Channel, characters: int) -> None:
        self._streamed[channel] = self._streamed.get(channel, 0) + characters

    # -- asked by dashboards and metrics; the figures are of one owner, or of all with None --

    @contextmanager
    def view(self, owner: str | None, user: str | None = None) -> Iterator[View]:
        view = View(owner, user)
        self._views.add(view)
        try:
            yield view
        finally:
            self._views.discard(view)

    def per_minute(self, owner: str | None) -> tuple[int, int]:
        """Turns that ended in the last minute, and those of them that failed."""
        since = self._clock() - 60
        while self._turns and self._turns[0][0] < since:
            self._turns.popleft()
        recent = [failed for _, whose, failed in self._turns if owner in (None, whose)]
        return len(recent), sum(recent)

    def cost_today(self, owner: str | None) -> float | None:
        return self._spending.of(owner)

    def tokens_per_second(self, owner: str | None) -> float:
        rates = (c.tokens_per_second for c in self._streamed if owner in (None, c.row.owner))
        return round(sum(rates), 1)

    def row_of(self, session: Channel | SessionRow, access: Access | UnsetType = UNSET) -> Row:
        """As the dashboard shows it to somebody with that access."""
        row = session if isinstance(session, SessionRow) else session.row
        channel = session if isinstance(session, Channel) else None
        shown = session_of(row, access)
        since = channel.turn_since if channel else None
        return Row(
            id=shown.id,
            title=shown.title,
            owner=shown.owner,
            model=shown.model,
            state=shown.state,
            created_at=shown.created_at,
            active_at=shown.active_at,
            head=shown.head,
            queue=shown.queue,
            pending_approvals=shown.pending_approvals,
            pending_questions=shown.pending_questions,
            usage=shown.usage,
            last_turn=shown.last_turn,
            access=shown.access,
            activity=channel.activity if channel else None,
            turn_seconds=None if since is None else round(self._clock() - since, 1),
            tokens_per_second=channel.tokens_per_second if channel else 0.0,
            context=Context(row.indexed.context_used, row.indexed.context_limit),
            viewers=channel.viewers if channel else 0,
        )

    async def measure(self) -> None:
        """Read rates and the loop's lag, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            self.loop_lag_ms = round(max(loop.time() - due, 0.0) * 1000, 1)
            self._read_rates()

    # -- inside --

    def _show(self, row: SessionRow, session: Channel | SessionRow) -> None:
        for view in self._views:
            if view.sees(row):
                view.changed[row.id] = session

    def _read_rates(self) -> None:
        for channel, characters in tuple(self._streamed.items()):
            rate = round(characters / CHARACTERS_PER_TOKEN / TICK, 1)
            if rate != channel.tokens_per_second:
                channel.tokens_per_second = rate
                self.changed(channel)
            if characters:
                self._streamed[channel] = 0
            else:
                del self._streamed[channel]
