"""A viewer that does not read costs little, is told, and is noticed by nobody else."""

import asyncio
import gc
from contextlib import AsyncExitStack
from typing import Any

import pytest

from server.delivery.cursor import Step
from server.delivery.replay import Wish
from server.wire import Accepted, Bye, Pong
from tests.server.delivery.stage import Stage, Transport, Watched, decoded, quiet

ENDED = Bye(1000, "The session has ended.")
GOING = Bye(1012, "Restarting.", retry_after=1)


def stuck() -> Transport:
    transport = Transport()
    transport.reading = False
    return transport


async def fill(stage: Stage, watched: Watched) -> None:
    """Let the viewer stop reading, and its transport run full."""
    await stage.frame_time()
    watched.transport.reading = False
    stage.publish(padding=200)
    await stage.frame_time()


def text_of(watched: Watched) -> str:
    return "".join(f["text"] for f in watched.transport.frames if f["type"] == "text_delta")


async def test_a_full_transport_is_not_written_to_and_others_are_served_as_ever() -> None:
    stage = Stage(gate=1_000, step=1_000)
    async with stage.joined(stuck()) as slow, stage.joined() as fast:
        text = stage.broadcaster.open("text", "t1", "i1")
        for _ in range(500):
            text.grow("x" * 100)
            await stage.frame_time()
        assert text_of(fast) == "x" * 50_000
        assert slow.transport.get_write_buffer_size() < 2_500


async def test_a_viewer_that_reads_again_gets_what_it_missed_merged() -> None:
    stage = Stage(gate=1_000, step=100_000)
    async with stage.joined(stuck()) as slow:
        text = stage.broadcaster.open("text", "t1", "i1")
        for _ in range(100):
            text.grow("x" * 100)
            await stage.frame_time()
        stage.publish(closes="i1")
        slow.transport.take()
        await stage.frame_time()
        deltas = [f for f in slow.transport.frames if f["type"] == "text_delta"]
        assert text_of(slow) == "x" * 10_000
        assert len(deltas) < 20
        assert slow.seen[-1] == 1


async def test_what_one_who_lagged_was_given_at_last_is_kept_by_nobody() -> None:
    class Recorder(Transport):
        given = b""

        def write(self, data: bytes, /) -> None:
            self.given = data
            super().write(data)

    stage, transport = Stage(gate=100), Recorder()
    async with stage.joined(transport) as slow:
        await fill(stage, slow)
        stage.publish()
        stage.publish()
        await stage.frame_time()
        transport.take()
        await stage.frame_time()
        assert slow.seen[-2:] == [2, 3]
        assert transport.written.endswith(transport.given)
        assert not [it for it in gc.get_referrers(transport.given) if isinstance(it, Step)]


async def test_those_who_wait_for_their_transports_are_asked_in_slices() -> None:
    stage = Stage(gate=100, slice=2)
    async with AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(stage.joined()) for _ in range(5)]
        await stage.frame_time()
        for watched in slow:
            watched.transport.reading = False
        stage.publish(padding=200)
        await stage.frame_time()
        stage.publish()
        await stage.frame_time()
        for watched in slow:
            watched.transport.take()
        served: list[int] = []
        stage.clock.move(0.016)
        for _ in range(3):
            served.append(sum(watched.seen[-1] == 2 for watched in slow))
            await asyncio.sleep(0)
        assert served == [2, 4, 5]
    await stage.clock.pass_by(1)
    assert stage.clock.waiting == 0


async def test_who_leaves_before_its_slice_is_asked_no_more() -> None:
    stage = Stage(gate=100, slice=1)
    async with stage.joined() as one, stage.joined() as two:
        await fill(stage, one)
        await fill(stage, two)
        written = two.transport.writes
        stage.clock.move(0.016)
        stage.broadcaster.detach(two.viewer)
        await quiet()
        one.transport.take()
        two.transport.take()
        await stage.frame_time()
        assert (one.seen[-1], two.transport.writes) == (2, written)


async def test_a_viewer_that_takes_nothing_for_10_seconds_is_told_4408_and_closed() -> None:
    stage = Stage(gate=100)
    async with stage.joined(stuck()) as slow, stage.joined() as fast:
        stage.publish()
        await stage.clock.pass_by(9.9)
        assert slow.closed == []
        await stage.clock.pass_by(0.2)
        assert slow.closed[0][0] == 4408
        assert slow.transport.frames[-1]["code"] == 4408
        assert fast.closed == []
        assert await slow.viewer.next(slow.said.get) is None
        assert stage.broadcaster.viewers == 1
        assert not slow.transport.aborted
        await stage.clock.pass_by(30)
        assert slow.transport.aborted


async def test_a_viewer_that_reads_slowly_is_never_cut() -> None:
    stage = Stage(gate=1_000, step=1_000, trickle=100)
    async with stage.joined(stuck()) as slow:
        text = stage.broadcaster.open("text", "t1", "i1")
        text.grow("x" * 60_000)
        for _ in range(10):
            await stage.clock.pass_by(9)
            slow.transport.take(150)
        assert slow.closed == []


async def test_a_viewer_that_is_slow_in_its_replay_is_told_4408_too() -> None:
    stage = Stage(stored=100, gate=100, step=100)
    async with stage.joined(stuck()) as slow:
        await stage.clock.pass_by(11)
        assert slow.seen[-1] == "bye"
        assert slow.closed[0][0] == 4408


async def test_a_viewer_that_the_ring_has_left_behind_is_served_from_the_store() -> None:
    stage = Stage(gate=1_000, ring=1_000)
    async with stage.joined(stuck()) as slow:
        open_text = stage.broadcaster.open("text", "t1", "i1")
        open_text.grow("half ")
        await stage.frame_time()
        for _ in range(100):
            stage.publish(padding=100)
            await stage.frame_time()
        open_text.grow("sentence")
        slow.transport.take()
        await stage.frame_time()
        slow.transport.take()
        while slow.transport.get_write_buffer_size() or slow.seen[-1] != "sentence":
            slow.transport.take()
            await stage.frame_time()
        assert stage.reader.reads > 0
        assert [word for word in slow.seen if isinstance(word, int)] == list(range(1, 101))
        assert text_of(slow) == "half sentence"
        assert slow.seen.count("synced") == 1
        stage.publish()
        slow.transport.take()
        await stage.frame_time()
        assert slow.seen[-1] == 101


async def test_answers_to_a_full_transport_wait_in_order_and_the_client_is_read_no_more() -> None:
    stage = Stage(gate=100, outbox=200)
    async with stage.joined() as slow:
        await fill(stage, slow)
        for seq in range(20):
            slow.said.put_nowait(Accepted(f"c{seq}", seq))
        await stage.frame_time()
        assert 10 < slow.said.qsize() < 20
        assert "accepted" not in slow.seen
        slow.transport.take()
        slow.transport.reading = True
        await stage.frame_time()
        ids = [f["id"] for f in slow.transport.frames if f["type"] == "accepted"]
        assert ids == [f"c{seq}" for seq in range(20)]


async def test_a_connection_that_breaks_raises_nothing_and_frees_its_handler() -> None:
    stage = Stage(gate=100, outbox=10)
    async with stage.joined(stuck()) as broken, stage.joined() as fine:
        await stage.clock.pass_by(1)
        broken.said.put_nowait(Pong("c1", "now"))
        await quiet()
        broken.transport.closing = True
        stage.publish()
        await stage.frame_time()
        assert stage.broadcaster.viewers == 1
        broken.viewer.answer(Pong("c2", "now"))
        await stage.clock.pass_by(20)
        assert 1 in fine.since_synced()
        assert fine.seen[-1] == "heartbeat"


async def test_a_connection_that_breaks_in_its_replay_is_left_alone() -> None:
    stage = Stage(stored=3)
    stage.reader.ready.clear()
    async with stage.joined() as broken:
        broken.transport.closing = True
        stage.reader.ready.set()
        await stage.clock.pass_by(30)
        assert broken.seen == []
        assert await broken.viewer.next(broken.said.get) is None


async def test_a_time_out_of_the_reading_itself_is_passed_on() -> None:
    async def receive() -> Accepted:
        raise TimeoutError

    stage = Stage()
    async with stage.joined() as watched:
        with pytest.raises(TimeoutError):
            await watched.viewer.next(receive)


async def test_a_store_that_cannot_be_read_costs_the_viewer_its_connection_and_says_why() -> None:
    stage = Stage(stored=3)
    stage.reader.failure = OSError("disk gone")
    async with AsyncExitStack() as stack:
        watched = await stack.enter_async_context(stage.joined())
        assert watched.seen == ["bye"]
        assert watched.transport.frames[-1]["code"] == 1012
        assert watched.closed[0][0] == 1012
        with pytest.raises(OSError, match="disk gone"):
            await stack.aclose()


# ---- the end -----------------------------------------------------------------------------------


async def ending(stage: Stage, bye: Bye = ENDED, within: float = 2.0) -> "asyncio.Future[None]":
    future = asyncio.ensure_future(stage.broadcaster.end(bye, within))
    await quiet()
    return future


async def test_the_end_is_said_after_everything_that_was_published() -> None:
    stage = Stage()
    async with stage.joined() as one, stage.joined(deltas=False) as two:
        stage.publish()
        await (await ending(stage))
        assert one.since_synced() == ["status", 1, "bye"]
        assert two.since_synced()[-2:] == [1, "bye"]
        assert one.closed == two.closed == [(1000, b"The session has ended.")]
    await stage.clock.pass_by(1)
    assert stage.clock.waiting == 0


async def test_who_lags_at_the_end_gets_the_rest_first_if_it_reads_in_time() -> None:
    stage = Stage(gate=100)
    async with stage.joined() as slow:
        await fill(stage, slow)
        stage.publish()
        end = await ending(stage)
        await stage.clock.pass_by(1)
        assert not end.done()
        slow.transport.take()
        await stage.frame_time()
        assert slow.seen[-2:] == [2, "bye"]
        await end


async def test_who_reads_nothing_at_the_end_is_told_regardless_and_cut_off() -> None:
    stage = Stage(gate=100)
    async with stage.joined() as slow:
        await fill(stage, slow)
        stage.publish()
        end = await ending(stage, GOING)
        await stage.clock.pass_by(2)
        await end
        assert slow.seen[-1] == "bye"
        assert slow.transport.frames[-1] == {
            "type": "bye", "code": 1012, "reason": "Restarting.", "retry_after": 1
        }  # fmt: skip
        await stage.clock.pass_by(2)
        assert slow.transport.aborted


async def test_who_is_joining_at_the_end_or_comes_later_is_told_at_once() -> None:
    stage = Stage(stored=1)
    stage.reader.ready.clear()
    async with stage.joined() as joining:
        await (await ending(stage))
        async with stage.joined() as late:
            assert joining.seen == late.seen == ["bye"]
            assert stage.broadcaster.viewers == 0


async def test_who_joins_while_others_are_dismissed_may_stay() -> None:
    stage = Stage(gate=100)
    async with stage.joined() as before:
        await fill(stage, before)
        stage.publish()
        dismissal = asyncio.ensure_future(stage.broadcaster.dismiss(ENDED, 2.0))
        await quiet()
        async with stage.joined() as after:
            await stage.clock.pass_by(20)
            await dismissal
            assert before.seen[-1] == "bye"
            assert after.seen[:5] == ["hello", 1, 2, "synced", "status"]
            assert after.seen[-1] == "heartbeat"


async def test_the_end_waits_for_a_viewer_that_leaves_by_itself() -> None:
    stage = Stage(gate=100)
    async with stage.joined() as slow:
        await fill(stage, slow)
        stage.publish()
        end = await ending(stage)
        assert not end.done()
    await quiet()
    assert end.done()


async def test_one_viewer_can_be_told_to_go() -> None:
    stage = Stage()
    async with stage.joined() as out, stage.joined() as stays:
        out.viewer.part(Bye(4401, "ü" * 100))
        out.viewer.part(Bye(1000, "again"))
        out.viewer.answer(Pong("c1", "now"))
        stage.publish()
        await stage.frame_time()
        assert out.seen[-1] == "bye"
        assert stays.seen[-1] == 1 or 1 in stays.seen
        code, reason = out.closed[0]
        assert (code, reason.decode()) == (4401, "ü" * 61)


@pytest.mark.parametrize("cut", [1, 7, 50])
async def test_a_cut_anywhere_and_a_return_with_after_lose_nothing(cut: int) -> None:
    stage = Stage()
    log: list[Any] = []
    for round_ in range(5):
        async with stage.joined(after=len(log)) as watched:
            for _ in range(cut):
                stage.publish()
                await quiet()
            got = [f["seq"] for f in decoded(watched.transport.written) if f["type"] == "notice"]
            log += got
        stage.publish()
        assert log == list(range(1, len(log) + 1)), round_


async def test_the_end_comes_also_when_a_handler_never_does() -> None:
    stage = Stage()
    viewer = stage.broadcaster.join(Transport(), _never, Wish())
    stage.broadcaster.attach(viewer)
    await quiet()
    end = await ending(stage)
    await stage.clock.pass_by(1.9)
    assert not end.done()
    await stage.clock.pass_by(0.2)
    assert end.done()


async def _never(code: int, reason: bytes) -> None:
    raise AssertionError("nobody leaves")
