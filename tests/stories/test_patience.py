"""What takes its time: heartbeats on quiet sockets, and the end of a viewer that does not read."""

import asyncio
import json
import socket
from contextlib import suppress
from datetime import datetime

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.client import WITHIN, Viewer
from tests.model_server import Reply
from tests.oracle import Frame
from tests.stories.scene import Story
from tests.stories.test_dashboard import Dashboard, dashboard

HEARTBEAT = 20.0
TOO_SLOW = 10.0


@pytest.mark.slow
async def test_quiet_sockets_have_a_heartbeat_every_20_seconds(story: Story) -> None:
    """By the server's own times: a test that is slow itself takes them up late."""
    session, viewer = await story.begin()
    async with dashboard(story) as door:
        board = Dashboard(door)
        await board.take()
        await board.until(session, viewers=1)
        beat, frame = await asyncio.gather(
            viewer.live("heartbeat", within=HEARTBEAT + WITHIN),
            asyncio.wait_for(_heartbeat(board), HEARTBEAT + WITHIN),
        )
    assert beat == {"type": "heartbeat", "head": viewer.log.last, "at": beat["at"]}
    assert between(viewer.events[0], beat) > HEARTBEAT / 2
    assert between(board.frames[0], frame) > HEARTBEAT / 2


async def _heartbeat(board: Dashboard) -> Frame:
    while (frame := await board.take())["type"] != "heartbeat":
        pass
    return frame


def between(first: Frame, second: Frame) -> float:
    """Seconds."""
    begun, ended = (datetime.fromisoformat(frame["at"]) for frame in (first, second))
    return (ended - begun).total_seconds()


@pytest.mark.slow
async def test_a_viewer_that_does_not_read_is_closed_and_nobody_else_notices(
    story: Story,
) -> None:
    session, steady = await story.begin()
    alone = await flooded(story, (await story.begin())[1])
    async with deaf(story, session) as sleeper:
        await steady.status_is(viewers=2)
        beside = await flooded(story, steady)
        assert beside < 3 * alone + TOO_SLOW / 2
        await steady.status_is(viewers=1, within=TOO_SLOW + WITHIN)
        frames = []
        with suppress(ConnectionClosed):
            while True:
                frames.append(json.loads(await sleeper.recv()))
    assert sleeper.close_code in (4408, 1006)
    if sleeper.close_code == 4408:
        assert (frames[-1]["type"], frames[-1]["code"]) == ("bye", 4408)
    back = await story.join(session, after=1)
    assert back.events == steady.events[1:]


async def flooded(story: Story, steady: Viewer) -> float:
    """How long a turn took that says more than a ring holds."""
    steady.connection.lagged = True  # it may be passed over by the machine, not by the server
    flood = "".join(f"a line of output, number {number}\n" for number in range(45_000))
    begun = asyncio.get_running_loop().time()
    await story.turn(steady, "Flood", Reply(text=flood, chunk_size=65_536))
    assert steady.of("assistant_message")[-1]["text"] == flood
    return asyncio.get_running_loop().time() - begun


def deaf(story: Story, session: str) -> connect:
    """A viewer with small buffers that reads nothing."""
    host, port = story.server.url.removeprefix("http://").split(":")
    pipe = socket.socket()
    pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    pipe.connect((host, int(port)))
    uri = f"ws{story.server.url[4:]}/api/sessions/{session}/socket"
    return connect(
        uri,
        sock=pipe,
        max_queue=1,
        max_size=None,
        open_timeout=WITHIN,
        ping_interval=None,
        proxy=None,
    )
