"""The dashboard socket: the whole fleet, live."""

import asyncio
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.client import WITHIN
from tests.connection import check_session
from tests.model_server import Gate, Reply
from tests.oracle import TIME, Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, bash, calls
from tests.stories.test_tokens import bearer, create, known, tokened

ROW = {"activity", "turn_seconds", "tokens_per_second", "context", "viewers"}
TOTALS = {
    "sessions",
    "viewers",
    "tokens_per_second",
    "turns_per_minute",
    "errors_per_minute",
    "cost_usd_today",
    "loop_lag_ms",
    "memory_mib",
}


class Dashboard:
    """Applies the frames of one dashboard socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.rows: dict[str, Frame] = {}
        self.totals: Frame = {}
        self.frames: list[Frame] = []

    async def take(self) -> Frame:
        frame: Frame = json.loads(await self.socket.recv())
        self.frames.append(frame)
        if frame["type"] == "fleet":
            assert frame["full"] is (len(self.frames) == 1)
            if "at" in frame or frame["full"]:
                assert TIME.fullmatch(frame["at"])
            for row in frame["sessions"]:
                check_session(row)
                assert row.keys() >= ROW
                assert row["context"].keys() >= {"used", "limit"}
                self.rows[row["id"]] = row
            for gone in frame.get("gone", []):
                self.rows.pop(gone)
            assert frame["totals"].keys() >= TOTALS
            live = {"live", "running", "awaiting_approval", "stored"}
            assert frame["totals"]["sessions"].keys() >= live
            self.totals = frame["totals"]
        else:
            assert frame["type"] == "heartbeat"
        return frame

    async def until(self, session: str, **fields: Any) -> Frame:
        async with asyncio.timeout(WITHIN):
            while True:
                row = self.rows.get(session)
                if row and all(row[key] == value for key, value in fields.items()):
                    return row
                await self.take()

    async def total(self, **fields: int) -> None:
        async with asyncio.timeout(WITHIN):
            while not fields.items() <= self.totals["sessions"].items():
                await self.take()

    async def gone(self, session: str) -> None:
        async with asyncio.timeout(WITHIN):
            while session in self.rows:
                await self.take()


def dashboard(story: Story, headers: dict[str, str] | None = None) -> connect:
    uri = f"ws{story.server.url[4:]}/api/dashboard/socket"
    return connect(
        uri,
        additional_headers=headers or {},
        proxy=None,
        max_size=None,
        open_timeout=WITHIN,
        ping_interval=None,
    )


async def test_the_first_frame_is_the_whole_fleet(story: Story) -> None:
    session = await story.api.session(title="On the dashboard")
    async with dashboard(story) as socket:
        fleet = await Dashboard(socket).take()
    assert fleet["type"] == "fleet"
    assert fleet["full"] is True
    (row,) = fleet["sessions"]
    stored = await story.api.look(session)
    assert {key: row[key] for key in stored} == stored
    assert row["viewers"] == 0
    assert fleet["totals"]["sessions"]["stored"] == 1
    assert fleet["totals"]["sessions"]["running"] == 0


async def test_changes_follow_and_only_those(story: Story) -> None:
    session, viewer = await story.begin()
    other = await story.api.session()
    async with dashboard(story) as socket:
        board = Dashboard(socket)
        await board.take()
        await board.until(session, viewers=1)
        known_frames = len(board.frames)
        gate = Gate()
        story.model.play(Reply(text="Working on it.", hold={1: gate}))
        await viewer.say("Go")
        row = await board.until(session, state="running", activity="model")
        assert row["turn_seconds"] >= 0
        await board.total(running=1)
        story.model.play(calls(bash("please-ask")))
        gate.set()
        await board.until(session, state="idle")
        await viewer.say("Ask")
        await board.until(session, state="awaiting_approval", pending_approvals=1)
        await board.total(awaiting_approval=1)
        await viewer.accepted("interrupt")
        await board.until(session, state="idle", pending_approvals=0)
        later = board.frames[known_frames:]
        changed = {row["id"] for frame in later for row in frame["sessions"]}
        assert other not in changed


async def test_new_and_deleted_sessions_appear_and_go(story: Story) -> None:
    async with dashboard(story) as socket:
        board = Dashboard(socket)
        await board.take()
        session = await story.api.session()
        await board.until(session, state="idle")
        await board.total(stored=1)
        await story.api.good("DELETE", f"/api/sessions/{session}")
        await board.gone(session)
        await board.total(stored=0)
        assert any(session in frame.get("gone", []) for frame in board.frames)


async def test_changes_come_at_most_twice_a_second_and_nothing_without_a_change(
    story: Story,
) -> None:
    session, viewer = await story.begin()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with dashboard(story) as socket:
        board = Dashboard(socket)
        await board.take()
        story.model.default = Reply(text="word " * 50)
        for number in range(25):
            await story.turn(viewer, f"Turn {number}")
        row = await story.api.look(session)
        await board.until(session, head=row["head"], state="idle")
        took = loop.time() - begun
        assert len(board.frames) - 1 <= took / 0.5 + 2


async def test_users_see_their_own_sessions_and_operators_all(alone: NewStory) -> None:
    story, ada, bob = await tokened(alone)
    root = await create(story.server, "root", "--role", "operator")
    mine = await story.api.session()
    await known(await story.connect(bearer(root)))
    seen = {}
    for token in (ada, bob, root):
        async with dashboard(story, bearer(token)) as socket:
            fleet = await Dashboard(socket).take()
            seen[token] = [row["id"] for row in fleet["sessions"]]
    assert seen == {ada: [mine], bob: [], root: [mine]}
