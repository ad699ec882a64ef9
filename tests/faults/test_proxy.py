"""The proxy breaks a line where and when it is told to, and no sooner."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.faults.proxy import Line, Proxy, Way

WORDS = bytes(range(256)) * 200


@asynccontextmanager
async def echo() -> AsyncIterator[str]:
    """A server that sends back what it gets."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def spoken(proxy: Proxy, said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = proxy.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(said)
    return reader, writer


async def heard(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the line is lost."""
    whole = b""
    with suppress(ConnectionError):
        while data := await reader.read(4096):
            whole += data
    return whole


@pytest.mark.parametrize("cut", [1, 255, 4_096, 20_000])
@pytest.mark.parametrize("upwards", [True, False])
async def test_a_cut_lets_just_so_many_bytes_through(cut: int, upwards: bool) -> None:
    way = Way(cut)
    async with echo() as url, Proxy(url, lambda: Line(way) if upwards else Line(None, way)) as p:
        reader, writer = await spoken(p, WORDS)
        got = await heard(reader)
        writer.close()
    assert way.passed == cut
    assert way.was_cut
    assert WORDS.startswith(got)
    assert len(got) <= cut


async def test_a_line_without_trouble_carries_everything_both_ways() -> None:
    async with echo() as url, Proxy(url, lambda: Line(Way(delay=0.001))) as proxy:
        reader, writer = await spoken(proxy, WORDS)
        assert await reader.readexactly(len(WORDS)) == WORDS
        writer.close()


async def test_a_stalled_line_goes_on_where_it_stood() -> None:
    async with echo() as url, Proxy(url) as proxy:
        reader, writer = await spoken(proxy, b"one")
        assert await reader.readexactly(3) == b"one"
        proxy.newest.down.flows.clear()
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)
        proxy.newest.down.flows.set()
        assert await reader.readexactly(3) == b"two"
        writer.close()


async def test_a_swallowed_word_never_arrives_and_the_line_stays() -> None:
    async with echo() as url, Proxy(url) as proxy:
        reader, writer = await spoken(proxy, b"one")
        assert await reader.readexactly(3) == b"one"
        proxy.newest.up.swallows = True
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)
        proxy.newest.severed.set()
        assert await heard(reader) == b""
        writer.close()


async def test_a_server_that_is_gone_is_a_lost_line() -> None:
    async with echo() as url:
        pass
    async with Proxy(url) as proxy:
        reader, writer = await spoken(proxy, b"one")
        assert await heard(reader) == b""
        writer.close()
