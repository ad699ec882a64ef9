"""However a viewer lags, what it is given adds up to what the session showed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.delivery.cursor import LAGGING_DELTA, OPENING_DELTA, Cursor, Feed, Step
from server.delivery.frames import joined
from server.delivery.growing import Growing, Kind
from server.wire import Context, Outgoing, Status

STATUS = Status("idle", (), False, Context(0, 100), 0)
BIG = 1 << 30


def a_feed(*, ring: int = BIG, closing: int = BIG) -> Feed:
    return Feed(0, STATUS, ring_bytes=ring, closing_chars=closing)


def event(seq: int, **more: Any) -> bytes:
    return json.dumps({"seq": seq, **more}).encode()


def publish(feed: Feed, *, closes: str | None = None, ends: str | None = None) -> None:
    feed.publish(Outgoing(event(feed.head + 1, closes=closes), closes, ends))


def opened(feed: Feed, kind: Kind, item: str, text: str, keep: int = BIG) -> Growing:
    growing = Growing(kind, "t1", item, keep)
    feed.add(growing)
    growing.fresh.append(text)
    feed.settle()
    return growing


def decoded(data: bytes) -> Iterator[dict[str, Any]]:
    """The frames in what was written, by the plain reading of RFC 6455."""
    at = 0
    while at < len(data):
        size, header = data[at + 1], 2
        if size == 126:
            size, header = int.from_bytes(data[at + 2 : at + 4]), 4
        elif size == 127:
            size, header = int.from_bytes(data[at + 2 : at + 10]), 10
        yield json.loads(data[at + header : at + header + size])
        at += header + size


def steps(feed: Feed, cursor: Cursor, budget: int = BIG) -> Iterator[Step]:
    """Step after step until nothing is lacking."""
    while True:
        step = feed.step(cursor, budget)
        assert step is not None
        yield step
        if step.done:
            return
        cursor = step.cursor


def lacking(feed: Feed, cursor: Cursor, budget: int = BIG) -> list[dict[str, Any]]:
    return [frame for step in steps(feed, cursor, budget) for frame in decoded(step.data)]


def at_the_end(feed: Feed, *, deltas: bool = True) -> Cursor:
    return feed.joined(deltas=deltas)[1]


def opening(feed: Feed, *, deltas: bool = True, deflated: bool = False) -> bytes:
    """What a viewer that joins now is written of what is open."""
    return joined(feed.joined(deltas=deltas)[0], deflated=deflated)


def brief(frame: dict[str, Any]) -> Any:
    return frame.get("seq") or frame.get("text") or frame["type"]


class _Screen:
    """What a client makes of its frames; it complains where the contract is broken."""

    def __init__(self) -> None:
        self.seq = 0
        self.texts: dict[tuple[str, str], str] = {}
        self.closed: dict[tuple[str, str], str] = {}
        self.state: str | None = None

    def apply(self, frame: dict[str, Any]) -> None:
        if "seq" in frame:
            assert frame["seq"] == self.seq + 1
            self.seq += 1
            for key in [key for key in self.texts if key[1] == frame["closes"]]:
                self.closed[key] = self.texts.pop(key)
        elif frame["type"] == "status":
            self.state = frame["state"]
        else:
            key = (frame["type"], frame.get("item") or frame["call"])
            assert key not in self.closed, "a delta after its closing event"
            assert frame["offset"] == len(self.texts.get(key, "")), "a hole or an overlap"
            self.texts[key] = self.texts.get(key, "") + frame["text"]


_TYPES: dict[str, Kind] = {"text_delta": "text", "reasoning_delta": "reasoning"}
actions = st.lists(
    st.one_of(
        st.tuples(
            st.just("grow"),
            st.sampled_from(("i1", "i2")),
            st.sampled_from(tuple(_TYPES)),
            st.text(),
        ),
        st.tuples(st.just("close"), st.sampled_from(("i1", "i2", "i3"))),
        st.tuples(st.just("publish")),
        st.tuples(st.just("status"), st.sampled_from(("running", "idle"))),
        st.tuples(st.just("serve"), st.integers(0, 2), st.integers(1, 200)),
    ),
    max_size=40,
)


@given(actions)
def test_concatenated_deltas_equal_the_final_text_at_any_lag(acts: list[tuple[Any, ...]]) -> None:
    feed = a_feed()
    start = at_the_end(feed)
    viewers = [(_Screen(), [start]) for _ in range(3)]
    texts: dict[tuple[str, str], Growing] = {}
    final: dict[tuple[str, str], str] = {}
    names = {"i1": 0, "i2": 0, "i3": 0}

    for act in acts:
        match act:
            case ("grow", name, kind, text):
                key = (kind, f"{name}.{names[name]}")
                if key not in texts:
                    texts[key] = Growing(_TYPES[kind], "t1", key[1], BIG)
                    feed.add(texts[key])
                    final[key] = ""
                texts[key].fresh.append(text)
                final[key] += text
            case ("close", name):
                publish(feed, closes=f"{name}.{names[name]}")
                names[name] += 1
            case ("publish",):
                publish(feed)
            case ("status", state):
                feed.show(Status(state, (), False, Context(0, 1), 0))
            case ("serve", which, budget):
                feed.settle()
                screen, cursors = viewers[which]
                step = feed.step(cursors[-1], budget)
                assert step is not None
                for frame in decoded(step.data):
                    screen.apply(frame)
                cursors.append(step.cursor)
                feed.forget(min(cursors[-1].seq for _, cursors in viewers))
            case _:
                raise AssertionError(act)

    feed.settle()
    for screen, cursors in viewers:
        for step in steps(feed, cursors[-1], budget=50):
            for frame in decoded(step.data):
                screen.apply(frame)
        assert screen.seq == feed.head
        shown = {**screen.closed, **screen.texts}
        assert shown == {key: text for key, text in final.items() if text}
    feed.forget(feed.head)
    assert not feed.closing


def test_one_commit_closes_several_items_each_before_its_own_event() -> None:
    feed = a_feed()
    cursor = at_the_end(feed)
    opened(feed, "reasoning", "i1", "why")
    opened(feed, "text", "i1", "said")
    opened(feed, "tool_log", "c1", "printed")
    publish(feed, closes="i1")
    publish(feed, closes="c1")
    assert [brief(frame) for frame in lacking(feed, cursor)] == ["why", "said", 1, "printed", 2]


def test_the_end_of_a_text_that_nobody_settled_is_shown_before_the_event_that_closes_it() -> None:
    feed = a_feed()
    cursor = at_the_end(feed)
    opened(feed, "text", "i1", "a").fresh.append("b")
    publish(feed, closes="i1")
    assert [brief(frame) for frame in lacking(feed, cursor)] == ["ab", 1]


def test_a_status_follows_the_events_it_tells_of_and_precedes_open_texts() -> None:
    feed = a_feed()
    cursor = at_the_end(feed)
    feed.show(STATUS)
    publish(feed)
    opened(feed, "text", "i1", "so")
    assert [brief(frame) for frame in lacking(feed, cursor)] == [1, "status", "so"]


def test_who_joins_gets_the_status_that_is_shown_and_not_again() -> None:
    feed = a_feed()
    feed.show(Status("running", (), False, Context(0, 1), 3))
    (shown,) = decoded(feed.status)
    assert (shown["state"], shown["viewers"]) == ("running", 3)
    assert lacking(feed, at_the_end(feed)) == []


def test_whoever_wants_no_deltas_gets_events_and_status_alone() -> None:
    feed = a_feed()
    frames, cursor = feed.joined(deltas=False)
    opened(feed, "text", "i1", "hidden")
    publish(feed, closes="i1")
    opened(feed, "text", "i2", "hidden")
    feed.show(STATUS)
    assert not frames
    assert not opening(feed, deltas=False)
    assert [brief(frame) for frame in lacking(feed, cursor)] == [1, "status"]


def test_viewers_that_have_it_all_stand_on_one_cursor() -> None:
    feed = a_feed()
    early = at_the_end(feed)
    opened(feed, "text", "i1", "abc")
    *_, slow = steps(feed, early, budget=1)
    *_, fast = steps(feed, early)
    assert slow.cursor is fast.cursor is at_the_end(feed)
    assert at_the_end(feed, deltas=False) is not fast.cursor


def test_joining_mid_sentence_shows_each_open_text_from_its_start_in_one_delta() -> None:
    feed = a_feed()
    opened(feed, "text", "i1", "x" * OPENING_DELTA)
    opened(feed, "tool_log", "c1", "0123456789", keep=4)
    frames, cursor = feed.joined(deltas=True)
    text, log = decoded(joined(frames, deflated=False))
    assert (text["offset"], len(text["text"])) == (0, OPENING_DELTA)
    assert (log["offset"], log["text"], log["skipped"]) == (6, "6789", 6)
    assert lacking(feed, cursor) == []


def test_a_very_long_open_text_is_shown_in_several_deltas_each_behind_the_one_before() -> None:
    feed = a_feed()
    opened(feed, "text", "i1", "x" * OPENING_DELTA + "the end")
    whole, rest = decoded(opening(feed))
    assert (whole["offset"], len(whole["text"])) == (0, OPENING_DELTA)
    assert (rest["offset"], rest["text"]) == (OPENING_DELTA, "the end")


def test_a_lagging_viewer_gets_its_deltas_merged_and_in_bounded_steps() -> None:
    feed = a_feed()
    cursor = at_the_end(feed)
    growing = opened(feed, "text", "i1", "")
    for _ in range(300):
        growing.fresh.append("x" * 1_000)
        feed.settle()
    frames = lacking(feed, cursor, budget=1)
    assert max(len(frame["text"]) for frame in frames) == LAGGING_DELTA
    assert "".join(frame["text"] for frame in frames) == "x" * 300_000


def test_closed_texts_are_kept_up_to_a_bound_beyond_which_the_event_comes_alone() -> None:
    feed = a_feed(closing=5)
    cursor = at_the_end(feed)
    opened(feed, "text", "i1", "abc")
    publish(feed, closes="i1")
    opened(feed, "text", "i2", "def")
    publish(feed, closes="i2")
    assert [brief(frame) for frame in lacking(feed, cursor)] == [1, "def", 2]


def test_a_text_whose_turn_ends_without_it_is_forgotten() -> None:
    feed = a_feed()
    growing = opened(feed, "text", "i1", "abandoned")
    publish(feed, ends="t0")
    assert opening(feed)
    publish(feed, ends="t1")
    assert not opening(feed)
    assert growing.closed


def test_the_log_of_a_job_grows_on_when_its_turn_has_ended() -> None:
    feed = a_feed()
    growing = opened(feed, "job_log", "ada/j1", "epoch 1")
    publish(feed, ends="t1")
    assert not growing.closed
    publish(feed, closes="ada/j1")
    assert growing.closed


def test_open_texts_are_told_as_far_as_they_have_grown() -> None:
    feed = a_feed()
    opened(feed, "text", "i1", "abc").fresh.append("def")
    opened(feed, "text", "i2", "closed")
    publish(feed, closes="i2")
    assert [text.text for text in feed.open_texts] == ["abcdef"]


def test_an_event_that_closes_nothing_open_keeps_nothing() -> None:
    feed = a_feed()
    publish(feed, closes="i9")
    assert not feed.closing


def test_what_the_ring_lost_is_told_and_the_cursor_lives_on_without_what_was_closed() -> None:
    feed = a_feed(ring=1)
    cursor = at_the_end(feed)
    for name in ("i1", "i2"):
        opened(feed, "text", name, "abc")
    (*_, seen) = steps(feed, cursor)
    publish(feed, closes="i1")
    publish(feed)
    assert feed.step(seen.cursor, BIG) is None
    opened(feed, "text", "i3", "new")
    again = feed.rejoined(seen.cursor)
    assert again.seq == feed.head
    assert [brief(frame) for frame in lacking(feed, again)] == ["new"]


@pytest.mark.parametrize("deltas", [True, False])
def test_a_cursor_that_wants_no_deltas_stays_so_when_it_rejoins(deltas: bool) -> None:
    feed = a_feed()
    cursor = feed.rejoined(at_the_end(feed, deltas=deltas))
    assert (cursor.offsets is None) is not deltas


def test_viewers_who_agreed_on_it_are_given_the_same_deflated() -> None:
    feed = a_feed()
    behind = at_the_end(feed)
    publish(feed, closes="x" * 500)
    opened(feed, "text", "i1", "again " * 200)
    step = feed.step(behind, BIG)
    assert step is not None
    assert len(step.deflated) < len(step.data) / 3
    assert step.deflated is step.deflated
    assert len(opening(feed, deflated=True)) < len(opening(feed)) / 3


def test_what_joining_viewers_are_written_is_made_once_until_something_is_new() -> None:
    feed = a_feed()
    text = opened(feed, "text", "i1", "one")
    assert feed.joined(deltas=True)[0] is feed.joined(deltas=True)[0]
    text.fresh.append(" more")
    assert b"one more" in opening(feed)
