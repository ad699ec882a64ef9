"""Connections that hold still, as a process of its own: they answer pings and read what comes."""

import selectors
import socket
import sys

from tests.benchmarks.machine import raise_open_files
from tests.benchmarks.sink import RECEIVED, connected

PING = b"\x89\x00"
PONG = b"\x8a\x80\x00\x00\x00\x00"


def main() -> None:
    """`crowd EXTENSIONS COUNT URL...`: so many viewers of each address; says when all are there."""
    raise_open_files()
    extensions, count, *urls = sys.argv[1:]
    selector = selectors.DefaultSelector()
    for url in urls:
        for _ in range(int(count)):
            peer = connected(url, extensions)
            peer.setblocking(False)
            selector.register(peer, selectors.EVENT_READ)
            _hear(selector, 0.0)
    print("all are here", flush=True)
    while True:
        _hear(selector, None)


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
