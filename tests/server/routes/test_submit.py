"""Frames over HTTP: the socket's own answers, and a status that says their kind."""

from pathlib import Path

import pytest

from tests.model_server import Gate, Reply
from tests.server.routes.doors import Doors, doors
from tests.server.sessions.house import eventually


async def post(here: Doors, session: str, **frame: object) -> tuple[int, dict[str, object]]:
    answer = await here.call("POST", f"/api/sessions/{session}/submissions", frame)
    body: dict[str, object] = answer.json
    return answer.status, body


async def test_what_is_accepted_says_where_it_is_and_says_so_again(guarded: Doors) -> None:
    session = await guarded.session()
    frame = {"type": "set_model", "id": "c1", "model": "demo"}
    first = await post(guarded, session, **frame)
    assert first == (200, {"type": "accepted", "id": "c1", "seq": 2})
    again = await post(guarded, session, **frame)
    assert again == (200, {**first[1], "duplicate": True})


async def test_a_ping_is_answered_and_leaves_nothing(guarded: Doors) -> None:
    session = await guarded.session()
    status, pong = await post(guarded, session, type="ping", id="c1")
    assert (status, pong["type"], pong["id"]) == (200, "pong", "c1")
    assert (await guarded.call("GET", f"/api/sessions/{session}")).json["head"] == 1


@pytest.mark.parametrize(
    ("frame", "status", "code"),
    [
        ({"type": "interrupt", "id": "c1"}, 409, "nothing_running"),
        ({"type": "undo", "id": "c1"}, 409, "nothing_to_undo"),
        ({"type": "resume", "id": "c1"}, 409, "nothing_held"),
        ({"type": "set_model", "id": "c1", "model": "nope"}, 409, "no_such_model"),
        ({"type": "user_input", "id": "c1", "text": "x" * 100_001}, 422, "too_long"),
        ({"type": "user_input", "id": "c1"}, 422, "malformed"),
        ({"type": "user_input", "id": "c1", "text": "x", "attachments": ["no"]}, 422, "malformed"),
        (
            {"type": "user_input", "id": "c1", "text": "x", "attachments": ["../x"]},
            422,
            "malformed",
        ),
        ({"type": "nonsense", "id": "c1"}, 422, "malformed"),
        ({"type": "ping", "id": "c1", "more": 1}, 422, "malformed"),
    ],
)
async def test_a_refusal_has_the_status_of_its_kind(
    frame: dict[str, object], status: int, code: str, guarded: Doors
) -> None:
    answer = await post(guarded, await guarded.session(), **frame)
    assert answer[0] == status
    assert (answer[1]["type"], answer[1]["id"], answer[1]["code"]) == ("refused", "c1", code)
    assert answer[1]["message"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[]", b'{"id":""}', b'{"id":1}', b"[" * 50_000]
)
async def test_what_cannot_be_read_has_no_id(body: bytes, guarded: Doors) -> None:
    path = f"/api/sessions/{await guarded.session()}/submissions"
    answer = await guarded.call("POST", path, data=body)
    assert (answer.status, answer.json["code"], answer.json["id"]) == (422, "malformed", None)


async def test_a_frame_of_more_than_a_mebibyte_is_not_read(guarded: Doors) -> None:
    path = f"/api/sessions/{await guarded.session()}/submissions"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {guarded.secrets['ada']}\r\n"
        "Connection: close\r\n"
    )
    long = 1024 * 1024 + 1
    told = await guarded.raw(f"{head}Content-Length: {long}\r\n\r\n".encode(), b"\r\n")
    assert told.startswith(b"HTTP/1.1 413 ")
    chunks = b"".join(b"10000\r\n" + b" " * 65536 + b"\r\n" for _ in range(17)) + b"0\r\n\r\n"
    told = await guarded.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks, b"\r\n")
    assert told.startswith(b"HTTP/1.1 413 ")


async def test_too_many_are_told_when_to_come_back(tmp_path: Path) -> None:
    async with doors(tmp_path, submissions_per_minute=1) as here:
        session = await here.session()
        await post(here, session, type="set_model", id="c1", model="demo")
        status, refused = await post(here, session, type="set_model", id="c2", model="demo")
        assert (status, refused["code"]) == (429, "rate_limited")
        assert refused["retry_after"] in range(1, 61)


async def test_a_full_disk_is_unavailable(guarded: Doors) -> None:
    session = await guarded.session()
    guarded.store.mood = "fails"
    status, refused = await post(guarded, session, type="user_input", id="c1", text="Hello")
    assert (status, refused["code"]) == (503, "unavailable")
    guarded.store.mood = "well"


async def test_a_full_server_says_so(tmp_path: Path) -> None:
    async with doors(tmp_path, live_sessions=1) as here:
        gate = Gate()
        here.model.play(Reply(hold={"start": gate}))
        sessions = [await here.session() for _ in range(3)]
        for session in sessions[:2]:
            told = await post(here, session, type="user_input", id="c1", text="Hello")
            assert told[0] == 200
            await gate.reached.wait()
        await eventually(lambda: here.app_waiting() == 1)
        told = await post(here, sessions[2], type="user_input", id="c1", text="Hello")
        assert (told[0], told[1]["code"]) == (503, "server_full")
        gate.set()
