"""All sessions at a glance: what changed, how fast they stream, and what the server has to do."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from agent.protocol import Recorded, TurnEnded, TurnStarted, Usage
from server.sessions.channel import Channel
from server.sessions.rows import session_of
from server.store.port import SessionRow
from server.wire import Context, Row

log = logging.getLogger(__name__)

CHARACTERS_PER_TOKEN = 4
TICK = 0.5
"""Seconds between two readings of rates, and between two frames of a dashboard at the least."""


class View:
    """What one dashboard has not been told yet; `owner` None sees everybody's sessions."""

    def __init__(self, owner: str | None) -> None:
        self.owner = owner
        self.changed: dict[str, Channel | SessionRow] = {}
        self.gone: dict[str, None] = {}

    def sees(self, row: SessionRow) -> bool:
        return self.owner is None or self.owner == row.owner

    def take(self) -> tuple[list[Channel | SessionRow], tuple[str, ...]]:
        """What changed and what is gone since the last time."""
        changed, gone = list(self.changed.values()), tuple(self.gone)
        self.changed.clear()
        self.gone.clear()
        return changed, gone


class Fleet:
    """Implements Audience. Costs nothing while nobody looks, a few additions apart."""

    def __init__(self, clock: Callable[[], float], today: Callable[[], str]) -> None:
        """`clock` in seconds; `today` names the day that costs are counted for."""
        self._clock = clock
        self._today = today
        self._views: set[View] = set()
        self._streamed: dict[Channel, int] = {}
        self._turns: deque[tuple[float, bool]] = deque(maxlen=10_000)
        self._cost: tuple[str, float | None] = (today(), 0.0)
        self.loop_lag_ms = 0.0

    # -- told by sessions --

    def changed(self, channel: Channel) -> None:
        self._show(channel.row, channel)

    def created(self, row: SessionRow) -> None:
        self._show(row, row)

    def gone(self, session: str) -> None:
        for view in self._views:
            view.changed.pop(session, None)
            view.gone[session] = None

    def recorded(self, channel: Channel, entries: Sequence[Recorded]) -> None:
        for entry in entries:
            match entry.event:
                case TurnStarted(turn=turn):
                    log.info("turn %s began", turn)
                    channel.turn_since = self._clock()
                case TurnEnded(turn=turn, status=status):
                    log.info("turn %s ended: %s", turn, status)
                    channel.turn_since = None
                    self._turns.append((self._clock(), status == "failed"))
                case Usage(cost_usd=cost):
                    self._spend(cost)
                case _:
                    pass

    def streamed(self, channel: Channel, characters: int) -> None:
        self._streamed[channel] = self._streamed.get(channel, 0) + characters

    # -- asked by dashboards and metrics --

    @contextmanager
    def view(self, owner: str | None) -> Iterator[View]:
        view = View(owner)
        self._views.add(view)
        try:
            yield view
        finally:
            self._views.discard(view)

    def per_minute(self) -> tuple[int, int]:
        """Turns that ended in the last minute, and those of them that failed."""
        since = self._clock() - 60
        recent = [failed for at, failed in self._turns if at >= since]
        return len(recent), sum(recent)

    @property
    def cost_today(self) -> float | None:
        """Dollars since midnight UTC or the start of the server; None if a part is unknown."""
        day, cost = self._cost
        return cost if day == self._today() else 0.0

    @property
    def tokens_per_second(self) -> float:
        return round(sum(channel.tokens_per_second for channel in self._streamed), 1)

    def row_of(self, session: Channel | SessionRow) -> Row:
        """As the dashboard shows it."""
        row = session if isinstance(session, SessionRow) else session.row
        channel = session if isinstance(session, Channel) else None
        shown = session_of(row)
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
            usage=shown.usage,
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

    def _spend(self, cost: float | None) -> None:
        day, spent = self._cost
        if day != self._today():
            day, spent = self._today(), 0.0
        self._cost = (day, None if cost is None or spent is None else spent + cost)
