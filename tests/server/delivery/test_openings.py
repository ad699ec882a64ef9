"""Whoever comes in the middle of long texts is told of them no faster than it reads."""

from tests.server.delivery.stage import Stage, Transport, Watched

OPEN = 21
LONG = "x" * 500
"""Two of them are a write; behind the last one there is room for more."""


def stuck() -> Transport:
    transport = Transport()
    transport.reading = False
    return transport


def open_many(stage: Stage) -> list[str]:
    """As many texts as tools and jobs may have open, each longer than half a write."""
    said = [f"{number} {LONG}" for number in range(OPEN)]
    for number, text in enumerate(said):
        stage.broadcaster.open("text", "t1", f"i{number}").grow(text)
    return said


async def read_on(stage: Stage, watched: Watched, word: object) -> None:
    """Until it has come."""
    while word not in watched.seen:
        watched.transport.take()
        await stage.frame_time()


async def test_who_reads_nothing_is_given_no_more_of_them_than_its_transport_takes() -> None:
    stage = Stage(gate=1_000, step=1_000)
    said = open_many(stage)
    async with stage.joined(stuck()) as slow, stage.joined() as fast:
        assert fast.seen == ["hello", *said, "synced", "status"]
        assert slow.transport.get_write_buffer_size() < 2_500
        assert "synced" not in slow.seen
        await read_on(stage, slow, "status")
        assert slow.seen[: OPEN + 3] == ["hello", *said, "synced", "status"]


async def test_what_closes_and_happens_meanwhile_comes_behind_them_and_nothing_is_left_out() -> (
    None
):
    stage = Stage(gate=1_000, step=1_000)
    said = open_many(stage)
    last = stage.broadcaster.open("text", "t1", "last")
    last.grow("half ")
    async with stage.joined(stuck()) as slow, stage.joined() as fast:
        last.grow("sentence")
        stage.publish(closes="last")
        await stage.frame_time()
        stage.publish()
        await stage.frame_time()
        assert fast.seen[-1] == 2
        await read_on(stage, slow, 2)
        assert slow.seen[: OPEN + 2] == ["hello", *said, "half "]
        behind = [word for word in slow.since_synced() if word != "status"]
        assert behind == ["sentence", 1, 2]


async def overrun(stage: Stage) -> None:
    """More happens than the ring can hold."""
    for _ in range(100):
        stage.publish(padding=100)
        await stage.frame_time()


async def test_who_is_left_behind_by_the_ring_meanwhile_is_served_from_the_store() -> None:
    stage = Stage(gate=1_000, step=1_000, ring=1_000)
    open_many(stage)
    async with stage.joined(stuck()) as slow:
        await overrun(stage)
        await read_on(stage, slow, 100)
        assert stage.reader.reads > 0
        numbers = [word for word in slow.since_synced() if isinstance(word, int)]
        assert numbers == list(range(1, 101))
        stage.publish()
        await read_on(stage, slow, 101)


async def test_who_leaves_while_it_is_served_from_the_store_then_leaves_nothing_behind() -> None:
    stage = Stage(gate=1_000, step=1_000, ring=1_000)
    open_many(stage)
    async with stage.joined(stuck()) as slow:
        await overrun(stage)
        stage.reader.ready.clear()
        await read_on(stage, slow, "synced")
        slow.transport.take()
        await stage.frame_time()
        assert stage.reader.reads > 0
        assert slow.seen[-1] != 100
    writes = slow.transport.writes
    stage.reader.ready.set()
    await stage.clock.pass_by(1)
    assert (stage.broadcaster.viewers, stage.clock.waiting) == (0, 0)
    assert slow.transport.writes == writes


async def test_who_takes_none_of_them_for_10_seconds_is_told_4408() -> None:
    stage = Stage(gate=1_000, step=1_000)
    open_many(stage)
    async with stage.joined(stuck()) as slow:
        await stage.clock.pass_by(11)
        assert slow.seen[-1] == "bye"
        assert slow.closed[0][0] == 4408
