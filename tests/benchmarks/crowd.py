"""Connections that hold still, as a process of its own: they answer pings and read what comes."""

import selectors
import socket
import sys
import zlib
from collections.abc import Iterator

from tests.benchmarks.machine import raise_open_files
from tests.benchmarks.sink import RECEIVED, arrived

PING = b"\x89\x00"
PONG = b"\x8a\x80\x00\x00\x00\x00"
SYNCED = b'"type":"synced"'
ANSWERED = b'"type":"pong"'
DEFLATED = 0xC1
LONG_PING = b'{"type":"ping","id":"a client that deflates what it says, as browsers do"}'


def main() -> None:
    """`crowd EXTENSIONS COUNT URL...`: so many viewers of each address; says when all are there.

    With extensions each has read a deflated frame by then, and its own deflated ping is answered:
    before that neither side holds what compression costs.
    """
    raise_open_files()
    extensions, count, *urls = sys.argv[1:]
    selector = selectors.DefaultSelector()
    for url in urls:
        for _ in range(int(count)):
            peer, heard = arrived(url, extensions)
            heard = _until(peer, heard, SYNCED)
            if extensions:
                assert DEFLATED in _first_bytes(heard), "nothing came deflated"
                peer.sendall(_deflated(LONG_PING))
                _until(peer, b"", ANSWERED)
            peer.setblocking(False)
            selector.register(peer, selectors.EVENT_READ)
            _hear(selector, 0.0)
    print("all are here", flush=True)
    while True:
        _hear(selector, None)


def _until(peer: socket.socket, heard: bytes, mark: bytes) -> bytes:
    while mark not in heard:
        more = peer.recv(RECEIVED)
        assert more, "the server hung up"
        heard += more
    return heard


def _first_bytes(heard: bytes) -> Iterator[int]:
    """Of each frame, which says what it is."""
    at = 0
    while at + 1 < len(heard):
        yield heard[at]
        length, header = heard[at + 1], 2
        if length >= 126:
            header = 4 if length == 126 else 10
            length = int.from_bytes(heard[at + 2 : at + header], "big")
        at += header + length


def _deflated(payload: bytes) -> bytes:
    """A masked frame (the mask is zero); a message of its own, as was agreed."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)
    data = data.removesuffix(b"\x00\x00\xff\xff")
    assert len(data) < 126
    return bytes((DEFLATED, 0x80 | len(data))) + bytes(4) + data


def _hear(selector: selectors.BaseSelector, patience: float | None) -> None:
    for key, _ in selector.select(patience):
        assert isinstance(key.fileobj, socket.socket)
        heard = key.fileobj.recv(RECEIVED)
        if PING in heard:
            key.fileobj.send(PONG)
        elif not heard:
            selector.unregister(key.fileobj)
            key.fileobj.close()


if __name__ == "__main__":
    main()
