"""Viewers who come back together, as a process of its own: it says when all of them are in."""

import selectors
import socket
import sys
import time

from tests.benchmarks.crowd import SYNCED
from tests.benchmarks.machine import raise_open_files
from tests.benchmarks.sink import RECEIVED, asked

WITHIN = 1.0
"""Seconds in which they come."""
TAIL = 64
"""Bytes of what was heard in which the mark may stand, cut anywhere."""
PATIENCE = 60.0


class Storm:
    """Connections that wait for `synced`, and are kept open behind it."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._tails: dict[socket.socket, bytes] = {}
        self._back: list[socket.socket] = []

    @property
    def waiting(self) -> int:
        return len(self._tails)

    def come(self, url: str) -> None:
        peer = asked(url, "")
        peer.setblocking(False)
        self._tails[peer] = b""
        self._selector.register(peer, selectors.EVENT_READ)

    def hear(self, patience: float) -> None:
        for key, _ in self._selector.select(patience):
            peer = key.fileobj
            assert isinstance(peer, socket.socket)
            heard = peer.recv(RECEIVED)
            assert heard, "the server hung up"
            heard = self._tails[peer] + heard
            if SYNCED in heard:
                self._selector.unregister(peer)
                del self._tails[peer]
                self._back.append(peer)
            else:
                self._tails[peer] = heard[-TAIL:]


def main() -> None:
    """`storm URL COUNT LAST BEHIND` prints seconds."""
    raise_open_files()
    url, *numbers = sys.argv[1:]
    count, last, behind = map(int, numbers)
    storm, begun = Storm(), time.perf_counter()
    for number in range(count):
        while (early := begun + WITHIN * number / count - time.perf_counter()) > 0:
            storm.hear(early)
        storm.come(f"{url}?after={last - 1 - number % behind}")
    while storm.waiting:
        storm.hear(PATIENCE)
        assert time.perf_counter() - begun < PATIENCE, f"{storm.waiting} are not in"
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
