"""The real Broadcaster on real sockets in a process of its own, and other ways to send the same.

The model, the journal and the store are left out on purpose: what is measured is a delivery. All
ways have the same: a burst of events, one by one, with as many turns of the loop after each as the
Broadcaster needs. Nobody reads before a burst is over: readers in life are on other machines, and
here the slower a way is, the more often each send would have to wake the sleeping reader.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from ctypes import c_int
from functools import partial
from itertools import count
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from server.delivery.broadcast import Broadcaster
from server.delivery.frames import text_frame
from server.delivery.lean import LeanSocket
from server.delivery.limits import DeliveryLimits
from server.delivery.outlet import outlet_of
from server.delivery.pages import Pages
from server.delivery.replay import Wish
from server.wire import Outgoing, numbered
from tests.benchmarks.machine import LOAD_CORE, raise_open_files
from tests.benchmarks.native import built
from tests.server.delivery.stage import IDLE, SESSION, ListReader

BODY = 200
"""Bytes of one event."""
WRITES = 150
DELIVERIES = 40_000
"""Of one measurement: so many writes, or so many deliveries, whichever is fewer."""
BURST = 5
"""Events before anything is read; all of it fits into the kernel's buffers."""
ROUNDS = 5
SLICE = DeliveryLimits().slice
Send = Callable[[bytes, int], Awaitable[None]]
"""Send one event, so many times in one write, to every viewer."""


class Cost(Struct, frozen=True):
    """Microseconds of this process for one delivery, by the way it was sent."""

    raw: float
    ours: float
    send_str: float
    queues: float
    raw_ten: float
    ours_ten: float
    send_str_ten: float
    queues_ten: float
    reference: str


class Sockets:
    """The viewers' connections, as each way of sending needs them."""

    def __init__(self) -> None:
        self.all: list[web.WebSocketResponse] = []
        self.descriptors: list[int] = []
        seqs = count(1)
        self.broadcaster = Broadcaster(
            "s1",
            head=0,
            log="L",
            status=IDLE,
            describe=lambda: SESSION,
            pages=Pages(ListReader()),
            timestamp=lambda: "now",
            clock=asyncio.get_running_loop(),
            limits=DeliveryLimits(flush=0.0, heartbeat=3_600.0),
        )
        self._next = partial(next, seqs)

    async def watch(self, request: web.Request) -> web.WebSocketResponse:
        ws = LeanSocket(compress=False)  # the sink answers no pings
        await ws.prepare(request)
        outlet = outlet_of(request, DeliveryLimits())
        async with self.broadcaster.join(outlet, ws.hang_up, Wish()) as viewer:
            self.all.append(ws)
            self.descriptors.append(ws.get_extra_info("socket").fileno())
            with suppress(ConnectionError):
                while await viewer.next(ws.receive) is not None:
                    pass
        return ws

    async def ours(self, body: bytes, times: int) -> None:
        for _ in range(times):
            self.broadcaster.publish(self._next(), (Outgoing(body),))

    async def send_str(self, body: bytes, times: int) -> None:
        text = body.decode()
        for _ in range(times):
            for ws in self.all:
                await ws.send_str(text)


class Queues:
    """What most servers do: a queue and a task for each viewer."""

    def __init__(self, sockets: list[web.WebSocketResponse]) -> None:
        self._queues: list[asyncio.Queue[str]] = [asyncio.Queue(1_000) for _ in sockets]
        pairs = zip(self._queues, sockets, strict=True)
        self._tasks = [asyncio.create_task(_forward(queue, ws)) for queue, ws in pairs]

    async def send(self, body: bytes, times: int) -> None:
        text = body.decode()
        for _ in range(times):
            for queue in self._queues:
                queue.put_nowait(text)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _forward(queue: asyncio.Queue[str], ws: web.WebSocketResponse) -> None:
    while True:
        await ws.send_str(await queue.get())


def raw_sender(descriptors: list[int]) -> tuple[Send, str]:
    """The physical limit: send() of ready bytes in a loop, in C where there is a compiler."""
    functions = built()
    if functions is None:
        return partial(_sent_by_python, descriptors), "a raw send() loop in Python"
    array = (c_int * len(descriptors))(*descriptors)

    async def send(body: bytes, times: int) -> None:
        data = text_frame(body) * times
        sent = functions.fan(array, len(descriptors), data, len(data))
        assert sent == len(descriptors), f"only {sent} of {len(descriptors)} took it whole"

    return send, "a raw send() loop in C"


async def _sent_by_python(descriptors: list[int], body: bytes, times: int) -> None:
    data = text_frame(body) * times
    for descriptor in descriptors:
        assert os.write(descriptor, data) == len(data)


class Bench:
    """One number of viewers, each way of sending in turn, over the same connections."""

    def __init__(self, viewers: int, sink: asyncio.subprocess.Process) -> None:
        self._viewers = viewers
        self._sink = sink

    async def cost(self, send: Send, times: int) -> float:
        """Microseconds for one delivery."""
        body = numbered(1, "2026-01-01T00:00:00.000Z", b'{"type":"notice","text":"').ljust(
            BODY - 2, b"x"
        )
        body += b'"}'
        size = len(text_frame(body))
        bursts = min(WRITES, DELIVERIES // self._viewers) // BURST
        spent = 0.0
        for _ in range(bursts):
            before = time.process_time()
            for _ in range(BURST):
                await send(body, times)
                for _ in range(1 + self._viewers // SLICE):
                    await asyncio.sleep(0)
            spent += time.process_time() - before
            await self._told(size * times * self._viewers * BURST)
        return spent / (bursts * BURST * times * self._viewers) * 1e6

    async def settle(self) -> None:
        """Until what viewers are told when they join has been read."""
        await self._told("quiet")

    async def _told(self, what: object) -> None:
        assert self._sink.stdin is not None
        assert self._sink.stdout is not None
        self._sink.stdin.write(f"{what}\n".encode())
        await self._sink.stdout.readline()


async def measured(viewers: int) -> Cost:
    sockets = Sockets()
    async with AsyncExitStack() as stack:
        app = web.Application()
        app.router.add_get("/", sockets.watch)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        sink = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.sink", url, str(viewers)),
            stdin=PIPE,
            stdout=PIPE,
        )
        stack.callback(sink.kill)
        os.sched_setaffinity(sink.pid, {LOAD_CORE})
        assert sink.stdout is not None
        await sink.stdout.readline()
        bench = Bench(viewers, sink)
        await bench.settle()
        raw, reference = raw_sender(sockets.descriptors)
        return await _all_ways(bench, sockets, raw, reference)


async def _all_ways(bench: Bench, sockets: Sockets, raw: Send, reference: str) -> Cost:
    costs: dict[str, list[float]] = {}
    for number in range(ROUNDS + 1):
        queues = Queues(sockets.all)
        ways: tuple[tuple[str, Send, int], ...] = (
            ("raw", raw, 1),
            ("ours", sockets.ours, 1),
            ("send_str", sockets.send_str, 1),
            ("queues", queues.send, 1),
            ("raw_ten", raw, 10),
            ("ours_ten", sockets.ours, 10),
            ("send_str_ten", sockets.send_str, 10),
            ("queues_ten", queues.send, 10),
        )
        for name, send, times in ways:
            cost = await bench.cost(send, times)
            if number:  # the first only warms up
                costs.setdefault(name, []).append(cost)
        await queues.end()
    usual: dict[str, Any] = {name: statistics.median(some) for name, some in costs.items()}
    return Cost(**usual, reference=reference)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, required=True)
    raise_open_files()
    cost = asyncio.run(measured(parser.parse_args().viewers))
    print(msgspec.json.encode(cost).decode())


if __name__ == "__main__":
    main()
