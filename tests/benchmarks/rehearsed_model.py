"""The cheapest model there is: an HTTP server of its own that writes bytes built beforehand."""

import argparse
import asyncio
import time

import msgspec

from tests.model_server.__main__ import words
from tests.model_server.reply import Tokens, chunk

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


def event(data: bytes) -> bytes:
    """One event as one chunk of the transfer encoding."""
    body = b"data: " + data + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(body), body)


def said(text: str) -> bytes:
    return event(msgspec.json.encode(chunk({"content": text})))


def ending() -> bytes:
    usage = {**chunk({}), "choices": [], "usage": Tokens().body()}
    stop, used = msgspec.json.encode(chunk({}, "stop")), msgspec.json.encode(usage)
    return event(stop) + event(used) + event(b"[DONE]") + LAST


class Rehearsed(asyncio.Protocol):
    """One connection: each request gets the same reply, a write for each chunk.

    With `think` seconds it waits before it begins, and its first chunk tells two times in
    monotonic nanoseconds: when the request had arrived, and when that chunk left.
    """

    def __init__(self, chunks: list[bytes], think: float | None) -> None:
        self._chunks = chunks
        self._think = think
        self._ending = ending()
        self._heard = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, found, body = self._heard.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(
            line for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"
        )
        if len(body) >= int(length[15:]):
            self._heard = b""
            arrived = time.monotonic_ns()
            asyncio.get_running_loop().call_later(self._think or 0, self._answer, arrived)

    def _answer(self, arrived: int) -> None:
        write = self._transport.write
        write(HEAD)
        if self._think is not None:
            write(said(f"{arrived} {time.monotonic_ns()} "))
        for data in self._chunks:
            write(data)
        write(self._ending)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=300)
    parser.add_argument("--think-ms", type=float, help="wait, then say when things happened")
    given = parser.parse_args()
    chunks = [said(word) for word in words(given.chunks)]
    think = None if given.think_ms is None else given.think_ms / 1000
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Rehearsed(chunks, think), "127.0.0.1", 0)
    print(
        f"rehearsed model on http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
