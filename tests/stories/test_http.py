"""The HTTP half: sessions, pages of events, submissions, errors, what the server says of itself."""

import json
import re

import pytest

from tests.connection import check_session
from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.stories.scene import Story, bash, calls

HELLO: Frame = {"type": "user_input", "id": "http-1", "text": "Hello"}


async def test_it_is_alive_and_ready(story: Story) -> None:
    assert (await story.api.get("/healthz")).status == 200
    assert (await story.api.get("/readyz")).status == 200


async def test_metrics_are_prometheus_text(story: Story) -> None:
    answer = await story.api.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.body.decode().splitlines()
    assert any(line.startswith("# TYPE ") for line in lines)
    samples = [line for line in lines if line and not line.startswith("#")]
    assert samples
    assert all(re.fullmatch(r"[a-zA-Z_:][\w:]*(\{.*\})? \S+( \d+)?", line) for line in samples)


async def test_in_dev_mode_i_am_dev(story: Story) -> None:
    me = await story.api.good("GET", "/api/me")
    assert me["auth"] == "dev"
    assert me["user"] == {"id": "dev", "name": me["user"]["name"], "role": me["user"]["role"]}
    assert me["user"]["role"] in ("user", "operator")


async def test_the_models_are_listed_with_a_default_among_them(story: Story) -> None:
    answer = await story.api.good("GET", "/api/models")
    ids = [model["id"] for model in answer["models"]]
    assert answer["default"] == "openai/test-model"
    assert answer["default"] in ids
    assert len(set(ids)) == len(ids)
    for model in answer["models"]:
        assert model.keys() >= {"id", "label", "context", "available"}
        assert ("why_not" in model) == (not model["available"])
    assert next(m for m in answer["models"] if m["id"] == answer["default"])["available"] is True


async def test_a_session_is_made_and_described(story: Story) -> None:
    answer = await story.api.call("POST", "/api/sessions", {"title": "Mine"})
    row = answer.json
    assert answer.status == 201
    check_session(row)
    assert row == {
        "id": row["id"],
        "title": "Mine",
        "owner": "dev",
        "model": "openai/test-model",
        "state": "idle",
        "created_at": row["created_at"],
        "active_at": row["active_at"],
        "head": 1,
        "queue": 0,
        "pending_approvals": 0,
        "usage": {"input_tokens": 0, "output_tokens": 0, "cost_usd": row["usage"]["cost_usd"]},
    }
    assert row["usage"]["cost_usd"] in (0, None)
    assert await story.api.look(row["id"]) == row


async def test_a_session_needs_nothing_to_be_made(story: Story) -> None:
    answer = await story.api.call("POST", "/api/sessions", {})
    assert answer.status == 201
    check_session(answer.json)


async def test_a_session_may_be_made_with_a_model(story: Story) -> None:
    session = await story.api.session(model="openai/other-model")
    assert (await story.api.look(session))["model"] == "openai/other-model"
    answer = await story.api.call("POST", "/api/sessions", {"model": "no/such-model"})
    assert 400 <= answer.status < 500
    assert answer.code == "no_such_model"


async def test_an_idempotency_key_makes_one_session(story: Story) -> None:
    headers = {"Idempotency-Key": "make-1"}
    first = await story.api.call("POST", "/api/sessions", {"title": "One"}, headers=headers)
    again = await story.api.call("POST", "/api/sessions", {"title": "One"}, headers=headers)
    assert (first.status, again.status) == (201, 200)
    assert again.json["id"] == first.json["id"]
    other = await story.api.call(
        "POST", "/api/sessions", {"title": "One"}, headers={"Idempotency-Key": "make-2"}
    )
    assert (other.status, other.json["id"] == first.json["id"]) == (201, False)


@pytest.mark.parametrize(
    "body", [{"colour": "red"}, {"title": 7}, {"model": 7}, [], "x", {"title": "x" * 100_000}]
)
async def test_a_session_of_another_shape_is_a_bad_request(story: Story, body: object) -> None:
    answer = await story.api.call("POST", "/api/sessions", body)
    assert answer.status == 400, answer
    assert answer.code == "bad_request"


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"nonsense"])
async def test_a_body_that_is_no_json_is_a_bad_request(story: Story, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await story.api.call("POST", "/api/sessions", data=raw, headers=headers)
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_a_title_is_changed_and_every_viewer_hears_of_it(story: Story) -> None:
    session, viewer = await story.begin(title="Old")
    row = await story.api.good("PATCH", f"/api/sessions/{session}", {"title": "New"})
    check_session(row)
    assert row["title"] == "New"
    updated = await viewer.until("session_updated")
    assert (updated["title"], updated["by"]) == ("New", "dev")
    assert (await story.api.look(session))["title"] == "New"


@pytest.mark.parametrize("body", [{"state": "ended"}, {"title": 7}, {"title": None, "x": 1}, []])
async def test_nothing_but_the_title_is_changed(story: Story, body: object) -> None:
    session = await story.api.session()
    answer = await story.api.call("PATCH", f"/api/sessions/{session}", body)
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_the_session_follows_its_log(story: Story) -> None:
    session, viewer = await story.begin()
    before = await story.api.look(session)
    gate = Gate()
    story.model.play(Reply(text="Working on it.", hold={1: gate}))
    await viewer.say("Go")
    await viewer.shows("Working ")
    await viewer.say("Next")
    running = await story.api.look(session)
    assert (running["state"], running["queue"]) == ("running", 1)
    gate.set()
    await viewer.until("turn_ended")
    await viewer.until("turn_ended")
    idle = await story.api.look(session)
    assert (idle["state"], idle["queue"], idle["head"]) == ("idle", 0, viewer.log.last)
    assert idle["created_at"] == before["created_at"] <= idle["active_at"]
    assert idle["usage"]["output_tokens"] == 40


async def test_the_events_are_paged_in_both_directions(story: Story) -> None:
    session, viewer = await story.begin()
    for number in range(3):
        await story.turn(viewer, f"Turn {number}")
    head = viewer.log.last
    path = f"/api/sessions/{session}/events"
    everything = await story.api.good("GET", path)
    assert everything == {"events": viewer.events, "head": head, "oldest": 1, "more": False}
    page = await story.api.good("GET", path, after=2, limit=3)
    assert page["events"] == viewer.events[2:5]
    assert (page["head"], page["oldest"], page["more"]) == (head, 1, True)
    last = await story.api.good("GET", path, after=head - 1, limit=1)
    assert (last["events"], last["more"]) == (viewer.events[-1:], False)
    none = await story.api.good("GET", path, after=head)
    assert (none["events"], none["more"]) == ([], False)
    before = await story.api.good("GET", path, before=6, limit=2)
    assert (before["events"], before["more"]) == (viewer.events[3:5], True)
    start = await story.api.good("GET", path, before=3, limit=2)
    assert (start["events"], start["more"]) == (viewer.events[:2], False)
    first = await story.api.good("GET", path, before=1)
    assert (first["events"], first["more"]) == ([], False)


async def test_a_page_is_at_most_1_mib_but_at_least_one_event(story: Story) -> None:
    session, viewer = await story.begin()
    for _ in range(3):
        await story.turn(viewer, "🛟" * 100_000)
        await viewer.accepted("undo")
    await viewer.until("turn_undone")
    path = f"/api/sessions/{session}/events"
    page = await story.api.get(path, after=1)
    assert 0 < len(page.body) <= 2**20 + 2**12
    assert page.json["more"] is True
    assert await story.api.events(session) == viewer.events


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "many"},
        {"limit": "1.5"},
        {"after": "-1"},
        {"after": "x"},
        {"before": "x"},
    ],
)
async def test_numbers_in_a_query_are_numbers(story: Story, query: dict[str, str]) -> None:
    session = await story.api.session()
    answer = await story.api.get(f"/api/sessions/{session}/events", **query)
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_a_larger_limit_is_500_and_an_empty_value_is_absent(story: Story) -> None:
    session, viewer = await story.begin()
    path = f"/api/sessions/{session}/events"
    for query in ({"limit": "100000"}, {"limit": ""}, {"after": "", "limit": "", "before": ""}):
        assert (await story.api.good("GET", path, **query))["events"] == viewer.events


async def test_a_submission_over_http_answers_as_the_socket_does(story: Story) -> None:
    session, viewer = await story.begin()
    answer = await story.api.submit(session, HELLO)
    assert (answer.status, answer.json) == (200, {"type": "accepted", "id": "http-1", "seq": 2})
    await viewer.until("turn_ended", status="completed")
    pong = await story.api.submit(session, {"type": "ping", "id": "p1"})
    assert (pong.status, pong.json["type"], pong.json["id"]) == (200, "pong", "p1")


async def test_refusals_over_http_have_their_status(story: Story) -> None:
    session = await story.api.session()
    cases: list[tuple[Frame, int, str]] = [
        ({"type": "undo", "id": "c1"}, 409, "nothing_to_undo"),
        ({"type": "interrupt", "id": "c1"}, 409, "nothing_running"),
        ({"type": "resume", "id": "c1"}, 409, "nothing_held"),
        ({"type": "compact", "id": "c1"}, 409, "nothing_to_compact"),
        ({"type": "withdraw", "id": "c1", "submission": "x"}, 409, "not_queued"),
        ({"type": "set_model", "id": "c1", "model": "no/such"}, 409, "no_such_model"),
        ({"type": "teleport", "id": "c1"}, 422, "malformed"),
        ({"type": "user_input", "id": "c1", "text": "x" * 100_001}, 422, "too_long"),
    ]
    for frame, status, code in cases:
        answer = await story.api.submit(session, frame)
        assert (answer.status, answer.json) == (
            status,
            {"type": "refused", "id": "c1", "code": code, "message": answer.json["message"]},
        )


async def test_a_body_that_is_no_frame_is_refused_under_no_id(story: Story) -> None:
    session = await story.api.session()
    path = f"/api/sessions/{session}/submissions"
    for raw in (b"nonsense", b"[]", b"", b"\xff"):
        answer = await story.api.call("POST", path, data=raw)
        assert answer.status == 422
        assert (answer.json["type"], answer.json["id"], answer.json["code"]) == (
            "refused",
            None,
            "malformed",
        )


@pytest.mark.parametrize("below", ["", "/events", "/submissions", "/export", "/files", "/socket"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
async def test_a_missing_session_is_missing_whatever_is_asked_of_it(
    story: Story, method: str, below: str
) -> None:
    path = f"/api/sessions/s-nobody{below}?limit=x&after=-1&format=exe"
    answer = await story.api.call(method, path, data=b"{" if method != "GET" else None)
    assert (answer.status, answer.code) == (404, "no_such_session")


async def test_what_does_not_exist_is_not_found_in_the_same_shape(story: Story) -> None:
    session = await story.api.session()
    for path in ("/api/nonsense", f"/api/sessions/{session}/nonsense", "/nonsense/at/all"):
        answer = await story.api.get(path)
        assert (answer.status, bool(answer.code)) == (404, True), path


async def test_a_wrong_method_is_refused_in_the_same_shape(story: Story) -> None:
    session = await story.api.session()
    cases = [("PUT", "/api/sessions"), ("PUT", f"/api/sessions/{session}"), ("POST", "/api/me")]
    for method, path in cases:
        answer = await story.api.call(method, path)
        assert (answer.status, bool(answer.code)) == (405, True), path


async def test_the_conversation_is_exported_as_markdown(story: Story) -> None:
    session, viewer = await story.begin(title="Exported")
    replies = [calls(bash("echo out"), text="Let me look."), Reply(text="It **works**.")]
    await story.turn(viewer, "Does it work?", *replies)
    answer = await story.api.get(f"/api/sessions/{session}/export", format="md")
    text = answer.body.decode()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/markdown")
    places = [text.index(t) for t in ("Exported", "Does it work?", "echo out", "It **works**.")]
    assert places == sorted(places)


async def test_the_conversation_is_exported_as_its_events(story: Story) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "Hello 🛟")
    answer = await story.api.get(f"/api/sessions/{session}/export", format="jsonl")
    assert answer.status == 200
    lines = [json.loads(line) for line in answer.body.decode().splitlines()]
    assert lines == viewer.events
    strange = await story.api.get(f"/api/sessions/{session}/export", format="exe")
    assert (strange.status, strange.code) == (400, "bad_request")


async def test_a_foreign_origin_is_refused_on_unsafe_methods_and_upgrades(story: Story) -> None:
    foreign = {"Origin": "https://evil.example"}
    answer = await story.api.call("POST", "/api/sessions", {}, headers=foreign)
    assert (answer.status, answer.code) == (403, "forbidden_origin")
    own = {"Origin": story.server.url}
    assert (await story.api.call("POST", "/api/sessions", {}, headers=own)).status == 201
    session = await story.api.session()
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    path = f"/api/sessions/{session}/socket"
    answer = await story.api.call("GET", path, headers={**upgrade, **foreign})
    assert (answer.status, answer.code) == (403, "forbidden_origin")
    await story.join(session, headers=own)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
async def test_in_dev_mode_a_host_that_is_not_loopback_is_refused(story: Story, host: str) -> None:
    for path in ("/api/me", "/api/sessions"):
        answer = await story.api.call("GET", path, headers={"Host": host})
        assert (answer.status, answer.code) == (403, "forbidden_host")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "localhost:9"])
async def test_loopback_by_any_name_is_served(story: Story, host: str) -> None:
    assert (await story.api.call("GET", "/api/me", headers={"Host": host})).status == 200
