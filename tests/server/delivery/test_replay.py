"""Where a joining viewer begins."""

from typing import Any

import pytest
from msgspec import UNSET

from server.delivery.frames import framed
from server.delivery.limits import DeliveryLimits
from server.delivery.pages import LogCut, Pages
from server.delivery.replay import Replay, Start, Wish
from server.delivery.ring import Ring
from server.wire import numbered
from tests.server.delivery.stage import ListReader


def a_log(kinds: str, *, ring: int, **limits: Any) -> tuple[Replay, ListReader]:
    """A log by one letter an event: u begins a turn, s is a steered message, a a reply.

    The newest `ring` of them are in the ring too. Every event is 100 bytes long, its frame 102.
    """
    reader = ListReader()
    held = Ring(len(kinds) - ring, 1 << 20)
    for seq, kind in enumerate(kinds, 1):
        fields = {
            "u": b'"user_message"',
            "s": b'"user_message","steered":true',
            "a": b'"assistant_message"',
        }
        body = numbered(seq, "now", b'{"type":%s,"x":"' % fields.get(kind, b'"notice"'))
        reader.log.append(body.ljust(98, b"x") + b'"}')
        if seq > len(kinds) - ring:
            held.append(framed(reader.log[-1]))
    return Replay("s1", "L", held, Pages(reader), DeliveryLimits(**limits)), reader


@pytest.mark.parametrize(
    ("kinds", "ring", "limits", "wish", "start"),
    [
        ("cuxx", 4, {}, Wish(), Start("replay", 1)),
        ("cuxx", 0, {}, Wish(2), Start("replay", 3)),
        ("cuxx", 0, {}, Wish(4), Start("replay", 5)),
        ("cuxx", 0, {}, Wish(2, "L"), Start("replay", 3)),
        ("cuxx", 0, {}, Wish(0, "other"), Start("replay", 1)),
        ("cuxx", 0, {}, Wish(2, "other"), Start("tail", 1)),
        ("cuxx", 0, {}, Wish(5), Start("tail", 1, "unknown_position")),
        ("cuxxuxx", 7, {"replay": 714}, Wish(0), Start("replay", 1)),
        ("cuxxuxx", 7, {"replay": 699}, Wish(0), Start("tail", 2)),
        ("cuxxuxx", 0, {"replay": 500}, Wish(0), Start("tail", 5)),
        ("cuxxuxx", 0, {"replay": 510}, Wish(2), Start("replay", 3)),
        ("cuxxsxx", 0, {"replay": 500}, Wish(0), Start("tail", 3)),
        ("cuxxuxx", 0, {"replay_events": 5}, Wish(1), Start("tail", 5)),
        ("cuxxuxx", 0, {"replay_events": 5}, Wish(2), Start("replay", 3)),
        ("cuxxxxx", 0, {"replay": 10}, Wish(0), Start("tail", 7)),
        ("", 0, {}, Wish(3), Start("tail", 1, "unknown_position")),
        ("cuxxuxx", 0, {}, Wish(most=7), Start("replay", 1)),
        ("cuxxuxx", 0, {}, Wish(most=6), Start("tail", 2)),
        ("cuxxuxx", 0, {}, Wish(4, most=3), Start("replay", 5)),
        ("cuxxuxx", 0, {"replay_events": 5}, Wish(most=6), Start("tail", 5)),
        ("cuaxxaxx", 0, {}, Wish(most=4), Start("tail", 6)),
    ],
    ids=[
        "everything from the ring",
        "what is missing, from the store",
        "nothing is missing",
        "the log it knows",
        "nothing known of another log is no harm",
        "a position in another log",
        "a position that was never shown",
        "just within the limit of bytes",
        "just beyond it, from the oldest turn that fits",
        "a tail begins with a turn",
        "what is missing fits though the log does not",
        "a steered message begins no turn",
        "too many events",
        "just as many as allowed",
        "the newest event is in the tail whatever its size",
        "an empty log has an empty tail",
        "just as many as it wants",
        "more than it wants",
        "what is missing is no more than it wants",
        "no more than is allowed, whatever it wants",
        "a tail within a turn begins with a reply",
    ],
)
@pytest.mark.parametrize("page_events", [1, 3, 1000])
async def test_a_viewer_begins(
    kinds: str, ring: int, limits: dict[str, int], wish: Wish, start: Start, page_events: int
) -> None:
    replay, _ = a_log(kinds, ring=ring, page_events=page_events, **limits)
    assert await replay.start(wish) == start


async def test_the_probe_ends_where_the_ring_begins() -> None:
    replay, reader = a_log("cuxxuxx", ring=5, page_events=1)
    assert await replay.start(Wish()) == Start("replay", 1, UNSET)
    assert reader.reads == 2


async def test_what_is_stored_but_not_published_is_not_shown() -> None:
    replay, reader = a_log("cu", ring=0)
    reader.log.append(b"not shown yet")
    assert await replay.start(Wish()) == Start("replay", 1)
    assert len(await replay.page(0)) == 2
    assert await replay.start(Wish(3)) == Start("tail", 1, "unknown_position")


@pytest.mark.parametrize("wish", [Wish(1), Wish(9)], ids=["replay", "tail"])
async def test_a_store_that_lost_what_was_shown_is_an_error_with_a_code(wish: Wish) -> None:
    replay, reader = a_log("cuxx", ring=0)
    reader.log.clear()
    with pytest.raises(LogCut, match="after event") as cut:
        await replay.start(wish)
    assert cut.value.code == "unavailable"
