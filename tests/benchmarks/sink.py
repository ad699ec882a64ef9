"""A load generator's readers: many sockets whose bytes are counted and thrown away."""

import selectors
import socket
import sys
from urllib.parse import urlsplit

from tests.benchmarks.native import built

RECEIVED = 256 * 1024
QUIET = 0.7
"""Seconds without a byte after which nothing more is on its way."""


def asked(url: str, extensions: str) -> socket.socket:
    """A connection that has asked for a WebSocket."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    peer = socket.create_connection((parts.hostname, parts.port or 80))
    offered = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
    peer.sendall(
        f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offered}\r\n".encode()
    )
    return peer


def arrived(url: str, extensions: str) -> tuple[socket.socket, bytes]:
    """An upgraded WebSocket, and what came behind the handshake."""
    peer, head = asked(url, extensions), b""
    while b"\r\n\r\n" not in head:
        head += peer.recv(RECEIVED)
    assert head.startswith(b"HTTP/1.1 101"), head
    return peer, head.partition(b"\r\n\r\n")[2]


class Sink:
    """Reads whatever comes, in C where there is a compiler: it must be faster than the server."""

    def __init__(self, peers: list[socket.socket]) -> None:
        self._selector = selectors.EpollSelector()
        for peer in peers:
            peer.setblocking(False)
            self._selector.register(peer, selectors.EVENT_READ)
        self._functions = built()
        self._buffer = bytearray(RECEIVED)

    def take(self, expected: int | None) -> int:
        """Bytes read until there were `expected`; until it is quiet where that is None."""
        if self._functions is None:
            return self._take(expected)
        quiet = round(QUIET * 1_000) if expected is None else -1
        most = sys.maxsize if expected is None else expected
        taken = int(self._functions.take(self._selector.fileno(), most, quiet))
        assert taken >= 0, "the server hung up"
        return taken

    def _take(self, expected: int | None) -> int:
        taken = 0
        while expected is None or taken < expected:
            ready = self._selector.select(QUIET if expected is None else None)
            if not ready:
                break
            for key, _ in ready:
                assert isinstance(key.fileobj, socket.socket)
                got = key.fileobj.recv_into(self._buffer)
                assert got, "the server hung up"
                taken += got
        return taken


def main() -> None:
    """`sink URL COUNT [EXTENSIONS]`: a line on stdin is a number of bytes, or `quiet`; each is
    answered by the bytes that came."""
    url, count = sys.argv[1], int(sys.argv[2])
    sink = Sink([arrived(url, "".join(sys.argv[3:4]))[0] for _ in range(count)])
    print("connected", flush=True)
    for line in sys.stdin:
        taken = sink.take(None if line.strip() == "quiet" else int(line))
        print(taken, flush=True)


if __name__ == "__main__":
    main()
