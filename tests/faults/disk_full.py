"""An agent fills the disk that the server writes to: its turn ends, and a delete makes room."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from tests.client import Viewer
from tests.faults.disk_small import SmallDisk, small_disk
from tests.faults.report import Report
from tests.faults.scene import ROOMY, exported
from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.serving import Server
from tests.stories.conftest import overlay
from tests.stories.scene import Story, StoryModel, bash, calls, form

MIB = 1024 * 1024
DISK_MIB = 64
WITHIN = 60.0
BURST = "while :; do split -a 6 -b {size} /dev/zero f$((n+=1)) 2>/dev/null; done"
"""Thousands of files a second, and never minds that one cannot be written: only the server ends
it, and its look at the disk comes too late."""
LONG = 60_000
INPUTS = 80


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again, which is all that a client can do."""
    async with asyncio.timeout(WITHIN):
        while not await found():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


class FullDisk:
    """One server on a small disk, a session that fills it, and another that wants to go on."""

    def __init__(self, story: Story, disk: SmallDisk, report: Report) -> None:
        self.story = story
        self.disk = disk
        self.report = report
        self.hog = ""
        self.other = ""
        self.hogs: list[Viewer] = []
        self.sent: list[str] = []
        self.accepted: dict[str, int] = {}

    async def begin(self) -> Viewer:
        """The other session's turn runs from before until after."""
        self.hog, first = await self.story.begin(title="The hog")
        self.hogs = [first, await self.story.join(self.hog)]
        self.other, viewer = await self.story.begin(title="The other")
        return viewer

    async def fill(self, size: int) -> None:
        """By a burst of files, and what that left from outside."""
        self.report.tried["disks filled by a burst of files"] += 1
        burst = calls(bash(BURST.format(size=size)), text="I fill it.")
        self.story.model.play(burst, Reply(text="It is full."))
        await self.hogs[0].say("Fill it")
        ended = await self.hogs[0].until("turn_ended", within=WITHIN)
        assert ended["status"] == "completed", ended
        (output,) = self.hogs[0].of("tool_output")
        assert output["status"] == "error", output
        assert "disk" in output["output"], output
        self.leave_nothing()

    def leave_nothing(self) -> None:
        """Not a page is left."""
        with (self.disk.seen / "filler").open("wb", buffering=0) as file:
            while self.disk.free:
                file.write(bytes(min(self.disk.free, MIB)))

    def make_room(self) -> None:
        (self.disk.seen / "filler").unlink()

    async def nothing_new(self) -> None:
        """What would grow is refused, and says so without a path of the server."""
        await until(self.warns)
        idle = await self.story.api.call("POST", "/api/sessions", {})
        assert (idle.status, idle.code) == (507, "disk_full"), idle
        path = f"/api/sessions/{self.other}/files"
        upload = await self.story.api.call("POST", path, data=form("a", b"x" * MIB))
        assert (upload.status, upload.code) == (507, "no_room"), upload
        said = await self.hogs[1].refused("user_input", text="More")
        assert said["code"] == "unavailable", said
        ready = await self.story.api.get("/readyz")
        assert ready.status == 200, ready
        assert ready.json["warnings"], ready
        for told in (idle.body, upload.body, str(said).encode(), ready.body):
            assert str(self.disk.path).encode() not in told, told

    async def queue_until_nothing_fits(self, viewer: Viewer) -> None:
        """A turn that runs takes input as long as there is any room at all."""
        for number in range(INPUTS):
            name = f"long-{number}"
            answer = await viewer.ask(self.frame(name), within=WITHIN)
            self.sent.append(name)
            if answer["type"] == "accepted":
                self.accepted[name] = answer["seq"]
            else:
                assert answer["code"] == "unavailable", answer
                assert str(self.disk.path) not in answer["message"], answer
        self.report.tried["inputs on a full disk"] += INPUTS

    def frame(self, name: str) -> Frame:
        return {"type": "user_input", "id": name, "text": f"{name} " + "x" * LONG}

    async def delete(self) -> None:
        """All that was freed, is free: the rest of the disk was the session's."""
        self.make_room()
        gone = await self.story.api.call("DELETE", f"/api/sessions/{self.hog}")
        assert gone.status == 204, gone
        for viewer in self.hogs:
            assert await viewer.closed() == 4404
        await until(self.is_roomy)

    async def warns(self) -> bool:
        """Ready all the same."""
        ready = await self.story.api.get("/readyz")
        assert ready.status == 200, ready
        return bool(ready.json["warnings"])

    async def is_roomy(self) -> bool:
        """Ready again, and without a warning."""
        ready = await self.story.api.get("/readyz")
        return ready.status == 200 and not ready.json["warnings"]

    async def told_of_its_ballast(self) -> bool:
        """It was dropped; a thread writes what is logged."""
        return "the ballast" in self.story.server.stderr

    async def judge(self, session: str, *viewers: Viewer) -> list[Frame]:
        """What viewers have is the log, whole."""
        stored = await self.story.api.events(session)
        self.report.log(stored)
        for viewer in viewers:
            while viewer.log.last < len(stored):
                await viewer.more()
            self.report.seen(viewer.events, stored, whole=True)
        assert len((await exported(self.story.api, session)).splitlines()) == len(stored)
        return stored


async def fill_disk(folder: Path, model: StoryModel, chance: random.Random, report: Report) -> None:
    """Raises NoSmallDisk where nobody may make one."""
    with small_disk(folder, DISK_MIB) as disk:
        config = overlay({"limits": ROOMY})
        data = disk.path / "data"
        async with (
            Server(folder, model.url, config=config, data=data, prefix=disk.prefix) as server,
            AsyncExitStack() as stack,
        ):
            story = Story(server, model, stack)
            await story.connect()
            await _play(FullDisk(story, disk, report), chance)


async def _play(full: FullDisk, chance: random.Random) -> None:
    story = full.story
    story.model.fresh()
    viewer = await full.begin()
    await full.fill(chance.choice((4_096, 65_536, 262_144)))
    await full.nothing_new()
    await full.judge(full.hog, *full.hogs)
    if chance.random() < 0.5:
        full.report.tried["kill -9 on a full disk"] += 1
        await story.restart()
        full.hogs = [await story.join(full.hog, log=viewer.log) for viewer in full.hogs]
        viewer = await story.join(full.other, log=viewer.log)
        await full.nothing_new()
        await full.judge(full.hog, *full.hogs)
    await full.delete()
    await _use_up(full, viewer)
    await _go_on(full, viewer)


async def _use_up(full: FullDisk, viewer: Viewer) -> None:
    """A turn runs, takes input and is told no only when there is no room at all any more."""
    gate = Gate()
    full.story.model.play(Reply(text="I take my time.", chunk_size=3, hold={2: gate}))
    await viewer.say("Begin")
    await gate.reached.wait()
    full.leave_nothing()
    await full.queue_until_nothing_fits(viewer)
    await until(full.told_of_its_ballast)
    assert 0 < len(full.accepted) < INPUTS, len(full.accepted)
    full.make_room()
    gate.set()
    await viewer.until("turn_ended", within=WITHIN)


async def _go_on(full: FullDisk, viewer: Viewer) -> None:
    """There is room again: what was accepted is there, once, and what was not can be said."""
    await until(full.is_roomy)
    for name in full.sent:
        if name not in full.accepted:
            answer = await viewer.ask(full.frame(name), within=WITHIN)
            assert answer["type"] == "accepted", answer
            full.accepted[name] = answer["seq"]
    await viewer.ask({"type": "interrupt", "id": "the-end", "queue": "drop"})
    await viewer.status_is(state="idle", within=WITHIN)
    stored = await full.judge(full.other, viewer)
    full.report.submissions(stored, full.sent, full.accepted)
    session, fresh = await full.story.begin(title="Another")
    ended = await full.story.turn(fresh, "Still there?", Reply(text="Yes."))
    assert ended["status"] == "completed", ended
    await full.judge(session, fresh)
