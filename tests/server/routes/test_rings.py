"""Who leaves, leaves no ring behind for the collector to find: ten thousand come and go."""

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from server.keys import CONNECTIONS
from tests.server.routes.doors import Doors
from tests.server.sessions.house import eventually

OURS = ("server.", "aiohttp.web_request.", "aiohttp.web_protocol.")


@pytest.fixture
def rings() -> Iterator[Counter[str]]:
    """Filled by `found`: what only the collector could find, by type."""
    gc.collect()
    gc.disable()
    yield Counter()
    gc.enable()


def found(rings: Counter[str]) -> Counter[str]:
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        names = (f"{type(it).__module__}.{type(it).__qualname__}" for it in gc.garbage)
        rings.update(name for name in names if name.startswith(OURS))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    return rings


@pytest.mark.parametrize("abruptly", [False, True])
async def test_a_viewer_who_left_leaves_no_ring(
    guarded: Doors, rings: Counter[str], abruptly: bool
) -> None:
    session = await guarded.session()
    for _ in range(5):
        async with guarded.client.ws_connect(
            f"/api/sessions/{session}/socket", headers=guarded.headers("ada")
        ) as ws:
            await ws.receive()
            if abruptly:
                transport = ws._conn and ws._conn.transport
                assert transport is not None
                transport.abort()
        del ws
    await eventually(lambda: guarded.app[CONNECTIONS].open == 0)
    await guarded.call("GET", "/api/me")
    assert found(rings) == {}


async def test_who_is_sent_off_and_the_session_that_was_watched_leave_no_ring(
    guarded: Doors, rings: Counter[str]
) -> None:
    for _ in range(5):
        session = await guarded.session()
        async with guarded.client.ws_connect(
            f"/api/sessions/{session}/socket", headers=guarded.headers("ada")
        ) as ws:
            await ws.receive()
            deleting = asyncio.create_task(guarded.call("DELETE", f"/api/sessions/{session}"))
            assert [message.data async for message in ws]
            assert (await deleting).status == 204
        del ws
    await eventually(lambda: guarded.app[CONNECTIONS].open == 0)
    await guarded.call("GET", "/api/me")
    assert found(rings) == {}
