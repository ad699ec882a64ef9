"""The limits that are promised are those that hold where nobody chose others."""

import asyncio
from contextlib import AsyncExitStack

from tests.server.delivery.stage import Stage, Transport, quiet

GATE = 64 * 1024
SLICE = 200


async def test_who_reads_nothing_is_given_64_kib_and_what_is_written_in_one_go() -> None:
    stage, transport = Stage(), Transport()
    transport.reading = False
    async with stage.joined(transport):
        for _ in range(30):
            stage.publish(padding=20_000)
            await stage.frame_time()
        assert GATE <= transport.get_write_buffer_size() < 2 * GATE + 20_000


async def test_after_200_viewers_others_have_their_turn() -> None:
    stage = Stage()
    async with AsyncExitStack() as stack:
        joined = [await stack.enter_async_context(stage.joined()) for _ in range(SLICE + 1)]
        await stage.clock.pass_by(1)
        before = [watched.transport.writes for watched in joined]
        stage.publish()
        served: list[int] = []
        for _ in range(2):
            await asyncio.sleep(0)
            now = [watched.transport.writes for watched in joined]
            served.append(sum(n > b for n, b in zip(now, before, strict=True)))
        assert served == [SLICE, SLICE + 1]


async def test_what_is_new_within_16_ms_is_one_write() -> None:
    stage = Stage()
    async with stage.joined() as watched:
        await stage.clock.pass_by(1)
        stage.publish()
        await quiet()
        writes = watched.transport.writes
        assert watched.seen[-1] == 1
        for _ in range(15):
            stage.publish()
            await stage.clock.pass_by(0.001)
        assert watched.transport.writes == writes
        await stage.clock.pass_by(0.002)
        assert watched.transport.writes == writes + 1
        assert watched.seen[-1] == 16
