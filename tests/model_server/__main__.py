"""The test model as a process of its own, for benchmarks: the same stream for every request."""

import argparse
import asyncio
import time
from collections.abc import Iterator

from tests.model_server.reply import Reply
from tests.model_server.server import ModelServer

WORDS = ("the", "model", "said", "that", "these", "words", "go", "on", "until", "their", "end")


def words(count: int) -> Iterator[str]:
    return (f"{WORDS[number % len(WORDS)]}{number} " for number in range(count))


def stamps(count: int) -> Iterator[str]:
    """Each piece is the monotonic clock in nanoseconds as it is sent: a client measures lag."""
    return (f"{time.monotonic_ns()} " for _ in range(count))


async def serve(port: int, reply: Reply) -> None:
    async with ModelServer(port) as server:
        server.default = server.default_plain = reply
        print(f"model server on {server.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--chunks", type=int, default=300, help="text chunks of one reply")
    parser.add_argument("--pace-ms", type=float, default=0.0, help="pause after each chunk")
    parser.add_argument("--stamp", action="store_true", help="chunks carry the time of sending")
    given = parser.parse_args()
    say = stamps if given.stamp else words
    reply = Reply(pieces=lambda: say(given.chunks), pace=given.pace_ms / 1000)
    asyncio.run(serve(given.port, reply))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
