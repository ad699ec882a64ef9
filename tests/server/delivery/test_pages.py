"""However many come back at once, the store is read once, and nobody else waits for them."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from server.delivery.pages import LogCut, Pages
from server.delivery.replay import Wish
from server.wire import numbered
from tests.server.delivery.stage import ListReader, Stage, Transport, quiet

EVENTS = 500


def a_log(events: int, size: int = 100) -> ListReader:
    reader = ListReader()
    for seq in range(1, events + 1):
        reader.log.append(numbered(seq, "now", b'{"type":"notice"}').ljust(size))
    return reader


async def read(pages: Pages, seq: int, until: int, *, last_first: bool = False) -> list[bytes]:
    frames = await pages.read("s1", seq, until, last_first=last_first, limit=10, max_bytes=10_000)
    return [frame.plain[2:] for frame in frames]


async def test_a_thousand_who_come_back_after_a_restart_cost_one_read_wherever_they_were() -> None:
    stage = Stage(stored=EVENTS)
    stage.reader.ready.clear()
    async with AsyncExitStack() as stack:
        transports = [Transport() for _ in range(1_000)]
        for number, transport in enumerate(transports):
            await stack.enter_async_context(
                stage.broadcaster.join(transport, _never, Wish(number % EVENTS))
            )
        await quiet()
        stage.reader.ready.set()
        for transport in transports:
            while "synced" not in transport.seen:
                await quiet()
        assert stage.reader.reads == 1
        for number, transport in enumerate(transports):
            missed = list(range(number % EVENTS + 1, EVENTS + 1))
            assert transport.seen[: len(missed) + 2] == ["hello", *missed, "synced"]


async def test_between_two_of_them_other_work_has_its_turn() -> None:
    stage = Stage(stored=EVENTS)
    turns = 0
    async with AsyncExitStack() as stack:
        transports = [Transport() for _ in range(100)]
        for transport in transports:
            await stack.enter_async_context(stage.broadcaster.join(transport, _never, Wish(0)))
        written = 0
        while written < len(transports):
            await asyncio.sleep(0)
            turns += 1
            now = sum(transport.written.count(b'"seq":') > 1 for transport in transports)
            assert now - written <= 1
            written = now
        assert turns >= len(transports)


async def test_one_who_is_cut_off_while_he_reads_does_not_keep_the_others_waiting() -> None:
    stage = Stage(stored=EVENTS)
    stage.reader.ready.clear()
    async with AsyncExitStack() as stack:
        gone, stays = Transport(), Transport()
        async with stage.broadcaster.join(gone, _never, Wish(0)):
            await quiet()
            await stack.enter_async_context(stage.broadcaster.join(stays, _never, Wish(0)))
            await quiet()
        stage.reader.ready.set()
        while "synced" not in stays.seen:
            await quiet()
        assert stage.reader.reads == 2


async def test_a_tail_is_looked_for_once() -> None:
    stage = Stage(stored=EVENTS, replay=1_000)
    async with AsyncExitStack() as stack:
        transports = [Transport() for _ in range(50)]
        for transport in transports:
            await stack.enter_async_context(stage.broadcaster.join(transport, _never, Wish(0)))
            while "synced" not in transport.seen:
                await quiet()
        assert {transport.frames[0]["mode"] for transport in transports} == {"tail"}
        assert stage.reader.reads <= 3


async def test_what_is_known_is_not_read_again() -> None:
    reader = a_log(100)
    pages = Pages(reader)
    assert await read(pages, 0, 100) == reader.log[:10]
    assert await read(pages, 90, 100, last_first=True) == reader.log[90:]
    assert reader.reads == 2
    for seq, until, ends in ((3, 100, 10), (3, 7, 7), (95, 99, 99)):
        frames = pages.since("s1", seq, until)
        assert frames is not None
        assert [frame.plain[2:] for frame in frames] == reader.log[seq:ends]
    assert pages.since("s1", 10, 100) is None
    assert pages.since("s2", 3, 100) is None


async def test_a_page_that_grew_takes_the_place_of_the_shorter_one() -> None:
    reader = a_log(5)
    pages = Pages(reader)
    assert await read(pages, 0, 5) == reader.log
    reader.log.extend(a_log(8).log[5:])
    assert await read(pages, 5, 8, last_first=True) == reader.log[5:8]
    assert len(pages.since("s1", 0, 8) or ()) == 8


async def test_the_pages_that_nobody_asked_for_give_way() -> None:
    reader = a_log(100, size=872)
    pages = Pages(reader, max_bytes=20 * 1_010)
    for seq in (0, 10):
        await read(pages, seq, 100)
    assert pages.since("s1", 0, 100) is not None
    await read(pages, 20, 100)
    assert pages.since("s1", 0, 100) is not None
    assert pages.since("s1", 10, 100) is None
    await read(pages, 40, 100)
    await read(pages, 60, 100)
    assert pages.since("s1", 0, 100) is None


async def test_what_nobody_asked_for_since_the_last_time_is_dropped() -> None:
    reader = a_log(100)
    pages = Pages(reader)
    for seq in (0, 10):
        await read(pages, seq, 100)
    pages.tidy()
    assert pages.since("s1", 10, 100) is not None  # read since the last time
    pages.tidy()
    assert pages.since("s1", 0, 100) is None
    assert pages.since("s1", 10, 100) is not None
    pages.tidy()
    pages.tidy()
    assert await read(pages, 10, 20) == reader.log[10:20]
    assert reader.reads == 3


@pytest.mark.parametrize("last_first", [True, False])
async def test_what_the_store_lost_is_told(last_first: bool) -> None:
    reader = a_log(5)
    with pytest.raises(LogCut):
        await read(Pages(reader), 5, 9, last_first=last_first)


async def _never(code: int, reason: bytes) -> None:
    raise AssertionError(f"closed with {code}")


async def test_of_an_erased_session_nothing_stays() -> None:
    reader = a_log(30)
    pages = Pages(reader)
    await read(pages, 0, 10)
    await read(pages, 10, 20)
    pages.forget("s1")
    pages.forget("s2")
    assert pages.since("s1", 0, 20) is None
    assert await read(pages, 0, 10) == reader.log[:10]
