"""The agent's port, on the store and the broadcaster: redact, number, commit, then show."""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import structs

from agent.errors import Unrecorded
from agent.history import Digest
from agent.journal import Activity, Commit, Fold, GrowthKind, NewReceipt, OpenText
from agent.protocol import AnyEvent, AssistantMessage, Recorded, ToolOutput, UserMessage
from agent.redaction import Redactor, Stream
from server.sessions.answerable import FindCall, acts
from server.sessions.channel import Channel
from server.sessions.drafts import Drafts
from server.sessions.rows import indexed
from server.store.port import Append, DraftPiece, Store, StoredReceipt
from server.wire import Outgoing, outgoing

LONGEST_LOG = 64 * 1024
"""Characters of a running call's output that are kept for the case of a crash."""


class DraftedText:
    """An open text: shown at once, and kept piece by piece for the case of a crash.

    `clean` holds back what may become a credential, until that is decided.
    """

    __slots__ = ("_clean", "_due", "_fresh", "_kept", "_most", "_shown", "item", "kind", "turn")

    def __init__(
        self,
        kind: GrowthKind,
        turn: str,
        item: str,
        shown: OpenText,
        due: Callable[[], None],
        clean: Stream,
    ) -> None:
        self.kind = kind
        self.turn = turn
        self.item = item
        self._shown = shown
        self._due = due
        self._clean = clean
        self._fresh: list[str] = []
        self._kept = 0
        self._most = LONGEST_LOG if kind == "tool_log" else None

    def grow(self, text: str) -> None:
        if text := self._clean.grow(text):
            self._show(text)

    def finish(self) -> None:
        """Nothing more comes: show what was held back."""
        if text := self._clean.rest():
            self._show(text)

    def _show(self, text: str) -> None:
        self._shown.grow(text)
        if not self._fresh:
            self._due()
        self._fresh.append(text)

    def piece(self, session: str) -> DraftPiece | None:
        """What was shown since the last piece; nothing once enough is kept."""
        # Half a surrogate pair would break the commit that the drafts of all sessions share.
        text = "".join(self._fresh).encode(errors="replace").decode()
        self._fresh.clear()
        if self._most is not None:
            text = text[: max(self._most - self._kept, 0)]
        if not text:
            return None
        offset, self._kept = self._kept, self._kept + len(text)
        return DraftPiece(session, self.turn, self.item, self.kind, offset, text)


class SessionJournal:
    """Implements agent.journal.Journal for one session, from event `head` on."""

    def __init__(
        self,
        session: str,
        head: int,
        store: Store,
        channel: Channel,
        drafts: Drafts,
        timestamp: Callable[[], str],
        redactor: Redactor,
        find_call: FindCall,
    ) -> None:
        self._session = session
        self._head = head
        self._store = store
        self._channel = channel
        self._drafts = drafts
        self._timestamp = timestamp
        self._redactor = redactor
        self._find_call = find_call
        self._open: dict[tuple[GrowthKind, str], DraftedText] = {}
        self._lost = False

    def record(
        self, events: Sequence[AnyEvent], receipts: Sequence[NewReceipt], fold: Fold
    ) -> Commit:
        events = tuple(map(self._cleaned, events))
        at, first = self._timestamp(), self._head + 1
        entries = tuple(Recorded(first + n, at, event) for n, event in enumerate(events))
        self._head += len(entries)
        digest = fold(entries)
        bodies = [outgoing(e.seq, e.at, e.event) for e in entries]
        stored = self._store.append(
            Append(
                session=self._session,
                first=first,
                at=at,
                bodies=tuple(o.body for o in bodies),
                receipts=tuple(StoredReceipt(r.id, r.fingerprint, first) for r in receipts),
                closed=self._closed(bodies),
                words=tuple(_words(events)),
                indexed=indexed(digest),
                acts=acts(self._session, at, events, self._find_call),
            )
        )
        done = asyncio.get_running_loop().create_future()
        stored.add_done_callback(lambda s: self._stored(s, done, entries, bodies, digest))
        return Commit(entries, done)

    def open(self, kind: GrowthKind, turn: str, item: str) -> OpenText:
        shown = self._channel.open(kind, turn, item)
        clean = self._redactor.stream()
        text = DraftedText(kind, turn, item, shown, self._has_fresh, clean)
        self._open[kind, item] = text
        return text

    def activity(self, activity: Activity | None) -> None:
        self._channel.busy(activity)

    def close(self) -> None:
        """Keep no more drafts."""
        self._drafts.leave(self)

    def fresh(self) -> Sequence[DraftPiece]:
        """What was shown since the last time and is not in the log yet."""
        pieces = [p for t in self._open.values() if (p := t.piece(self._session)) is not None]
        self._channel.streamed(sum(len(p.text) for p in pieces))
        return pieces

    def _stored(
        self,
        stored: asyncio.Future[None],
        done: asyncio.Future[None],
        entries: Sequence[Recorded],
        bodies: Sequence[Outgoing],
        digest: Digest,
    ) -> None:
        """On disk: show it, then say so. After a loss nothing is: the next actor shows what is."""
        if stored.cancelled():
            self._lose(done, Unrecorded("The commit was given up."))
        elif (error := stored.exception()) is not None:
            self._lose(done, error)
        elif self._lost:
            self._lose(done, Unrecorded("A commit before this one was lost."))
        else:
            self._channel.publish(entries, bodies, digest)
            done.set_result(None)

    def _lose(self, done: asyncio.Future[None], why: BaseException) -> None:
        self._lost = True
        done.set_exception(why)

    def _closed(self, bodies: Sequence[Outgoing]) -> tuple[str, ...]:
        """The items whose drafts end with this commit, also ones that another actor opened."""
        closed = {o.closes for o in bodies if o.closes is not None}
        turns = {o.ends for o in bodies}
        for key, text in tuple(self._open.items()):
            if text.item in closed or text.turn in turns:
                closed.add(text.item)
                text.finish()
                del self._open[key]
        return tuple(closed)

    def _cleaned(self, event: AnyEvent) -> AnyEvent:
        """Without credentials; a whole output's size stays the number of its characters."""
        clean = self._redactor.event(event)
        if clean is not event and isinstance(clean, ToolOutput) and not clean.truncated:
            return structs.replace(clean, size=len(clean.output))
        return clean

    def _has_fresh(self) -> None:
        self._drafts.soon(self)


def _words(events: Sequence[AnyEvent]) -> Sequence[str]:
    """What search finds: what people and the model said."""
    return [e.text for e in events if isinstance(e, UserMessage | AssistantMessage) and e.text]
