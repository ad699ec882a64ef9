"""`python -m tests.benchmarks [ROW...]`: measure the rows, all by default, and print one table."""

import argparse
import asyncio
import os
import platform
import time
from collections.abc import Awaitable, Callable

from tests.benchmarks import (
    appends,
    chunks,
    cold_start,
    creation,
    fanout,
    first_delta,
    fleet,
    memory,
    own_tokens,
    page,
    page_live,
    page_session,
    page_tasks,
    reconnect,
    through_litellm,
    tool_calls,
    viewers,
    wake,
)
from tests.benchmarks.machine import CORES, LOAD_CORE, pin, raise_open_files
from tests.benchmarks.table import Figure, rendered

ROWS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "chunks": chunks.measure,
    "first-delta": first_delta.measure,
    "litellm": through_litellm.measure,
    "tool-calls": tool_calls.measure,
    "fleet": fleet.measure,
    "crowd": fleet.measure_many,
    "creation": creation.measure,
    "wake": wake.measure,
    "appends": appends.measure,
    "memory": memory.measure,
    "own-tokens": own_tokens.measure,
    "fanout": fanout.measure,
    "viewers": viewers.measure,
    "reconnect": reconnect.measure,
    "cold-start": cold_start.measure,
    "page": page.measure,
    "page-tasks": page_tasks.measure,
    "page-live": page_live.measure,
    "page-session": page_session.measure,
}


async def measured(names: list[str]) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        print(f"measuring {name} ...", end="", flush=True)
        begun = time.perf_counter()
        figures += await ROWS[name]()
        print(f" {time.perf_counter() - begun:.0f} s", flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    names = parser.parse_args().rows or list(ROWS)
    if unknown := [name for name in names if name not in ROWS]:
        parser.error(f"there is no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    pin(LOAD_CORE)
    raise_open_files()
    figures = asyncio.run(measured(names))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\nPython {platform.python_version()}, {len(CORES)} cores, load average {load}\n")
    print(rendered(figures))


if __name__ == "__main__":
    main()
