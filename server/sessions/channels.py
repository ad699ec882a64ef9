"""The channels of sessions that somebody watches, or whose agent is in memory."""

from collections import Counter
from collections.abc import Callable, Iterator
from types import TracebackType

from server.delivery.pages import Pages
from server.errors import NoSuchSession
from server.sessions.channel import Audience, Channel
from server.sessions.loading import load_history
from server.sessions.locks import KeyedLocks
from server.sessions.rows import queued
from server.store.port import Store
from server.wire import Queued


class Channels:
    """Each is made under its session's lock, and goes with the last who needs it."""

    def __init__(self, store: Store, timestamp: Callable[[], str], audience: Audience) -> None:
        self._store = store
        self._pages = Pages(store)
        self._timestamp = timestamp
        self._audience = audience
        self._open: dict[str, Channel] = {}
        self._holds: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Channel]:
        return iter(tuple(self._open.values()))

    def get(self, session: str) -> Channel | None:
        return self._open.get(session)

    def pop(self, session: str) -> Channel | None:
        """Take it out while its viewers are told why; what was read of its log goes with it."""
        self._pages.forget(session)
        return self._open.pop(session, None)

    def tidy(self) -> None:
        """To be called now and then: what was read for who came back, and nobody needs, goes."""
        self._pages.tidy()

    async def open(self, session: str) -> Channel:
        """The caller holds the session's lock. Raises NoSuchSession."""
        if (channel := self._open.get(session)) is not None:
            return channel
        row = await self._store.row(session)
        if row is None:
            raise NoSuchSession
        queue: tuple[Queued, ...] = ()
        if row.indexed.queue:
            history = await load_history(self._store, session)
            queue = queued(history.digest(row.indexed.context_limit))
        channel = Channel(row, queue, self._store, self._pages, self._timestamp, self._audience)
        self._open[session] = channel
        return channel

    def hold(self, session: str) -> None:
        """It stays until it was released as often as it was held."""
        self._holds[session] += 1

    def release(self, session: str) -> None:
        self._holds[session] -= 1
        if not self._holds[session]:
            del self._holds[session]
            self._open.pop(session, None)


class Attachment:
    """A viewer's hold on a channel, from entering to leaving."""

    __slots__ = ("_channels", "_locks", "_session")

    def __init__(self, session: str, channels: Channels, locks: KeyedLocks) -> None:
        self._session = session
        self._channels = channels
        self._locks = locks

    async def __aenter__(self) -> Channel:
        """Raises NoSuchSession."""
        async with self._locks.hold(self._session):
            channel = await self._channels.open(self._session)
            self._channels.hold(self._session)
        return channel

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._channels.release(self._session)
