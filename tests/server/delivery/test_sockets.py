"""Delivery over real sockets, read by clients that are not ours."""

import asyncio
import json
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType, web
from aiohttp.pytest_plugin import AiohttpClient
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from server.delivery.deflate import DeflatedSocket
from server.delivery.limits import DeliveryLimits
from server.delivery.outlet import outlet_of
from server.delivery.replay import Wish
from server.delivery.viewer import TOO_SLOW
from server.wire import Bye, Pong
from tests.server.delivery.stage import Stage, brief
from tests.server.sessions.house import eventually

GOING = Bye(1012, "Restarting.", retry_after=1)


def an_app(
    stage: Stage,
    max_msg_size: int = 1 << 22,
    sockets: list[web.WebSocketResponse] | None = None,
) -> web.Application:
    async def watch(request: web.Request) -> web.WebSocketResponse:
        ws = DeflatedSocket(compress=False, max_msg_size=max_msg_size)
        await ws.prepare(request)
        if sockets is not None:
            sockets.append(ws)
        outlet = outlet_of(request, DeliveryLimits(send_buffer=16_384))
        wish = Wish(
            int(request.query.get("after", "0")),
            deltas="bot" not in request.query,
            deflated=ws.deflates,
        )
        async with stage.broadcaster.join(outlet, ws.hang_up, wish) as viewer:
            while (message := await viewer.next(ws.receive)) is not None:
                if message.type is not WSMsgType.TEXT:
                    break
                viewer.answer(Pong(message.data, "now"))
        return ws

    app = web.Application()
    app.router.add_get("/", watch)
    return app


class Screen:
    """A client that follows the contract and complains where the server does not."""

    def __init__(self, after: int = 0) -> None:
        self.seq = after
        self.texts: dict[str, str] = {}
        self.words: list[Any] = []

    def apply(self, data: str | bytes) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(data)
        if frame["type"] == "text_delta":
            text = self.texts.get(frame["item"], "")
            assert frame["offset"] == len(text), "a hole or an overlap"
            self.texts[frame["item"]] = text + frame["text"]
        elif "seq" in frame and frame["type"] != "synced":
            assert frame["seq"] == self.seq + 1, "a hole or a repeat"
            self.seq = frame["seq"]
        self.words.append(brief(frame))
        return frame

    async def reach(self, seq: int, ws: ClientWebSocketResponse) -> None:
        while self.seq < seq:
            self.apply(await ws.receive_str())

    async def hear(self, word: str, ws: ClientWebSocketResponse) -> None:
        while not self.words or self.words[-1] != word:
            self.apply(await ws.receive_str())


async def test_viewers_who_come_at_any_moment_end_up_with_the_same(
    aiohttp_client: AiohttpClient,
) -> None:
    stage = Stage(stored=5)
    client = await aiohttp_client(an_app(stage))
    text = stage.broadcaster.open("text", "t1", "i1")
    watching: list[tuple[Screen, asyncio.Task[None]]] = []
    for round_ in range(20):
        text.grow(f"word {round_} ")
        if round_ % 4 == 0:
            stage.publish()
        await stage.frame_time()
        screen = Screen(after=round_ % 3)
        ws = await client.ws_connect(f"/?after={screen.seq}")
        watching.append((screen, asyncio.create_task(screen.reach(11, ws))))
        await stage.frame_time()
    text.grow("the end")
    stage.publish(closes="i1")
    await stage.frame_time()
    for screen, task in watching:
        await task
        assert screen.texts == {"i1": "".join(f"word {n} " for n in range(20)) + "the end"}
        assert screen.words[-2:] == [screen.words[-2], 11]


async def test_a_replay_larger_than_the_ring_with_commits_in_its_midst_has_no_hole(
    aiohttp_client: AiohttpClient,
) -> None:
    stage = Stage(stored=0, ring=20_000)
    for _ in range(300):
        stage.publish(padding=5_000)
    client = await aiohttp_client(an_app(stage))
    ws = await client.ws_connect("/")
    screen = Screen()
    while "synced" not in screen.words:
        screen.apply(await ws.receive_str())
        if screen.seq % 50 == 0:
            stage.publish()
        await stage.clock.pass_by(0.016)
    assert screen.words[-1] == "synced"
    assert screen.words[0] == "hello"
    assert screen.seq > 300
    assert stage.reader.reads > 10
    await ws.close()


async def test_a_replay_goes_on_as_fast_as_it_is_read_while_the_clock_stands_still(
    aiohttp_client: AiohttpClient,
) -> None:
    stage = Stage(ring=20_000)
    for _ in range(300):
        stage.publish(padding=5_000)
    client = await aiohttp_client(an_app(stage))
    ws, screen = await client.ws_connect("/"), Screen()
    await screen.hear("synced", ws)
    assert screen.seq == 300
    await ws.close()


async def test_a_stalled_viewer_is_closed_and_told_while_the_others_go_on(
    aiohttp_client: AiohttpClient,
) -> None:
    stage = Stage(gate=20_000, step=10_000, ring=100_000)
    client = await aiohttp_client(an_app(stage))
    uri = f"ws://127.0.0.1:{client.port}/"
    async with connect(uri, compression=None, max_queue=1, ping_interval=None) as stalled:
        await stalled.recv()
        fast, screen = await client.ws_connect("/"), Screen()
        for seq in range(1, 201):
            stage.publish(padding=20_000)
            await stage.frame_time()
            await screen.reach(seq, fast)
        assert stage.broadcaster.viewers == 2
        await stage.clock.pass_by(11)
        assert stage.broadcaster.viewers == 1
        stage.publish()
        await stage.frame_time()
        await screen.reach(201, fast)
        seen, closed = await everything(stalled)
        assert seen.words[-1] == "bye"
        assert 0 < seen.seq < 200
        assert closed == (4408, TOO_SLOW.reason)


async def everything(connection: ClientConnection) -> tuple[Screen, tuple[int | None, str | None]]:
    """All frames up to the close, and the close's code and reason."""
    screen = Screen()
    try:
        while True:
            screen.apply(await connection.recv())
    except ConnectionClosed:
        return screen, (connection.close_code, connection.close_reason)


async def test_a_client_cut_off_anywhere_comes_back_to_the_same_log(
    aiohttp_client: AiohttpClient,
) -> None:
    stage = Stage()
    client = await aiohttp_client(an_app(stage))
    screen = Screen()
    for cut in range(1, 30):
        ws = await client.ws_connect(f"/?after={screen.seq}")
        screen.texts.clear()
        text = stage.broadcaster.open("text", "t1", f"i{cut}")
        text.grow(f"sentence {cut}")
        stage.publish()
        stage.publish(closes=f"i{cut}")
        stage.publish()
        await stage.frame_time()
        for _ in range(cut % 6):
            screen.apply(await ws.receive_str())
        transport = ws._response.connection and ws._response.connection.transport
        assert transport is not None
        transport.abort()
    ws = await client.ws_connect(f"/?after={screen.seq}")
    await screen.hear("synced", ws)
    assert screen.seq == stage.broadcaster.head
    await ws.close()


async def test_the_goodbye_arrives_before_the_close_with_the_same_code(
    aiohttp_client: AiohttpClient,
) -> None:
    stage = Stage()
    client = await aiohttp_client(an_app(stage))
    async with connect(f"ws://127.0.0.1:{client.port}/", compression=None) as one:
        two = await client.ws_connect("/?bot")
        await two.send_str("never read, perhaps")
        end = asyncio.create_task(stage.broadcaster.end(GOING, 2.0))
        screen, closed = await everything(one)
        assert screen.words == ["hello", "synced", "status", "bye"]
        assert closed == (1012, "Restarting.")
        while (message := await two.receive()).type is WSMsgType.TEXT:
            assert message.data
        assert message.type is WSMsgType.CLOSE
        assert two.close_code == 1012
        await end


async def test_frames_of_aiohttp_and_of_ours_do_not_mix_on_one_socket(
    aiohttp_client: AiohttpClient,
) -> None:
    stage = Stage()
    client = await aiohttp_client(an_app(stage))
    ws, screen = await client.ws_connect("/", autoping=False), Screen()
    text = stage.broadcaster.open("text", "t1", "i1")
    for round_ in range(50):
        text.grow("x" * 1_000)
        await ws.ping(b"p")
        await ws.send_str(f"c{round_}")
        await stage.frame_time()
        while (message := await ws.receive()).type is WSMsgType.TEXT:
            screen.apply(message.data)
        assert message.type is WSMsgType.PONG
    stage.publish(closes="i1")
    await stage.frame_time()
    await screen.reach(1, ws)
    while screen.words.count("pong") < 50:
        await screen.hear("pong", ws)
        screen.words.append("then")
    assert screen.texts["i1"] == "x" * 50_000
    await ws.close()


async def test_a_viewer_that_leaves_is_not_counted_any_more(aiohttp_client: AiohttpClient) -> None:
    stage = Stage()
    client = await aiohttp_client(an_app(stage))
    ws = await client.ws_connect("/")
    await ws.receive_str()
    assert stage.counts == [1]
    await ws.close()
    await eventually(lambda: stage.counts == [1, 0])
