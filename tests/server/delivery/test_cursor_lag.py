"""However far a viewer falls behind, also beyond what the ring keeps, it ends with the log."""

import json
from collections.abc import Iterator
from typing import Any
from zlib import decompressobj

from hypothesis import given
from hypothesis import strategies as st

from server.delivery.cursor import Cursor, Feed, Step
from server.delivery.growing import Growing, Kind
from server.wire import Context, Outgoing, Status
from tests.server.delivery.test_cursor import BIG, a_feed, decoded, event

TYPES: dict[str, Kind] = {"text_delta": "text", "reasoning_delta": "reasoning"}
Key = tuple[str, str]
HOW = [(True, False), (True, True), (False, False), (False, True)]
"""Viewers by whether they want deltas, and whether deflated."""


class Session:
    """What is shown to all; `log` is on the disk, whatever the ring has lost."""

    def __init__(self, ring: int, closing: int) -> None:
        self.feed: Feed = a_feed(ring=ring, closing=closing)
        self.log: list[bytes] = []
        self.texts: dict[Key, Growing] = {}
        self.final: dict[Key, str] = {}
        self._lives = {"i1": 0, "i2": 0}

    def grow(self, name: str, kind: str, text: str) -> None:
        key = (kind, f"{name}.{self._lives[name]}")
        if key not in self.texts:
            self.texts[key] = Growing(TYPES[kind], "t1", key[1], BIG)
            self.feed.add(self.texts[key])
            self.final[key] = ""
        self.texts[key].fresh.append(text)
        self.final[key] += text

    def close(self, name: str) -> None:
        self.publish(closes=f"{name}.{self._lives[name]}")
        self._lives[name] += 1

    def publish(self, closes: str | None = None) -> None:
        body = event(self.feed.head + 1, closes=closes)
        self.log.append(body)
        self.feed.publish(Outgoing(body, closes, None))


class Screen:
    """One viewer: where it stands, and what its client has."""

    def __init__(self, session: Session, deltas: bool, deflated: bool) -> None:
        self._session = session
        self._deltas = deltas
        self._deflated = deflated
        self.cursor: Cursor
        opening, self.cursor = session.feed.joined(deltas=deltas)
        self.seq = session.feed.head
        self.texts: dict[Key, str] = {}
        self.closed: dict[Key, str] = {}
        self.missed: set[str] = set()
        """Items that were closed while it was behind the ring."""
        assert not opening

    def serve(self, budget: int) -> bool:
        """One step, or a page from the disk and back on the ring; whether it has all now."""
        feed = self._session.feed
        feed.settle()
        step = feed.step(self.cursor, budget)
        if step is None:
            for body in self._session.log[self.cursor.seq :]:
                self.apply(json.loads(body), from_disk=True)
            self.cursor = feed.rejoined(self.cursor)
            return False
        for frame in self._frames(step):
            self.apply(frame)
        self.cursor = step.cursor
        return step.done

    def _frames(self, step: Step) -> Iterator[dict[str, Any]]:
        frames = list(decoded(step.data))
        if self._deflated:
            assert list(inflated(step.deflated)) == frames
        return iter(frames)

    def apply(self, frame: dict[str, Any], *, from_disk: bool = False) -> None:
        if "seq" in frame:
            assert frame["seq"] == self.seq + 1, "a hole, or an event twice"
            self.seq += 1
            for key in [key for key in self.texts if key[1] == frame["closes"]]:
                self.closed[key] = self.texts.pop(key)
            if from_disk and frame["closes"]:
                self.missed.add(frame["closes"])
        elif frame["type"] != "status":
            assert self._deltas, "no deltas were asked for"
            key = (frame["type"], frame["item"])
            assert key not in self.closed, "it was closed"
            assert key[1] not in self.missed, "it was closed while this one was behind"
            assert frame["offset"] == len(self.texts.get(key, "")), "a hole or an overlap"
            self.texts[key] = self.texts.get(key, "") + frame["text"]

    def judge(self, whole: bool) -> None:
        """`whole`: nothing was dropped, so that every text is there to its end."""
        assert self.seq == len(self._session.log)
        for key, text in self._session.final.items():
            shown = self.texts.get(key, self.closed.get(key, ""))
            is_open = not self._session.texts[key].closed
            if self._deltas and (is_open or (whole and key[1] not in self.missed)):
                assert shown == text
            assert text.startswith(shown)


def inflated(data: bytes) -> Iterator[dict[str, Any]]:
    """The frames of a viewer that agreed on permessage-deflate without context."""
    at = 0
    while at < len(data):
        size, header = data[at + 1], 2
        if size == 126:
            size, header = int.from_bytes(data[at + 2 : at + 4]), 4
        elif size == 127:
            size, header = int.from_bytes(data[at + 2 : at + 10]), 10
        payload = data[at + header : at + header + size]
        if data[at] & 0x40:
            payload = decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
        yield json.loads(payload)
        at += header + size


acts = st.lists(
    st.one_of(
        st.tuples(
            st.just("grow"), st.sampled_from(("i1", "i2")), st.sampled_from(tuple(TYPES)), st.text()
        ),
        st.tuples(st.just("close"), st.sampled_from(("i1", "i2"))),
        st.tuples(st.just("publish")),
        st.tuples(st.just("show"), st.sampled_from(("running", "idle"))),
        st.tuples(st.just("join"), st.sampled_from(HOW)),
        st.tuples(st.just("serve"), st.integers(0, 9), st.integers(1, 300)),
        st.tuples(st.just("forget")),
    ),
    max_size=60,
)


@given(acts, st.sampled_from((1, 60, 200, BIG)), st.sampled_from((0, 5, 40, BIG)))
def test_a_viewer_that_the_ring_left_behind_has_all_events_and_each_open_text(
    doing: list[tuple[Any, ...]], ring: int, closing: int
) -> None:
    session = Session(ring, closing)
    screens = [Screen(session, *how) for how in HOW]
    for act in doing:
        match act:
            case ("grow", name, kind, text):
                session.grow(name, kind, text)
            case ("close", name):
                session.close(name)
            case ("publish",):
                session.publish()
            case ("show", state):
                session.feed.show(Status(state, (), False, Context(0, 1), 0))
            case ("serve", which, budget):
                screens[which % len(screens)].serve(budget)
            case ("forget",):
                session.feed.forget(min(screen.cursor.seq for screen in screens))
            case ("join", how) if not session.feed.joined(deltas=True)[0]:
                joined = Screen(session, *how)
                joined.missed |= {key[1] for key, text in session.texts.items() if text.closed}
                screens.append(joined)
            case _:
                pass  # mid-sentence: what a joining viewer is shown has a test of its own
    for screen in screens:
        while not screen.serve(50):
            pass
        screen.judge(whole=closing == BIG)
