"""What viewers are shown, in which order and when; transports and time are moved by hand."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from msgspec import structs

from server.wire import Accepted, Bye, Context, Outgoing, Pong, Status
from tests.server.delivery.stage import IDLE, Stage, Transport, quiet

# ---- joining -----------------------------------------------------------------------------------


async def test_a_viewer_gets_hello_the_replay_open_texts_synced_and_the_status_in_this_order() -> (
    None
):
    stage = Stage()
    stage.publish()
    stage.publish()
    stage.broadcaster.open("text", "t1", "i1").grow("half a sent")
    async with stage.joined(after=1) as watched:
        assert watched.seen == ["hello", 2, "half a sent", "synced", "status"]
        hello = watched.transport.frames[0]
        assert (hello["mode"], hello["from"], hello["head"], hello["log"]) == ("replay", 2, 2, "L")
        assert hello["session"]["head"] == 2


async def test_what_the_ring_never_had_comes_from_the_store() -> None:
    stage = Stage(stored=3)
    stage.publish()
    async with stage.joined() as watched:
        assert watched.seen == ["hello", 1, 2, 3, 4, "synced", "status"]


async def test_events_committed_during_the_replay_follow_it_before_the_open_texts() -> None:
    stage = Stage(stored=2)
    stage.reader.ready.clear()
    async with stage.joined() as watched:
        text = stage.broadcaster.open("text", "t1", "i1")
        text.grow("closed meanwhile")
        stage.publish()
        await stage.frame_time()
        stage.publish(closes="i1")
        stage.broadcaster.open("text", "t1", "i2").grow("open")
        assert watched.seen == []
        stage.reader.ready.set()
        await quiet()
        assert watched.seen == ["hello", 1, 2, 3, 4, "open", "synced", "status"]
        await stage.frame_time()
        assert watched.since_synced() == ["status"]


async def test_a_replay_waits_for_a_transport_that_is_full_and_goes_on_from_there() -> None:
    stage = Stage(stored=20, gate=500, step=100, page_events=3)
    transport = Transport()
    transport.reading = False
    async with stage.joined(transport) as watched:
        assert transport.get_write_buffer_size() < 800
        assert "synced" not in watched.seen
        stage.publish()
        for _ in range(20):
            transport.take()
            await stage.frame_time()
        assert watched.seen == ["hello", *range(1, 22), "synced", "status"]


async def test_answers_given_before_synced_come_after_the_first_status() -> None:
    stage = Stage(stored=1)
    stage.reader.ready.clear()
    async with stage.joined() as watched:
        watched.viewer.answer(Accepted("c1", 1))
        watched.viewer.answer(Pong("c2", "now"))
        stage.reader.ready.set()
        await quiet()
        assert watched.seen == ["hello", 1, "synced", "status", "accepted", "pong"]


async def test_a_viewer_that_leaves_during_its_replay_leaves_nothing_behind() -> None:
    stage = Stage(stored=1)
    stage.reader.ready.clear()
    async with stage.joined() as watched:
        pass
    assert watched.seen == []
    assert stage.counts == [1, 0]
    await stage.clock.pass_by(1)
    assert stage.clock.waiting == 0


async def test_whoever_joins_is_counted_and_its_first_status_counts_it() -> None:
    stage = Stage()
    async with stage.joined() as first:
        assert first.transport.frames[-1]["viewers"] == 1
        async with stage.joined():
            assert stage.broadcaster.viewers == 2
    assert stage.counts == [1, 2, 1, 0]


# ---- live --------------------------------------------------------------------------------------


async def test_the_first_event_after_silence_is_shown_at_once_and_the_next_16_ms_later() -> None:
    stage = Stage()
    async with stage.joined() as watched:
        await stage.clock.pass_by(1)
        stage.publish()
        await quiet()
        assert watched.since_synced() == ["status", 1]
        stage.publish()
        await stage.clock.pass_by(0.015)
        assert watched.since_synced() == ["status", 1]
        await stage.clock.pass_by(0.001)
        assert watched.since_synced() == ["status", 1, 2]


async def test_the_beginning_of_a_text_waits_for_no_flush_and_what_follows_does() -> None:
    stage = Stage()
    async with stage.joined() as watched:
        await stage.frame_time()
        stage.publish()
        await quiet()
        stage.publish()
        text = stage.broadcaster.open("text", "t1", "i1")
        text.grow("a")
        assert watched.since_synced() == ["status", 1, 2, "a"]  # in no later turn of the loop
        text.grow("b")
        text.grow("c")
        await stage.clock.pass_by(0.015)
        assert watched.since_synced() == ["status", 1, 2, "a"]
        await stage.clock.pass_by(0.001)
        assert watched.since_synced() == ["status", 1, 2, "a", "bc"]
        assert stage.clock.waiting == 1  # the heartbeat


async def test_what_a_text_grows_by_after_16_ms_is_shown_within_the_call() -> None:
    stage = Stage()
    async with stage.joined() as watched:
        await stage.frame_time()
        text = stage.broadcaster.open("text", "t1", "i1")
        text.grow("a")
        await stage.clock.pass_by(0.016)
        text.grow("b")
        assert watched.since_synced() == ["status", "a", "b"]
        await stage.clock.pass_by(0.016)
        stage.publish()
        text.grow("c")  # a flush is due, and takes it along
        assert watched.since_synced() == ["status", "a", "b"]
        await quiet()
        assert watched.since_synced() == ["status", "a", "b", 1, "c"]


async def test_the_end_of_a_turn_waits_for_no_flush_and_takes_its_status_along() -> None:
    stage = Stage()
    async with stage.joined() as watched:
        await stage.frame_time()
        text = stage.broadcaster.open("text", "t1", "i1")
        text.grow("a")
        text.grow("b")
        stage.publish(closes="i1", ends="t1")
        writes = watched.transport.writes
        stage.broadcaster.status(structs.replace(IDLE, held=True))
        await quiet()
        assert watched.since_synced() == ["status", "a", "b", 1, "status"]
        assert watched.transport.writes == writes + 1
        assert stage.clock.waiting == 1  # the heartbeat


async def test_the_lines_that_a_tool_prints_at_once_are_one_frame() -> None:
    stage = Stage()
    async with stage.joined() as watched:
        await stage.frame_time()
        printed = stage.broadcaster.open("tool_log", "t1", "c1")
        for line in ("a", "b"):
            printed.grow(line)
        assert watched.since_synced() == ["status"]
        await quiet()
        assert watched.since_synced() == ["status", "ab"]


async def test_a_text_that_begins_while_slices_are_written_comes_after_them() -> None:
    stage = Stage(slice=1)
    async with stage.joined() as first, stage.joined() as second:
        await stage.frame_time()
        stage.publish()
        await asyncio.sleep(0)
        stage.broadcaster.open("text", "t1", "i1").grow("a")
        await stage.frame_time()
        await stage.frame_time()
        assert first.since_synced()[-2:] == second.since_synced()[-2:] == [1, "a"]


async def test_deltas_of_one_flush_are_one_frame_and_one_write() -> None:
    stage = Stage()
    async with stage.joined() as watched:
        await stage.frame_time()
        text = stage.broadcaster.open("text", "t1", "i1")
        text.grow("a")
        writes = watched.transport.writes
        for piece in ("b", "c", "d"):
            text.grow(piece)
        await stage.frame_time()
        assert watched.since_synced() == ["status", "a", "bcd"]
        assert watched.transport.writes == writes + 1


async def test_the_rest_of_a_text_is_shown_before_the_event_that_closes_it() -> None:
    stage = Stage()
    async with stage.joined() as watched:
        text = stage.broadcaster.open("text", "t1", "i1")
        text.grow("so")
        await stage.frame_time()
        text.grow(" far")
        stage.publish(closes="i1")
        text.grow(" too late")
        await stage.frame_time()
        assert watched.since_synced() == ["status", "so", " far", 1]


async def test_a_viewer_without_deltas_gets_everything_else() -> None:
    stage = Stage()
    async with stage.joined(deltas=False) as watched:
        stage.broadcaster.open("tool_log", "t1", "c1").grow("unseen")
        await stage.frame_time()
        stage.publish(closes="c1")
        await stage.frame_time()
        assert watched.since_synced() == ["status", 1]


async def test_a_status_that_matters_comes_with_the_events_it_tells_of_and_after_them() -> None:
    stage = Stage()
    async with stage.joined() as watched:
        await stage.frame_time()
        running = structs.replace(IDLE, state="running", turn="t1")
        stage.broadcaster.status(running)
        stage.publish()
        await quiet()
        assert watched.since_synced() == ["status", 1, "status"]
        assert watched.transport.frames[-1]["turn"] == "t1"


async def test_what_can_wait_of_a_status_is_shown_at_most_twice_a_second_and_the_last_always() -> (
    None
):
    stage = Stage()
    async with stage.joined() as watched:
        await stage.clock.pass_by(10)
        for used in range(1, 50):
            stage.broadcaster.status(structs.replace(IDLE, context=Context(used, 100)))
            await stage.clock.pass_by(0.02)
        await stage.clock.pass_by(1)
        shown = [f["context"]["used"] for f in watched.transport.frames if f["type"] == "status"]
        assert shown == [0, 1, 26, 49]


async def test_all_viewers_at_one_place_are_given_the_same_bytes() -> None:
    class Recorder(Transport):
        def __init__(self) -> None:
            super().__init__()
            self.objects: list[bytes] = []

        def write(self, data: bytes, /) -> None:
            self.objects.append(data)
            super().write(data)

    stage = Stage()
    one, two, early = Recorder(), Recorder(), Recorder()
    async with stage.joined(early), stage.joined(one), stage.joined(two):
        await stage.clock.pass_by(1)
        stage.broadcaster.open("text", "t1", "i1").grow("shared")
        await quiet()
        assert one.objects[-1] is two.objects[-1] is early.objects[-1]


async def test_many_viewers_are_served_in_slices_between_which_others_have_their_turn() -> None:
    stage = Stage(slice=2)
    async with AsyncExitStack() as stack:
        transports = [(await stack.enter_async_context(stage.joined())).transport for _ in range(5)]
        await stage.clock.pass_by(1)
        before = [transport.writes for transport in transports]
        stage.publish()
        served: list[int] = []
        for _ in range(3):
            await asyncio.sleep(0)
            served.append(sum(t.writes > b for t, b in zip(transports, before, strict=True)))
        assert served == [2, 4, 5]
        assert [t.seen[-1] for t in transports] == [1] * 5


async def test_at_the_end_all_are_told_in_slices_too() -> None:
    stage = Stage(slice=2)
    async with AsyncExitStack() as stack:
        joined = [await stack.enter_async_context(stage.joined()) for _ in range(5)]
        await stage.clock.pass_by(1)
        stage.publish()
        end = asyncio.ensure_future(stage.broadcaster.end(Bye(1012, "Restarting."), 2.0))
        told: list[int] = []
        for _ in range(3):
            await asyncio.sleep(0)
            told.append(sum(watched.seen[-1] == "bye" for watched in joined))
        assert told == [2, 4, 5]
        assert all(watched.seen.count(1) == 1 for watched in joined)
        await end


async def test_an_end_amid_slices_reaches_those_who_wait_for_theirs_as_well() -> None:
    stage = Stage(slice=1)
    async with stage.joined() as one, stage.joined() as two, stage.joined() as three:
        await stage.clock.pass_by(1)
        stage.publish()
        await asyncio.sleep(0)
        await stage.broadcaster.end(Bye(1012, "Restarting."), 2.0)
        for watched in (one, two, three):
            assert watched.seen.count(1) == 1
            assert watched.seen[-1] == "bye"
    await stage.clock.pass_by(1)
    assert stage.clock.waiting == 0


async def test_what_comes_up_while_slices_are_written_is_flushed_after_them() -> None:
    stage = Stage(slice=1)
    async with stage.joined() as one, stage.joined() as two:
        await stage.clock.pass_by(1)
        stage.publish()
        await asyncio.sleep(0)
        stage.publish()
        await stage.frame_time()
        assert one.since_synced()[-2:] == two.since_synced()[-2:] == [1, 2]


async def test_a_heartbeat_names_the_published_head_every_20_seconds_while_somebody_watches() -> (
    None
):
    stage = Stage()
    stage.publish()
    async with stage.joined(deltas=False) as watched:
        await stage.clock.pass_by(40)
        beats = [frame for frame in watched.transport.frames if frame["type"] == "heartbeat"]
        assert beats == [{"type": "heartbeat", "at": "now", "head": 1}] * 2
    await stage.clock.pass_by(1)
    assert stage.clock.waiting == 0


async def test_a_text_that_begins_takes_no_heartbeat_from_anybody() -> None:
    stage = Stage(slice=1)
    async with stage.joined() as one, stage.joined() as two, stage.joined() as three:
        await stage.clock.pass_by(19.99)
        stage.publish()
        await quiet()
        author = stage.broadcaster.open("text", "t1", "i1")
        asyncio.get_running_loop().call_soon(author.grow, "W")  # between two slices
        await stage.clock.pass_by(0.01)
        for viewer in (one, two, three):
            assert viewer.seen.count("heartbeat") == 1, viewer.seen
            assert viewer.seen.count("W") == 1, viewer.seen


async def test_events_are_published_in_the_order_of_the_log_or_not_at_all() -> None:
    stage = Stage(stored=3)
    with pytest.raises(ValueError, match="event 7 published after event 3"):
        stage.broadcaster.publish(7, [Outgoing(b"{}")])
    assert stage.broadcaster.head == 3


async def test_a_session_that_nobody_watches_is_flushed_into_the_void_and_remembers() -> None:
    stage = Stage()
    text = stage.broadcaster.open("tool_log", "t1", "c1")
    for _ in range(100):
        text.grow("x" * 10_000)
        await stage.frame_time()
    async with stage.joined() as watched:
        (log,) = (f for f in watched.transport.frames if f["type"] == "tool_log")
        assert (log["offset"], len(log["text"])) == (1_000_000 - 262_144, 262_144)
        assert log["skipped"] == log["offset"]


@pytest.mark.parametrize("kind", ["text", "reasoning", "tool_log"])
async def test_an_abandoned_text_is_gone_with_its_turn(kind: Any) -> None:
    stage = Stage()
    stage.broadcaster.open(kind, "t1", "i1").grow("never finished")
    stage.publish(ends="t1")
    async with stage.joined() as watched:
        assert watched.seen == ["hello", 1, "synced", "status"]


async def test_the_viewers_in_a_status_are_the_broadcasters_own_count() -> None:
    stage = Stage()
    async with stage.joined() as watched:
        stage.broadcaster.status(Status("running", (), False, Context(0, 100), viewers=99))
        await stage.frame_time()
        assert watched.transport.frames[-1]["viewers"] == 1
