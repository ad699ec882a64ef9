"""A session in memory: its actor, and the journal that it writes through."""

from collections.abc import Callable, Sequence
from typing import Protocol

from agent.history import History
from agent.means import Means
from agent.protocol import TurnError
from agent.recovery import Draft, Interruption
from agent.session import Session
from server.delivery.growing import Growing
from server.sessions.channel import Channel
from server.sessions.drafts import Drafts
from server.sessions.journal import SessionJournal
from server.sessions.loading import PAGE_BYTES, PAGE_EVENTS, load, recorded
from server.store.port import Store
from server.wire import outgoing

RESTART = Interruption("server_restart")
CRASH = Interruption(
    error=TurnError(
        "unavailable", "The log could not be written. Send it again in a moment.", retryable=True
    )
)


class MakeMeans(Protocol):
    """What the agent of a session works with; of MCP servers those named, None: all."""

    def __call__(self, session: str, owner: str, mcp_servers: tuple[str, ...] | None) -> Means: ...


class LiveSession:
    """`last_used` is what hibernation goes by, in seconds of the manager's clock."""

    def __init__(
        self, session: Session, channel: Channel, journal: SessionJournal, last_used: float
    ) -> None:
        self.session = session
        self.channel = channel
        self.last_used = last_used
        self._journal = journal

    @property
    def resting(self) -> bool:
        return self.session.resting

    @property
    def failed(self) -> bool:
        return self.session.failed.done()

    async def close(self) -> None:
        """Stop what runs and say so in the log."""
        await self.session.close()
        self._journal.close()

    async def discard(self) -> None:
        """Stop what runs without a word."""
        await self.session.discard()
        self._journal.close()

    def sleep(self) -> None:
        """Leave memory while resting: the log is all there is."""
        self.session.failed.cancel()  # whoever would have been told keeps the actor no more
        self._journal.close()
        self.channel.busy(None)


async def wake(
    channel: Channel,
    store: Store,
    make_means: MakeMeans,
    drafts: Drafts,
    *,
    timestamp: Callable[[], str],
    now: float,
    interruption: Interruption,
) -> LiveSession:
    """Read the log, show viewers what they have not seen of it, append what it lacks, go on.

    Raises NoSuchSession.
    """
    id = channel.row.id
    loaded = await load(store, id)
    means = make_means(id, channel.row.owner, loaded.history.mcp_servers)
    await _show_missed(channel, store, loaded.history, means)
    history = loaded.history
    journal = SessionJournal(
        id, history.head, store, channel, drafts, timestamp, means.redactor, history.find_call
    )
    session = Session(history, loaded.receipts, journal, means)
    session.start(_half_said(loaded.drafts, channel.broadcaster.open_texts), interruption)
    return LiveSession(session, channel, journal, now)


def _half_said(kept: Sequence[Draft], shown: Sequence[Growing]) -> tuple[Draft, ...]:
    """As far as it was seen: a disk that takes nothing kept less of it."""
    known = {(draft.item, draft.kind): draft for draft in kept}
    for text in shown:
        if text.kind == "text" or text.kind == "reasoning":
            draft = Draft(text.turn, text.item, text.kind, text.text)
            longest = known.setdefault((text.item, text.kind), draft)
            if len(longest.text) < len(draft.text):
                known[text.item, text.kind] = draft
    return tuple(known.values())


async def _show_missed(channel: Channel, store: Store, history: History, means: Means) -> None:
    """Events of a commit that seemed to fail to the actor before."""
    digest = history.digest(means.models.context(history.model))
    while (seen := channel.broadcaster.head) < history.head:
        page = await store.events_after(
            channel.row.id, seen, limit=PAGE_EVENTS, max_bytes=PAGE_BYTES
        )
        entries = [recorded(page.first + n, body) for n, body in enumerate(page.bodies)]
        bodies = [outgoing(e.seq, e.at, e.event) for e in entries]
        channel.publish(entries, bodies, digest)
