"""The one flusher of a session: when viewers are written to, and which of them wait."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from server.delivery.clock import Clock, Handle
from server.delivery.cursor import Cursor, Feed, Step
from server.delivery.limits import DeliveryLimits
from server.delivery.viewer import TOO_SLOW, Progress, Viewer


class Flusher:
    """Writes are joined once for all viewers at one cursor; nobody waits for anybody."""

    def __init__(self, feed: Feed, limits: DeliveryLimits, clock: Clock) -> None:
        self._feed = feed
        self._limits = limits
        self._clock = clock
        self._live: dict[Viewer, None] = {}
        self._gated: dict[Viewer, None] = {}
        """Those whose transport was full, also while they join: asked again each 16 ms."""
        self._expected: dict[Viewer, Cursor] = {}
        """Where those will stand who are still written what was open when they came."""
        self._steps: dict[Cursor, Step | None] = {}
        self._flushed = float("-inf")
        self._turn: Handle | None = None
        """The flush that is due, or the slice of one that comes next."""
        self._slicing = False
        self._poll: Handle | None = None
        """When the gated are asked next, or the next slice of them."""
        self._telling: Handle | None = None
        """The next slice of `to_all`, which no flush may take the place of."""
        self.due = False
        """Whether a flush will follow that takes up what is new."""

    def wake(self) -> None:
        """Something is new: flush at once, or 16 ms after the last flush."""
        if not self.due:
            self.due = True
            if not self._slicing:
                self._schedule()

    def show(self, *, begins: bool) -> None:
        """A text has grown by all that came at once: flush within this call, where one may be.

        It may be where it `begins`, and 16 ms after the last flush.
        """
        if self._slicing or not (
            begins or self._clock.time() >= self._flushed + self._limits.flush
        ):
            self.wake()
        elif begins or not self.due:
            if self._turn is not None:
                self._turn.cancel()
            self._flush()

    def hurry(self) -> None:
        """A log begins, or a turn ends and nothing follows to be joined: flush soon, however short
        ago the last flush was."""
        if self._slicing or self._clock.time() >= self._flushed + self._limits.flush:
            self.wake()
            return
        if self._turn is not None:
            self._turn.cancel()
        self.due = True
        self._turn = self._clock.call_soon(self._flush)

    def expect(self, viewer: Viewer, cursor: Cursor) -> None:
        """Keep what closes from there on, until the viewer is enlisted or dismissed."""
        self._expected[viewer] = cursor

    def enlist(self, viewer: Viewer) -> None:
        """Serve a viewer from its cursor on."""
        self._expected.pop(viewer, None)
        viewer.live = True
        self._live[viewer] = None
        self._serve(viewer)
        self._steps.clear()  # what it alone lacked is needed no more

    def dismiss(self, viewer: Viewer) -> None:
        viewer.live = viewer.smooth = False
        self._live.pop(viewer, None)
        self._gated.pop(viewer, None)
        self._expected.pop(viewer, None)

    def watch(self, viewer: Viewer) -> None:
        """Ask again and again whether the viewer's transport takes more, and tell it so."""
        self._gated[viewer] = None
        if self._poll is None:
            self._ask_later()

    def flush_now(self) -> None:
        """Write all that is there, however short ago the last flush was; who waits for a slice of
        one that is under way is in this one."""
        if self._turn is not None:
            self._turn.cancel()
        self._flush()

    def to_all(self, frame: bytes) -> None:
        """A frame outside the order of events; who is gated goes without."""
        self._tell(frame, iter(tuple(self._live)))

    def stop(self) -> None:
        for handle in (self._turn, self._poll, self._telling):
            if handle is not None:
                handle.cancel()
        self._turn = self._poll = self._telling = None

    # ---- flushing ------------------------------------------------------------------------------

    def _schedule(self) -> None:
        when = self._flushed + self._limits.flush
        if self._clock.time() >= when:
            self._turn = self._clock.call_soon(self._flush)
        else:
            self._turn = self._clock.call_at(when, self._flush)

    def _flush(self) -> None:
        self._slicing = True
        self._take_up()
        self._in_slices(iter(tuple(self._live)))

    def _take_up(self) -> None:
        self.due = False
        self._flushed = self._clock.time()
        self._steps.clear()
        self._feed.settle()

    def _in_slices(self, viewers: Iterator[Viewer]) -> None:
        """Serve some viewers, let other work have its turn, go on."""
        some = tuple(islice(viewers, self._limits.slice))
        self._serve_some(some)
        if len(some) < self._limits.slice:
            self._flushed_all()
        else:
            self._turn = self._clock.call_soon(self._in_slices, viewers)

    def _flushed_all(self) -> None:
        self._slicing = False
        self._steps.clear()
        if self._feed.closing:
            cursors = chain((viewer.cursor for viewer in self._live), self._expected.values())
            least = min((c.seq for c in cursors if c is not None), default=self._feed.head)
            self._feed.forget(least)
        if self.due:
            self._schedule()

    def _tell(self, frame: bytes, viewers: Iterator[Viewer]) -> None:
        """The same with one frame."""
        some = tuple(islice(viewers, self._limits.slice))
        _send_some(frame, some)
        if len(some) == self._limits.slice:
            self._telling = self._clock.call_soon(self._tell, frame, viewers)

    # ---- viewers -------------------------------------------------------------------------------

    def _serve_some(self, viewers: Sequence[Viewer]) -> None:
        """As `_serve` does, at half its price for those who read along and want nothing else."""
        gate = self._limits.gate
        cursor: Cursor | None = None
        step: Step | None = None
        data = b""
        for viewer in viewers:
            if viewer.cursor is not cursor:
                cursor = viewer.cursor
                step = self._last_step(cursor)
                data = b"" if step is None else step.data
            if step is None or not viewer.smooth:
                if viewer.live:
                    self._serve(viewer)
            elif not data:
                continue
            elif viewer.outlet.offer(step.deflated if viewer.deflated else data, gate):
                viewer.cursor = step.cursor
            else:
                self._serve(viewer)

    def _serve(self, viewer: Viewer) -> None:
        progress = viewer.pump(self._step)
        if progress is Progress.GATED:
            self.watch(viewer)
            if viewer.stalled(self._clock.time()):
                viewer.part(TOO_SLOW)
            return
        if self._gated:
            self._gated.pop(viewer, None)
        if progress is Progress.LOST:
            self.dismiss(viewer)
            viewer.lost()
        elif progress is Progress.CLOSED:
            self.dismiss(viewer)
        elif viewer.live and viewer.leaving is not None:
            viewer.part(*viewer.leaving)

    def _last_step(self, cursor: Cursor | None) -> Step | None:
        """One behind which nothing is lacking."""
        step = None if cursor is None else self._step(cursor)
        return step if step is not None and step.done else None

    def _step(self, cursor: Cursor) -> Step | None:
        if cursor in self._steps:
            return self._steps[cursor]
        step = self._steps[cursor] = self._feed.step(cursor, self._limits.step)
        return step

    def _ask_later(self) -> None:
        when = self._clock.time() + self._limits.flush
        self._poll = self._clock.call_at(when, self._ask)

    def _ask(self) -> None:
        self._steps.clear()
        self._ask_in_slices(iter(tuple(self._gated)))

    def _ask_in_slices(self, viewers: Iterator[Viewer]) -> None:
        """Like a flush: thousands may be gated, and nobody waits for all of them."""
        some = tuple(islice(viewers, self._limits.slice))
        for viewer in some:
            if viewer in self._gated:
                self._serve(viewer)
        if len(some) == self._limits.slice:
            self._poll = self._clock.call_soon(self._ask_in_slices, viewers)
            return
        self._poll = None
        self._steps.clear()
        if self._gated:
            self._ask_later()


def _send_some(frame: bytes, viewers: Sequence[Viewer]) -> None:
    for viewer in viewers:
        if viewer.live and not viewer.blocked:
            viewer.outlet.write(frame)
