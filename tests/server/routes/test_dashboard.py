"""The dashboard: all sessions at once, what changed of them, and nothing of other people's."""

import asyncio
import json
from collections.abc import Callable
from typing import cast

import pytest
from aiohttp.web import WebSocketResponse

from server.goodbyes import GOING_AWAY
from server.keys import ARCHIVE, BOARDS, FLEET, SESSIONS, STORE
from server.routes.dashboard import HEARTBEAT_TICKS, Board
from server.sessions.fleet import TICK, View
from tests.server.routes.doors import Doors, Frame, Socket
from tests.server.sessions.house import eventually


def titles(frame: Frame) -> list[str]:
    return [row["title"] for row in frame["sessions"]]


async def fleet(socket: Socket, awaited: Callable[[Frame], bool]) -> Frame:
    """The next frame of the fleet that tells it; others may come before, on a busy machine."""
    while not awaited(frame := await socket.until("fleet")):
        pass
    return frame


async def test_it_begins_with_all_there_is(guarded: Doors) -> None:
    await guarded.session(title="Mine")
    await guarded.session("bob", title="His")
    async with guarded.socket("dashboard/socket") as mine:
        whole = await mine.until("fleet")
        assert (whole["full"], titles(whole)) == (True, ["Mine"])
        assert whole["totals"]["sessions"] == {
            "live": 0,
            "running": 0,
            "awaiting_approval": 0,
            "stored": 1,
        }
    async with guarded.socket("dashboard/socket", "eve") as all_of_them:
        assert sorted(titles(await all_of_them.until("fleet"))) == ["His", "Mine"]


async def test_figures_of_the_server_are_for_operators_alone(guarded: Doors) -> None:
    session = await guarded.session("bob")
    guarded.app[FLEET].loop_lag_ms = 7.5
    async with guarded.app[SESSIONS].attach(session) as channel:
        guarded.app[FLEET].streamed(channel, 100)
        guarded.app[FLEET]._read_rates()
        rate = channel.tokens_per_second
        found = {}
        for user in ("ada", "bob", "eve"):
            async with guarded.socket("dashboard/socket", user) as socket:
                found[user] = (await socket.until("fleet"))["totals"]
    assert rate > 0
    assert [found[user]["tokens_per_second"] for user in found] == [0, rate, rate]
    assert [found[user]["loop_lag_ms"] for user in found] == [0, 0, 7.5]
    assert [found[user]["memory_mib"] > 0 for user in found] == [False, False, True]


async def test_it_tells_what_is_new_changed_and_gone_but_only_of_ones_own(guarded: Doors) -> None:
    async with (
        guarded.socket("dashboard/socket") as mine,
        guarded.socket("dashboard/socket", "bob") as his,
    ):
        await mine.until("fleet")
        await his.until("fleet")
        session = await guarded.session(title="Mine")
        await fleet(mine, lambda frame: titles(frame) == ["Mine"])
        await guarded.call("PATCH", f"/api/sessions/{session}", {"title": "Renamed"})
        changed = await fleet(mine, lambda frame: titles(frame) == ["Renamed"])
        assert changed["full"] is False
        await guarded.call("DELETE", f"/api/sessions/{session}")
        gone = await fleet(mine, lambda frame: "gone" in frame)
        assert gone["gone"] == [session]
        his_own = await guarded.session("bob", title="His")
        told = await fleet(his, lambda frame: titles(frame) == ["His"])
        assert not told.get("gone")
        assert session not in str(his.seen)
        assert his_own not in str(mine.seen)


async def test_it_is_told_goodbye_when_the_server_goes(guarded: Doors) -> None:
    async with guarded.socket("dashboard/socket") as socket:
        await socket.until("fleet")
        (board,) = guarded.app[BOARDS]
        closing = asyncio.create_task(board.close(GOING_AWAY))
        assert await socket.closed() == 1012
        assert (socket.seen[-1]["type"], socket.seen[-1]["retry_after"]) == ("bye", 1)
        await closing
    await eventually(lambda: not guarded.app[FLEET]._views)
    assert not guarded.app[BOARDS]


async def test_a_mistake_of_ours_cuts_it_and_is_logged(
    guarded: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    async with guarded.socket("dashboard/socket") as socket:
        await socket.until("fleet")
        for view in guarded.app[FLEET]._views:
            view.changed["s_x"] = None  # type: ignore[assignment]
        assert await socket.closed() == 1006
    assert "a dashboard failed" in caplog.text


async def test_a_store_that_cannot_be_read_ends_it_with_a_word(guarded: Doors) -> None:
    guarded.store.counts_are_hidden = True
    async with guarded.socket("dashboard/socket") as socket:
        assert await socket.closed() == 1012
        assert socket.seen[-1]["type"] == "bye"
    guarded.store.counts_are_hidden = False


async def test_what_a_dashboard_says_is_read_and_thrown_away(guarded: Doors) -> None:
    async with guarded.socket("dashboard/socket") as socket:
        await socket.until("fleet")
        await socket.say("shutdown", "c1")
        await socket.ws.send_bytes(b"\xff")
        await guarded.session(title="Still here")
        await fleet(socket, lambda frame: titles(frame) == ["Still here"])


async def test_without_an_upgrade_it_speaks_websocket_only(guarded: Doors) -> None:
    answer = await guarded.call("GET", "/api/dashboard/socket")
    assert answer.error == (426, "upgrade_required")


class Listener:
    """The other end of a dashboard, without a socket; it may be gone."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.closed = False
        self.gone = False
        self.reads = True
        self.cut_off = False
        self.code: int | None = None

    async def send_str(self, text: str) -> None:
        if self.gone:
            raise ConnectionResetError
        if not self.reads:
            await asyncio.Event().wait()
        self.frames.append(json.loads(text))

    async def close(self, *, code: int, message: bytes) -> None:
        self.closed, self.code = True, code

    def hang_up(self) -> None:
        self.cut_off = True


def board(here: Doors, view: View, listener: Listener) -> Board:
    app = here.app
    ws = cast(WebSocketResponse, listener)
    return Board(
        ws,
        view,
        "operator" if view.owner is None else "user",
        app[FLEET],
        app[SESSIONS],
        app[ARCHIVE],
        app[STORE],
        hang_up=listener.hang_up,
        tick=0.0001,
        farewell=0.01,
    )


async def test_it_beats_every_twenty_seconds_when_nothing_changes(guarded: Doors) -> None:
    assert HEARTBEAT_TICKS * TICK == 20
    listener = Listener()
    with guarded.app[FLEET].view("ada") as view:
        here = board(guarded, view, listener)
        showing = asyncio.create_task(here.show())
        await eventually(lambda: len(listener.frames) >= 3)
        here.part(GOING_AWAY)
        await showing
        await here.close(GOING_AWAY)
    kinds = [frame["type"] for frame in listener.frames]
    assert (kinds[:3], kinds[-1]) == (["fleet", "heartbeat", "heartbeat"], "bye")
    assert kinds.count("bye") == 1
    assert listener.code == 1012


async def test_one_that_is_gone_is_shown_nothing_more(guarded: Doors) -> None:
    listener = Listener()
    listener.gone = True
    with guarded.app[FLEET].view("ada") as view:
        await board(guarded, view, listener).show()
    assert (listener.frames, listener.closed) == ([], False)


async def test_one_that_does_not_read_its_goodbye_is_cut_off(guarded: Doors) -> None:
    listener = Listener()
    listener.reads = False
    with guarded.app[FLEET].view("ada") as view:
        async with asyncio.timeout(30):
            await board(guarded, view, listener).close(GOING_AWAY)
    assert (listener.cut_off, listener.closed) == (True, False)


async def test_a_goodbye_to_one_that_has_gone_is_no_mistake(guarded: Doors) -> None:
    listener = Listener()
    listener.gone = True
    with guarded.app[FLEET].view("ada") as view:
        await board(guarded, view, listener).close(GOING_AWAY)
    assert (listener.cut_off, listener.closed) == (False, False)


async def test_a_real_one_that_does_not_read_its_goodbye_is_cut_off(guarded: Doors) -> None:
    async with guarded.socket("dashboard/socket") as socket:
        await socket.until("fleet")
        (here,) = guarded.app[BOARDS]
        here._farewell = 0.01
        # The goodbye goes out, but the answer to the close frame is never sent.
        await here.close(GOING_AWAY)
        await eventually(lambda: not guarded.app[BOARDS])
        assert here._ws.closed


async def test_what_changed_and_looks_the_same_is_not_shown_again(guarded: Doors) -> None:
    session, listener = await guarded.session(), Listener()
    with guarded.app[FLEET].view("ada") as view:
        here = board(guarded, view, listener)
        showing = asyncio.create_task(here.show())
        await eventually(lambda: len(listener.frames) >= 1)
        row = await guarded.store.row(session)
        assert row is not None
        known = len(listener.frames)
        guarded.app[FLEET].created(row)
        await eventually(lambda: len(listener.frames) > known)
        here.part(GOING_AWAY)
        await showing
    assert {frame["type"] for frame in listener.frames[1:]} <= {"heartbeat", "bye"}


async def test_rows_say_what_a_session_is_at(guarded: Doors) -> None:
    session = await guarded.session(title="At work")
    async with guarded.socket(f"sessions/{session}/socket") as viewer:
        await viewer.until("status")
        async with guarded.socket("dashboard/socket") as socket:
            (row,) = (await socket.until("fleet"))["sessions"]
            assert (row["viewers"], row["activity"], row["turn_seconds"]) == (1, None, None)
            assert row["context"]["limit"] > 0
            await viewer.say("user_input", "c1", text="Hello")
            await viewer.until("turn_ended")
            told = await fleet(socket, lambda frame: frame["totals"]["turns_per_minute"] > 0)
            assert told["totals"]["turns_per_minute"] == 1
            assert told["totals"]["sessions"]["live"] == 1
            assert guarded.app[SESSIONS].live_of("ada") == 1
