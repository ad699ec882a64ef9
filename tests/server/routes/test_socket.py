"""The session socket: its order, its refusals before the upgrade, and every way it ends."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from server.config import Config
from server.identity.gate import REVOCATION_SECONDS
from server.identity.tokens import Tokens
from server.keys import CONNECTIONS, SESSIONS
from server.routes.socket import MOST_IN_FLIGHT
from tests.model_server import Gate, Reply
from tests.server.routes.doors import Doors, doors
from tests.server.sessions.house import eventually

WITHIN_SECONDS = 1.0
"""Of a token that was revoked; a busy machine takes `BUSY` times as long for anything."""
BUSY = 10


async def refusal(here: Doors, path: str, user: str | None = "ada", **headers: str) -> int:
    """The status of a handshake that must be refused."""
    with pytest.raises(WSServerHandshakeError) as refused:
        async with here.socket(path, user, **headers):
            raise AssertionError("it was let in")
    return refused.value.status


async def test_it_begins_with_hello_replay_synced_and_status(guarded: Doors) -> None:
    session = await guarded.session()
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        hello = await socket.next()
        assert hello is not None
        await socket.until("status")
    assert [frame["type"] for frame in socket.seen] == [
        "hello",
        "session_created",
        "synced",
        "status",
    ]
    assert (hello["mode"], hello["from"], hello["head"]) == ("replay", 1, 1)
    assert hello["session"]["id"] == session


async def test_however_many_come_back_after_a_restart_the_store_reads_their_log_once(
    tmp_path: Path,
) -> None:
    crowd, head = 50, 31
    async with doors(tmp_path) as here:
        session = await here.session()
        async with here.socket(f"sessions/{session}/socket") as socket:
            for number in range(2, head + 1):
                model = ("demo", "openai/test-model")[number % 2]
                await socket.say("set_model", f"c{number}", model=model)
                await socket.until("accepted")
    async with doors(tmp_path) as here, AsyncExitStack() as stack:
        path = f"sessions/{session}/socket?after="
        back = [here.socket(f"{path}{number % head}") for number in range(crowd)]
        sockets = await asyncio.gather(*map(stack.enter_async_context, back))
        for number, socket in enumerate(sockets):
            await socket.until("synced")
            numbers = [frame["seq"] for frame in socket.seen[1:-1]]
            assert numbers == list(range(number % head + 1, head + 1))
        assert here.store.reads == 1


async def test_a_subprotocol_is_chosen_when_it_is_offered(guarded: Doors) -> None:
    session = await guarded.session()
    url = f"/api/sessions/{session}/socket"
    for offered, chosen in ((("mooring.v1", "x"), "mooring.v1"), ((), None)):
        async with guarded.client.ws_connect(
            url, headers=guarded.headers("ada"), protocols=offered
        ) as ws:
            assert ws.protocol == chosen


async def test_each_frame_is_answered_once(guarded: Doors) -> None:
    session = await guarded.session()
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.until("status")
        await socket.say("ping", "c1")
        assert (await socket.until("pong"))["id"] == "c1"
        await socket.say("set_model", "c2", model="demo")
        assert (await socket.until("accepted"))["seq"] == 2
        await socket.say("set_model", "c2", model="nope")
        assert (await socket.until("refused"))["code"] == "id_conflict"
        await socket.ws.send_str("{")
        assert (await socket.until("refused"))["id"] is None
        await socket.ws.send_bytes(b"{}")
        assert (await socket.until("refused"))["code"] == "malformed"
        guarded.store.mood = "fails"
        await socket.say("set_model", "c3", model="demo")
        refused = await socket.until("refused")
        assert (refused["code"], refused["retry_after"]) == ("unavailable", 1)
        guarded.store.mood = "well"


async def test_many_frames_at_once_take_effect_in_their_order(guarded: Doors) -> None:
    session = await guarded.session()
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.until("status")
        for number in range(100):
            model = ("demo", "openai/test-model")[number % 2]
            await socket.say("set_model", f"c{number}", model=model)
        accepted = [await socket.until("accepted") for _ in range(100)]
        told = {frame["id"]: frame["seq"] for frame in accepted}
        assert [told[f"c{number}"] for number in range(100)] == list(range(2, 102))


@pytest.mark.parametrize(
    ("query", "status"),
    [("after=-1", 400), ("after=x", 400), ("after=1e3", 400), ("deltas=some", 400)],
)
async def test_a_wish_that_makes_no_sense_is_refused_before_the_upgrade(
    query: str, status: int, guarded: Doors
) -> None:
    session = await guarded.session()
    assert await refusal(guarded, f"sessions/{session}/socket?{query}") == status
    assert await refusal(guarded, f"sessions/{session}/socket?{query}", "bob") == 404
    assert await refusal(guarded, f"sessions/{session}/socket?{query}", None) == 401


async def test_without_an_upgrade_it_speaks_websocket_only(guarded: Doors) -> None:
    path = f"/api/sessions/{await guarded.session()}/socket"
    assert (await guarded.call("GET", path)).error == (426, "upgrade_required")


async def test_a_strange_origin_gets_no_socket(guarded: Doors) -> None:
    session = await guarded.session()
    for path in (f"sessions/{session}/socket", "dashboard/socket"):
        assert await refusal(guarded, path, Origin="http://evil.example") == 403


async def test_an_origin_that_is_configured_may(tmp_path: Path) -> None:
    config = Config(allowed_origins=("https://Page.example/",))
    async with doors(tmp_path, config=config) as here:
        session = await here.session()
        path = f"sessions/{session}/socket"
        async with here.socket(path, Origin="https://page.example") as socket:
            await socket.until("status")
        assert await refusal(here, path, Origin="http://page.example") == 403


async def test_no_more_sockets_than_one_may_have(tmp_path: Path) -> None:
    async with doors(tmp_path, connections_per_user=2) as here:
        session, path = await here.session(), "dashboard/socket"
        async with here.socket(path), here.socket(f"sessions/{session}/socket"):
            assert await refusal(here, path) == 429
            assert await refusal(here, f"sessions/{session}/socket") == 429
            async with here.socket(path, "bob"):
                pass
        await eventually(lambda: not here.app[CONNECTIONS].open)
        async with here.socket(path) as socket:
            await socket.until("fleet")


async def test_no_more_viewers_than_a_session_may_have(tmp_path: Path) -> None:
    async with doors(tmp_path, viewers_per_session=1) as here:
        session = await here.session()
        async with here.socket(f"sessions/{session}/socket") as socket:
            await socket.until("status")
            assert await refusal(here, f"sessions/{session}/socket") == 429


async def test_a_session_that_is_deleted_takes_its_viewers_along(guarded: Doors) -> None:
    session = await guarded.session()
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.until("status")
        deleting = asyncio.create_task(guarded.call("DELETE", f"/api/sessions/{session}"))
        assert await socket.closed() == 4404
        assert (await deleting).status == 204
        assert socket.seen[-1]["type"] == "bye"


async def test_an_ended_session_says_goodbye_once_and_can_be_read_after(guarded: Doors) -> None:
    path = f"sessions/{await guarded.session()}/socket"
    async with guarded.socket(path) as socket:
        await socket.until("status")
        await socket.say("shutdown", "c1")
        assert await socket.closed() == 1000
        assert socket.seen[-1]["code"] == 1000
        assert "session_ended" in [frame["type"] for frame in socket.seen]
    async with guarded.socket(path) as socket:
        assert (await socket.until("status"))["state"] == "ended"
        await socket.say("user_input", "c2", text="Hello")
        assert (await socket.until("refused"))["code"] == "session_ended"


async def test_a_revoked_token_closes_its_sockets_within_a_second(guarded: Doors) -> None:
    session = await guarded.session()
    assert REVOCATION_SECONDS < WITHIN_SECONDS
    clock = asyncio.get_running_loop().time
    async with (
        guarded.socket(f"sessions/{session}/socket") as socket,
        guarded.socket("dashboard/socket") as board,
        guarded.socket("dashboard/socket", "bob") as other,
    ):
        await socket.until("status")
        await board.until("fleet")
        revoked = clock()
        # As `mooring token revoke` does it: past the server, in its store.
        assert await Tokens(guarded.store).revoke(guarded.secrets["ada"].split("_")[1])
        assert await socket.closed() == 4401
        assert clock() - revoked < BUSY * WITHIN_SECONDS
        assert socket.seen[-1]["code"] == 4401
        assert await board.closed() == 4401
        await other.until("fleet")
        assert not other.ws.closed
    assert (await guarded.call("GET", "/api/me")).error == (401, "unauthorized")


async def test_a_token_that_cannot_be_looked_at_for_a_moment_is_looked_at_again(
    guarded: Doors,
) -> None:
    session = await guarded.session()
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.until("status")
        guarded.store.tokens_are_hidden = True
        await eventually(lambda: guarded.store.hidden_looks > 0)
        guarded.store.tokens_are_hidden = False
        await guarded.store.revoke_token(guarded.secrets["ada"].split("_")[1])
        assert await socket.closed() == 4401


async def test_the_twentieth_malformed_frame_within_a_minute_is_the_last(guarded: Doors) -> None:
    session = await guarded.session()
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.until("status")
        for number in range(25):
            await socket.ws.send_str(f"nonsense {number}")
        assert await socket.closed() == 4400
        kinds = [frame["type"] for frame in socket.seen]
        assert (kinds.count("refused"), kinds[-1]) == (20, "bye")


async def test_a_frame_that_is_too_large_is_told_so(guarded: Doors) -> None:
    session = await guarded.session()
    for text in ("x" * (1024 * 1024 + 1), "ä" * (600 * 1024)):
        async with guarded.socket(f"sessions/{session}/socket") as socket:
            await socket.until("status")
            await socket.ws.send_str(text)
            assert await socket.closed() == 1009
            assert socket.seen[-1]["type"] == "bye"
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.until("status")
        await socket.ws.send_str("ä" * (400 * 1024))
        assert (await socket.until("refused"))["code"] == "malformed"
        await socket.ws.send_str("x" * (5 * 1024 * 1024))
        assert await socket.closed() == 1009


@pytest.mark.parametrize("mib", [2, 64])
async def test_a_small_frame_that_inflates_to_a_large_one_is_too_large(
    guarded: Doors, mib: int
) -> None:
    session = await guarded.session()
    path = f"/api/sessions/{session}/socket"
    async with guarded.client.ws_connect(path, headers=guarded.headers("ada"), compress=15) as ws:
        assert ws.compress == 15
        await ws.send_str("x" * mib * 1024 * 1024)
        while (await ws.receive()).type is not WSMsgType.CLOSE:
            pass
        assert ws.close_code == 1009


async def test_a_log_that_cannot_be_read_ends_the_socket_and_nothing_follows(
    guarded: Doors,
) -> None:
    session = await guarded.session()
    guarded.store.pages_left = 0
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        assert await socket.closed() == 1012
        assert [frame["type"] for frame in socket.seen][-1] == "bye"
    guarded.store.pages_left = None


async def test_what_is_said_while_the_session_is_deleted_ends_with_4404(guarded: Doors) -> None:
    session = await guarded.session()
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.until("status")
        guarded.store.deleting = asyncio.Event()
        deleting = asyncio.create_task(guarded.call("DELETE", f"/api/sessions/{session}"))
        await eventually(lambda: guarded.app[SESSIONS].locks.wanted(session))
        await socket.say("set_model", "c1", model="demo")
        path = f"/api/sessions/{session}/submissions"
        posting = asyncio.create_task(
            guarded.call("POST", path, {"type": "set_model", "id": "c2", "model": "demo"})
        )
        await guarded.call("GET", "/healthz")
        guarded.store.deleting.set()
        assert await socket.closed() == 4404
        assert "accepted" not in [frame["type"] for frame in socket.seen]
        assert (await posting).error == (404, "no_such_session")
        assert (await deleting).status == 204


async def test_a_mistake_of_ours_ends_the_socket_with_1011(guarded: Doors) -> None:
    session = await guarded.session()
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, c: told.append(c["message"]))
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.until("status")
        guarded.store.is_broken = True
        await socket.say("set_model", "c1", model="demo")
        assert await socket.closed() == 1011
        guarded.store.is_broken = False
    assert told == ["a submission failed"]


async def test_who_says_more_than_can_be_under_way_is_read_later(guarded: Doors) -> None:
    session = await guarded.session()
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.until("status")
        guarded.store.held = asyncio.Event()
        for number in range(MOST_IN_FLIGHT + 10):
            await socket.say("set_auto_approval", f"c{number}", enabled=bool(number % 2))
        await eventually(lambda: guarded.store.appends >= MOST_IN_FLIGHT)
        await guarded.call("GET", "/healthz")
        assert guarded.store.appends == MOST_IN_FLIGHT
        guarded.store.held.set()
        for _ in range(MOST_IN_FLIGHT + 10):
            await socket.until("accepted")


async def test_who_goes_away_leaves_nothing_and_what_was_said_counts(guarded: Doors) -> None:
    session = await guarded.session()
    gate = Gate()
    guarded.model.play(Reply(text="Heard.", hold={"start": gate}))
    for number in range(20):
        async with guarded.socket(f"sessions/{session}/socket") as socket:
            await socket.until("status")
            await socket.say("user_input" if not number else "ping", f"c{number}", **said(number))
            await socket.until("accepted" if not number else "pong")
    manager = guarded.app[SESSIONS]
    await eventually(lambda: manager.viewers_of(None) == 0)
    gate.set()
    path = f"/api/sessions/{session}"
    while (await guarded.call("GET", path)).json["state"] != "idle":
        pass
    await eventually(lambda: not guarded.app[CONNECTIONS].open)


def said(number: int) -> dict[str, str]:
    return {} if number else {"text": "Hello"}
