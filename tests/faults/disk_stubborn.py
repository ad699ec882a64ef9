"""A real server whose disk stands still, takes nothing any more or is read-only, and then does."""

import asyncio
import random
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path

from server.store.sqlite import DATABASE
from tests.client import Viewer, new_id
from tests.faults.disk_full import WITHIN, until
from tests.faults.disk_small import small_disk
from tests.faults.report import Report
from tests.faults.scene import same_in_the_end
from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.serving import Server
from tests.stories.scene import Story, StoryModel

DISK_MIB = 64
WORDS = 8
TRIES = 50


async def stand_still(story: Story, chance: random.Random, report: Report) -> None:
    """Somebody keeps the database: no commit goes on, a reply that streams elsewhere does."""
    report.tried["real disks that stood still"] += 1
    story.model.fresh()
    (_, viewer), (_, elsewhere) = await story.begin(), await story.begin()
    gates = [Gate() for _ in range(1, chance.randrange(2, WORDS))]
    story.model.play(Reply(text="wordy! " * WORDS, chunk_size=7, hold=dict(enumerate(gates, 1))))
    await elsewhere.say("Speak")
    await elsewhere.shows("wordy! ")
    path = story.server.data / DATABASE
    with closing(sqlite3.connect(path, timeout=WITHIN, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        frame: Frame = {"type": "user_input", "id": new_id(), "text": "Hello"}
        future = await viewer.send(frame)
        for number, gate in enumerate(gates, 1):
            gate.set()
            await elsewhere.shows("wordy! " * (number + 1))
        assert (await story.api.get(f"/api/sessions/{viewer.session}/events")).status == 200
        assert viewer.kinds() == ["session_created"], viewer.kinds()
        other.execute("ROLLBACK")
    first = await viewer.answer(future)
    accepted = first if first["type"] == "accepted" else await _accepted(viewer, frame)
    for each in (viewer, elsewhere):
        await each.until("turn_ended")
        await same_in_the_end(story, each, report)
    report.submissions(viewer.events, [frame["id"]], {frame["id"]: accepted["seq"]})


@contextmanager
def refusing(pid: int) -> Iterator[None]:
    """Not a byte of any file can be written by a process: the kernel refuses, as a dying disk does.

    A disk that is in use cannot be made read-only from outside.
    """
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


async def refuse_writes(story: Story, chance: random.Random, report: Report) -> None:
    """In the middle of a turn: nothing is shown that is not kept, and all goes on afterwards."""
    report.tried["disks that refused every write"] += 1
    story.model.fresh()
    (_, viewer), (session, idle) = await story.begin(), await story.begin()
    place = chance.randrange(1, WORDS)
    story.model.play(Reply(text="wordy! " * WORDS, chunk_size=7, hold={place: (gate := Gate())}))
    await viewer.say("Speak")
    await gate.reached.wait()
    frame: Frame = {"type": "user_input", "id": new_id(), "text": "And you?"}
    with refusing(story.server.pid):
        gate.set()
        assert (await idle.ask(frame))["code"] == "unavailable"
        body = {**frame, "id": new_id()}
        assert (await story.api.submit(session, body)).status == 503
        ready = await story.api.get("/readyz")
        assert (ready.status, bool(ready.json["reasons"])) == (503, True), ready
        assert str(story.server.data).encode() not in ready.body, ready
        assert (await story.api.get("/healthz")).status == 200
        assert [e["type"] for e in await story.api.events(session)] == ["session_created"]
        assert "turn_ended" not in viewer.kinds(), viewer.kinds()

    async def is_ready() -> bool:
        return (await story.api.get("/readyz")).status == 200

    await until(is_ready)
    ended = await viewer.until("turn_ended", within=WITHIN)
    assert ended["status"] in ("completed", "failed"), ended
    accepted = await _accepted(idle, frame)
    await idle.until("turn_ended", status="completed")
    for each in (viewer, idle):
        await same_in_the_end(story, each, report)
        assert (await story.turn(each, "Still there?"))["status"] == "completed"
    report.submissions(idle.events, [frame["id"]], {frame["id"]: accepted["seq"]})


async def start_read_only(
    folder: Path, model: StoryModel, chance: random.Random, report: Report
) -> None:
    """A server that died says so and ends where it may only read; later it has lost nothing.

    Raises NoSmallDisk where nobody may make one.
    """
    folder.mkdir(exist_ok=True)
    with small_disk(folder, DISK_MIB) as disk:
        report.tried["starts on a read-only disk"] += 1
        server = Server(folder, model.url, data=disk.path / "data", prefix=disk.prefix)
        async with server, AsyncExitStack() as stack:
            story = Story(server, model, stack)
            await story.connect()
            model.fresh()
            session, viewer = await story.begin()
            model.play(Reply(text="Well, so", chunk_size=2, hold={3: (gate := Gate())}))
            await viewer.say("Speak")
            await gate.reached.wait()
            await server.kill9()
            model.fresh()
            disk.remount("ro")
            await _refused(server)
            disk.remount("rw")
            await story.restart()
            back = await story.join(session, log=viewer.log)
            assert (await story.turn(back, "Still there?"))["status"] == "completed"
            await same_in_the_end(story, back, report)


async def _refused(server: Server) -> None:
    """It says in a line what is wrong, and does not begin."""
    before = server.stderr
    try:
        await server.start()
    except AssertionError:
        pass
    else:
        raise AssertionError("it serves where it cannot write")
    said = server.stderr.removeprefix(before)
    assert server.status in (1, 2), (server.status, said)
    assert "Traceback" not in said, said
    assert str(server.data) in said, said


async def _accepted(viewer: Viewer, frame: Frame) -> Frame:
    """Under the same id until it is accepted; nothing else is refused with."""
    for _ in range(TRIES):
        answer = await viewer.ask(frame)
        if answer["type"] == "accepted":
            return answer
        assert answer["code"] == "unavailable", answer
        await asyncio.sleep(answer.get("retry_after") or 0.05)
    raise AssertionError(f"{frame} was refused {TRIES} times")
