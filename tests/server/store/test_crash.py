"""`kill -9` at any instant: what was acknowledged is there, without a hole."""

import asyncio
import sys
from pathlib import Path

import pytest

from server.store.sqlite import SqliteStore
from tests.server.store.samples import body

APPEND_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from server.store.sqlite import SqliteStore
from tests.server.store.samples import commit, receipt, session

async def grow(store, name):
    await store.create(session(name))
    seq = 2
    while True:
        await store.append(commit(name, seq, 3, receipts=(receipt(f"r{seq}", seq),)))
        seq += 3
        print(name, seq - 1, flush=True)

async def main():
    store = SqliteStore.open(Path(sys.argv[1]))
    await asyncio.gather(*(grow(store, f"s{number}") for number in range(8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("acknowledged", [1, 40, 400])
async def test_what_was_acknowledged_survives_a_kill(directory: Path, acknowledged: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", APPEND_FOR_EVER, str(directory), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(acknowledged)]
    process.kill()
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    promised: dict[str, int] = {}
    for line in lines:
        if not line.endswith(b"\n"):  # the kill came in the middle of a word
            continue
        session, seq = line.decode().split()
        promised[session] = int(seq)
    store = SqliteStore.open(directory)
    for name, head in promised.items():
        page = await store.events_after(name, 0, limit=10**6, max_bytes=10**9)
        assert page.head >= head
        assert page.bodies == tuple(body(seq) for seq in range(1, page.head + 1))
        assert [kept.seq for kept in await store.receipts(name)] == [*range(2, page.head, 3)]
    await store.close()
