"""Frames decode to what went in, by two decoders that are not ours."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import WSMsgType
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import WebSocketReader
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol, Side

from server.delivery.frames import text_frame

LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536, 300_000)
Decoder = Callable[[bytes], list[str]]


LAST = "the last of them"


def by_aiohttp(data: bytes) -> list[str]:
    with asyncio.Runner() as runner:
        return runner.run(_read_by_aiohttp(data + text_frame(LAST.encode())))


async def _read_by_aiohttp(data: bytes) -> list[str]:
    loop = asyncio.get_running_loop()
    queue = WebSocketDataQueue(BaseProtocol(loop), 1 << 24, loop=loop)
    WebSocketReader(queue, 1 << 24, compress=False, decode_text=True).feed_data(data)
    texts: list[str] = []
    while (message := await queue.read()).data != LAST:
        assert message.type is WSMsgType.TEXT
        texts.append(message.data)
    return texts


def by_websockets(data: bytes) -> list[str]:
    protocol = Protocol(Side.CLIENT, state=OPEN, max_size=1 << 24)
    protocol.receive_data(data)
    return [_text(frame) for frame in protocol.events_received()]


def _text(frame: object) -> str:
    assert isinstance(frame, Frame)
    assert frame.opcode is Opcode.TEXT
    assert frame.fin
    return bytes(frame.data).decode()


@pytest.mark.parametrize("decode", [by_aiohttp, by_websockets])
@pytest.mark.parametrize("length", LENGTHS)
def test_a_text_of_any_length_arrives_whole(decode: Decoder, length: int) -> None:
    text = "x" * length
    assert decode(text_frame(text.encode())) == [text]


@pytest.mark.parametrize("decode", [by_aiohttp, by_websockets])
@given(texts=st.lists(st.text(max_size=200)))
def test_joined_frames_are_as_many_messages(decode: Decoder, texts: list[str]) -> None:
    assert decode(b"".join(text_frame(text.encode()) for text in texts)) == texts


@pytest.mark.parametrize(
    ("length", "header"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)], ids=str
)
def test_the_length_takes_the_fewest_bytes(length: int, header: int) -> None:
    assert len(text_frame(b"x" * length)) == header + length
