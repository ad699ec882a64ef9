"""Frames decode to what went in, by two decoders that are not ours."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest
from aiohttp import WSMsgType
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import WebSocketReader
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol, Side

from server.delivery.frames import WINDOW_BITS, framed, in_writes, joined, text_frame

LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536, 300_000)
Decoder = Callable[[bytes], list[str]]


LAST = "the last of them"


def by_aiohttp(data: bytes) -> list[str]:
    with asyncio.Runner() as runner:
        return runner.run(_read_by_aiohttp(data + text_frame(LAST.encode())))


async def _read_by_aiohttp(data: bytes, *, compress: bool = False) -> list[str]:
    loop = asyncio.get_running_loop()
    queue = WebSocketDataQueue(BaseProtocol(loop), 1 << 24, loop=loop)
    WebSocketReader(queue, 1 << 24, compress=compress, decode_text=True).feed_data(data)
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
    ("sizes", "writes"),
    [
        ((), [0]),
        ((10,), [1]),
        ((50, 50, 50), [2, 1]),
        ((500, 10, 10), [1, 2]),
        ((100, 100), [1, 1]),
    ],
    ids=str,
)
def test_frames_are_grouped_for_writes_of_about_a_budget(
    sizes: tuple[int, ...], writes: list[int]
) -> None:
    frames = [framed(b"x" * (size - 2 if size < 128 else size - 4)) for size in sizes]
    found = list(in_writes(frames, 100))
    assert [len(some) for some in found] == writes
    assert [frame for some in found for frame in some] == frames


@pytest.mark.parametrize(
    ("length", "header"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)], ids=str
)
def test_the_length_takes_the_fewest_bytes(length: int, header: int) -> None:
    assert len(text_frame(b"x" * length)) == header + length


def inflated(data: bytes) -> list[str]:
    """By websockets, which forgets what went before each message."""
    extension = PerMessageDeflate(True, True, WINDOW_BITS, 15)
    protocol = Protocol(Side.CLIENT, state=OPEN, max_size=1 << 24)
    protocol.extensions = [extension]
    protocol.receive_data(data)
    return [_text(frame) for frame in protocol.events_received()]


def inflated_by_aiohttp(data: bytes) -> list[str]:
    with asyncio.Runner() as runner:
        last = text_frame(LAST.encode())
        return runner.run(_read_by_aiohttp(data + last, compress=True))


def deflating_to(size: int) -> str:
    """A text whose deflated payload has exactly `size` bytes: half of it is random."""
    amount = size
    for seed in range(1_000):
        text = Random(seed).randbytes(amount).hex() + "x" * 300
        missing = size - _payload(framed(text.encode()).deflated)
        if not missing:
            return text
        amount = max(1, amount + missing)
    raise AssertionError(f"no text found that deflates to {size} bytes")


@pytest.mark.parametrize("decode", [inflated, inflated_by_aiohttp])
@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536])
def test_a_deflated_message_of_any_length_arrives_whole(decode: Decoder, size: int) -> None:
    text = deflating_to(size)
    frame = framed(text.encode())
    assert frame.deflated[0] == 0xC1
    assert len(frame.deflated) < len(frame.plain)
    assert decode(frame.deflated) == [text]


def _payload(frame: bytes) -> int:
    header = {126: 4, 127: 10}.get(frame[1], 2)
    return len(frame) - header


@pytest.mark.parametrize("decode", [inflated, inflated_by_aiohttp])
@given(
    texts=st.lists(
        st.one_of(st.text(max_size=200), st.sampled_from(("again " * 100, "again " * 50_000)))
    )
)
def test_every_message_stands_for_itself_deflated_or_not(decode: Decoder, texts: list[str]) -> None:
    frames = [framed(text.encode()) for text in texts]
    assert decode(joined(frames, deflated=True)) == texts
    assert decode(joined(frames, deflated=False)) == texts


@pytest.mark.parametrize("size", [1, 250, 300_000])
def test_what_hardly_shrinks_or_is_too_large_goes_as_it_is(size: int) -> None:
    frame = framed(b"x" * size)
    assert frame.deflated == frame.plain


def test_what_does_not_shrink_goes_as_it_is() -> None:
    frame = framed(Random(1).randbytes(300))
    assert frame.deflated == frame.plain


def test_a_message_is_deflated_once() -> None:
    frame = framed(b"x" * 1_000)
    assert frame.deflated is frame.deflated
