"""How a viewer comes in, or back from where the ring ends: without a gap, and in its turn."""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import UNSET, structs

from server.delivery.cursor import Feed
from server.delivery.flusher import Flusher
from server.delivery.frames import Frame, in_writes, joined, text_frame
from server.delivery.limits import DeliveryLimits
from server.delivery.replay import Replay, Start
from server.delivery.viewer import Viewer
from server.wire import Hello, Session, Synced, encode


class Joining:
    """Both ways are long: each viewer goes them in a task of its own (`Viewer.begin`).

    Who catches up holds `turns` for each write, so that a thousand share the processor with those
    who read along. `describe` gives the session for `hello`.
    """

    def __init__(
        self,
        feed: Feed,
        flusher: Flusher,
        replay: Replay,
        *,
        turns: asyncio.Lock,
        describe: Callable[[], Session],
        limits: DeliveryLimits,
    ) -> None:
        self._feed = feed
        self._flusher = flusher
        self._replay = replay
        self._turns = turns
        self._describe = describe
        self._step = limits.step

    async def admit(self, viewer: Viewer) -> None:
        """Hello, what it missed, what is open: no await stands between the last and `expect`."""
        wish = viewer.wish
        start = await self._replay.start(wish)
        viewer.write(text_frame(encode(self._hello(viewer, start))))
        await self._catch_up(viewer, start.first - 1)
        texts, cursor = self._feed.joined(deltas=wish.deltas)
        synced = text_frame(encode(Synced(cursor.seq))) + self._feed.status
        self._flusher.expect(viewer, cursor)
        *pages, last = in_writes(texts, self._step)
        for page in pages:
            await self._give(viewer, page)
        viewer.write(joined(last, deflated=viewer.deflated) + synced)
        viewer.cursor = cursor
        self._flusher.enlist(viewer)

    async def resync(self, viewer: Viewer) -> None:
        """Serve what the ring lost from the store, then list the viewer again."""
        assert viewer.cursor is not None
        await self._catch_up(viewer, viewer.cursor.seq)
        viewer.cursor = self._feed.rejoined(viewer.cursor)
        self._flusher.enlist(viewer)

    async def _catch_up(self, viewer: Viewer, seq: int) -> None:
        """Return when the viewer has every event and its transport takes more."""
        await viewer.drained()
        while seq != self._feed.head:
            frames = await self._replay.page(seq)
            for page in in_writes(frames, self._step):
                await self._give(viewer, page)
            seq += len(frames)

    async def _give(self, viewer: Viewer, page: Sequence[Frame]) -> None:
        """In its turn among all who are catching up; returns when its transport takes more."""
        async with self._turns:
            viewer.write(joined(page, deflated=viewer.deflated))
            await asyncio.sleep(0)
        await viewer.drained()

    def _hello(self, viewer: Viewer, start: Start) -> Hello:
        access = UNSET if viewer.person is None else viewer.person.role
        head = self._feed.head
        return Hello(
            session=structs.replace(self._describe(), head=head, access=access),
            log=self._replay.generation,
            head=head,
            mode=start.mode,
            first=start.first,
            reason=start.reason,
        )
