"""What a session shows and who watches it; belongs to the viewers and outlives the agent."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from msgspec import structs

from server.delivery.clock import Clock, Handle
from server.delivery.cursor import Feed
from server.delivery.flusher import Flusher
from server.delivery.frames import text_frame
from server.delivery.growing import LOGS, Growing, Kind
from server.delivery.joining import Joining
from server.delivery.limits import DeliveryLimits
from server.delivery.pages import Pages
from server.delivery.replay import Replay, Wish
from server.delivery.status_publisher import StatusPublisher
from server.delivery.viewer import Hangup, Outlet, Viewer
from server.wire import Bye, Heartbeat, Outgoing, Person, Session, Status, encode


class Broadcaster:
    """One session's viewers. Nothing here waits for one of them; nothing raises into the session.

    `head` is the last event already in the log, `log` its generation; `describe` gives the session
    for `hello`, `timestamp` RFC 3339 UTC. `on_viewers` is told their number when it changes.
    """

    def __init__(
        self,
        session: str,
        *,
        head: int,
        log: str,
        status: Status,
        describe: Callable[[], Session],
        pages: Pages,
        timestamp: Callable[[], str],
        clock: Clock,
        limits: DeliveryLimits = DeliveryLimits(),  # noqa: B008 (frozen)
        on_viewers: Callable[[int], object] = lambda viewers: None,
    ) -> None:
        self._timestamp = timestamp
        self._clock = clock
        self._limits = limits
        self._on_viewers = on_viewers
        status = structs.replace(status, viewers=0)
        self._feed = feed = Feed(head, status, ring_bytes=limits.ring, closing_chars=limits.closing)
        self._flusher = flusher = Flusher(feed, limits, clock)
        self._status = StatusPublisher(status, limits.status, clock, partial(_show, feed, flusher))
        replay = Replay(session, log, feed.ring, pages, limits)
        turns = pages.one_at_a_time
        self._joining = Joining(
            feed, flusher, replay, turns=turns, describe=describe, limits=limits
        )
        self._viewers: dict[Viewer, None] = {}
        self._heartbeat: Handle | None = None
        self._bye: tuple[Bye, float] | None = None

    # ---- for the session -----------------------------------------------------------------------

    @property
    def head(self) -> int:
        """The last event that viewers may hear of."""
        return self._feed.head

    def publish(self, first: int, events: Sequence[Outgoing]) -> None:
        """Show committed events; `first` is the number of the first of them."""
        if first != self._feed.head + 1:
            raise ValueError(f"event {first} published after event {self._feed.head}")
        for event in events:
            self._feed.publish(event)
        if any(event.ends is not None for event in events):
            self._flusher.hurry()
        else:
            self._flusher.wake()

    def open(self, kind: Kind, turn: str, item: str) -> "Author":
        """A text that grows in sight until the event that closes its item, or ends its turn."""
        limits = self._limits
        keep = limits.tool_log if kind in LOGS else limits.text
        text = Growing(kind, turn, item, keep)
        self._feed.add(text)
        return Author(text, self._flusher)

    @property
    def open_texts(self) -> Sequence[Growing]:
        """What grows in sight, also when its author is gone."""
        return self._feed.open_texts

    def status(self, status: Status) -> None:
        """What is true now, but for who is there. Call after the events it tells of."""
        self._status.tell(status)

    # ---- for connections -----------------------------------------------------------------------

    @property
    def viewers(self) -> int:
        """How many are connected, those who are still catching up included."""
        return len(self._viewers)

    def join(
        self, outlet: Outlet, hangup: Hangup, wish: Wish, person: Person | None = None
    ) -> Viewer:
        """A viewer to be, on an upgraded connection; it joins when it is entered."""
        viewer = Viewer(outlet, hangup, wish, self, self._limits, self._clock)
        viewer.person = person
        return viewer

    def introduce(self, viewer: Viewer, person: Person) -> None:
        """It is somebody else now, or the same as something else."""
        if viewer in self._viewers:
            self._status.goes(viewer.person)
            viewer.person = person
            self._status.comes(person)
            self._counted()

    async def dismiss(self, bye: Bye, within: float) -> None:
        """Say bye to each viewer once it has everything, and close; who joins now may stay.

        After `within` seconds it is said regardless; who has not read it so much later is cut off.
        """
        everybody = tuple(self._viewers)
        for viewer in everybody:
            viewer.leaving, viewer.smooth = (bye, within), False
            if viewer.cursor is None:
                viewer.part(bye, within)
        latest = self._clock.call_at(self._clock.time() + within, _part_all, everybody, bye, within)
        self._flusher.flush_now()
        await asyncio.gather(*(viewer.gone() for viewer in everybody))
        latest.cancel()

    async def end(self, bye: Bye, within: float) -> None:
        """Dismiss everybody, those who come later too."""
        self._bye = bye, within
        await self.dismiss(bye, within)
        self._flusher.stop()
        self._status.stop()
        if self._heartbeat is not None:
            self._heartbeat.cancel()

    # ---- for viewers and the flusher -----------------------------------------------------------

    def attach(self, viewer: Viewer) -> None:
        if self._bye is not None:
            viewer.part(*self._bye)
            return
        self._viewers[viewer] = None
        self._status.comes(viewer.person)
        self._counted()
        if self._heartbeat is None:
            self._beat_later()
        viewer.begin(self._joining.admit(viewer))

    def detach(self, viewer: Viewer) -> None:
        self._flusher.dismiss(viewer)
        if viewer not in self._viewers:
            return
        del self._viewers[viewer]
        self._status.goes(viewer.person)
        if not self._viewers and self._heartbeat is not None:
            self._heartbeat.cancel()
            self._heartbeat = None
        self._counted()

    def watch(self, viewer: Viewer) -> None:
        self._flusher.watch(viewer)

    def lost(self, viewer: Viewer) -> None:
        viewer.begin(self._joining.resync(viewer))

    # ---- by the clock --------------------------------------------------------------------------

    def _counted(self) -> None:
        self._status.count(len(self._viewers))
        self._on_viewers(len(self._viewers))

    def _beat_later(self) -> None:
        when = self._clock.time() + self._limits.heartbeat
        self._heartbeat = self._clock.call_at(when, self._beat)

    def _beat(self) -> None:
        self._beat_later()
        beat = Heartbeat(at=self._timestamp(), head=self.head)
        self._flusher.to_all(text_frame(encode(beat)))


class Author:
    """The writing end of an open text."""

    __slots__ = ("_flusher", "_text")

    def __init__(self, text: Growing, flusher: Flusher) -> None:
        self._text = text
        self._flusher = flusher

    def grow(self, text: str) -> None:
        """Show `text` behind what is there; never waits. A closed text grows no more."""
        growing = self._text
        if growing.closed:
            return
        begins = not growing.length and not growing.fresh
        growing.fresh.append(text)
        if growing.kind not in LOGS:
            self._flusher.show(begins=begins)
        elif begins:
            self._flusher.hurry()
        elif not self._flusher.due:
            self._flusher.wake()


def _show(feed: Feed, flusher: Flusher, status: Status) -> None:
    feed.show(status)
    flusher.wake()


def _part_all(viewers: Sequence[Viewer], bye: Bye, within: float) -> None:
    for viewer in viewers:
        viewer.part(bye, within)
