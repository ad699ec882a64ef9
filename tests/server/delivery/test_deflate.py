"""What is agreed on permessage-deflate, and that both sides keep to it on real sockets."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import ClientWSTimeout, WSMsgType, web
from aiohttp.pytest_plugin import AiohttpClient
from aiohttp.test_utils import TestClient
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from server.delivery.deflate import AGREED, agreed
from server.wire import Bye
from tests.server.delivery.stage import Stage
from tests.server.delivery.test_sockets import Screen, an_app

Client = TestClient[web.Request, web.Application]
Hear = Callable[[], Awaitable[str | bytes]]
LARGEST = 1 << 20


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        ([], None),
        (["permessage-deflate"], AGREED),
        (["permessage-deflate; client_max_window_bits"], AGREED),
        (["permessage-deflate; client_max_window_bits=12"], AGREED),
        (["permessage-deflate;server_no_context_takeover;client_no_context_takeover"], AGREED),
        (
            ["permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"],
            f"{AGREED}; server_max_window_bits=12",
        ),
        (
            ['permessage-deflate; server_max_window_bits="15"'],
            f"{AGREED}; server_max_window_bits=12",
        ),
        (["permessage-deflate; server_max_window_bits=11, permessage-deflate"], AGREED),
        (["permessage-deflate; server_max_window_bits=11"], None),
        (["permessage-deflate; server_max_window_bits"], None),
        (["permessage-deflate; client_max_window_bits=7"], None),
        (["permessage-deflate; client_max_window_bits; client_max_window_bits"], None),
        (["permessage-deflate; server_no_context_takeover=1"], None),
        (["permessage-deflate; shrink"], None),
        (["x-webkit-deflate-frame"], None),
        (["x-webkit-deflate-frame", "permessage-deflate"], AGREED),
        (["x," * 1_000 + "permessage-deflate"], None),
    ],
)
def test_the_first_offer_that_can_be_met_is(offers: list[str], answer: str | None) -> None:
    assert agreed(offers) == answer


@asynccontextmanager
async def clients(client: Client) -> AsyncIterator[list[Hear]]:
    """Two libraries, with and without compression, and with windows of either size."""
    url, wide = f"ws://127.0.0.1:{client.port}/", ClientPerMessageDeflateFactory
    async with (
        client.ws_connect("/", compress=0) as plain,
        client.ws_connect("/", compress=15) as deflated,
        connect(url, compression=None) as other_plain,
        connect(url, compression="deflate") as narrow_window,
        connect(url, compression=None, extensions=[wide(server_max_window_bits=15)]) as other,
    ):
        assert (plain.compress, deflated.compress) == (0, 15)
        yield [
            plain.receive_str,
            deflated.receive_str,
            other_plain.recv,
            narrow_window.recv,
            other.recv,
        ]


async def test_any_mix_of_batches_arrives_at_every_client_with_and_without_compression(
    aiohttp_client: AiohttpClient,
) -> None:
    stage, dice = Stage(), random.Random(7)
    client = await aiohttp_client(an_app(stage))
    async with clients(client) as hearing:
        watching = [(hear, Screen()) for hear in hearing]
        said = await _show_a_mix(stage, dice, watching)
    for _, screen in watching:
        assert screen.texts == {"i1": said}
        assert screen.seq == stage.broadcaster.head


async def _show_a_mix(
    stage: Stage, dice: random.Random, watching: list[tuple[Hear, Screen]]
) -> str:
    said = ""
    text = stage.broadcaster.open("text", "t1", "i1")
    for _ in range(100):
        for _ in range(dice.randrange(4)):
            stage.publish(padding=dice.choice((0, 100, 300, 5_000, 70_000)))
        words = "".join(dice.choices("abcdefgh é", k=dice.choice((1, 200, 3_000))))
        said += words
        text.grow(words)
        heard = asyncio.gather(*(_hear_all(hear, screen, len(said)) for hear, screen in watching))
        while not heard.done():
            await stage.frame_time()
        await heard
    return said


async def _hear_all(hear: Hear, screen: Screen, length: int) -> None:
    while len(screen.texts.get("i1", "")) < length:
        screen.apply(await hear())


async def test_a_replay_and_an_open_text_come_deflated_too(aiohttp_client: AiohttpClient) -> None:
    stage = Stage(ring=1_000)
    for _ in range(50):
        stage.publish(padding=2_000)
    stage.broadcaster.open("text", "t1", "i1").grow("word " * 10_000)
    client = await aiohttp_client(an_app(stage))
    for compress in (0, 15):
        ws, screen = await client.ws_connect("/", compress=compress), Screen()
        await screen.hear("synced", ws)
        assert screen.seq == 50
        assert screen.texts == {"i1": "word " * 10_000}
        await ws.close()


async def test_what_a_client_sends_deflated_is_understood_and_its_answer_too(
    aiohttp_client: AiohttpClient,
) -> None:
    client = await aiohttp_client(an_app(Stage()))
    ws, screen = await client.ws_connect("/", compress=15), Screen()
    async with connect(f"ws://127.0.0.1:{client.port}/") as other:
        for size in (1, 125, 126, 5_000, 65_535, 65_536):
            await ws.send_str("a" * size)
            await screen.hear("pong", ws)
            screen.words.append("then")
            await other.send("b" * size)
            while '"pong"' not in (heard := str(await other.recv())):
                pass
            assert "b" * size in heard
    await ws.close()


async def test_a_message_that_inflates_beyond_the_limit_is_refused_as_too_big(
    aiohttp_client: AiohttpClient,
) -> None:
    client = await aiohttp_client(an_app(Stage(), max_msg_size=LARGEST))
    ws = await client.ws_connect("/", compress=15, timeout=ClientWSTimeout(ws_close=10.0))
    await ws.send_str("a" * 16 * LARGEST)
    while (await ws.receive()).type is WSMsgType.TEXT:
        pass
    assert ws.close_code == 1009
    async with connect(f"ws://127.0.0.1:{client.port}/") as other:
        await other.send("b" * 16 * LARGEST)
        with suppress(ConnectionClosedError):
            async for _ in other:
                pass
        assert other.close_code == 1009


async def test_the_goodbye_is_heard_by_clients_that_agreed_on_compression(
    aiohttp_client: AiohttpClient,
) -> None:
    stage = Stage()
    client = await aiohttp_client(an_app(stage))
    ws, screen = await client.ws_connect("/", compress=15), Screen()
    await screen.hear("status", ws)
    end = asyncio.create_task(stage.broadcaster.end(Bye(1012, "w" * 400), 2.0))
    await screen.hear("bye", ws)
    assert (await ws.receive()).type is WSMsgType.CLOSE
    assert ws.close_code == 1012
    await end


async def test_the_server_has_no_compressor_that_could_write_between(
    aiohttp_client: AiohttpClient,
) -> None:
    sockets: list[web.WebSocketResponse] = []
    app = an_app(Stage(), sockets=sockets)
    client = await aiohttp_client(app)
    ws = await client.ws_connect("/", compress=15, autoping=False)
    await ws.receive_str()
    await sockets[0].send_str("w" * 5_000)  # what nobody does: it goes out as it is
    while (await ws.receive()).data != "w" * 5_000:
        pass
    await ws.close()
