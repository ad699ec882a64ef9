"""The HTTP half: sessions, pages of events, submissions, errors, what the server says of itself."""

import re

import pytest

from tests.connection import check_session
from tests.model_server import Gate, Reply
from tests.stories.scene import Story, wrong_body


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
        "pending_questions": 0,
        "usage": {"input_tokens": 0, "output_tokens": 0, "cost_usd": row["usage"]["cost_usd"]},
        "last_turn": None,
        "access": "owner",
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
    assert wrong_body(answer), answer


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"nonsense"])
async def test_a_body_that_is_no_json_is_a_bad_request(story: Story, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await story.api.call("POST", "/api/sessions", data=raw, headers=headers)
    assert wrong_body(answer), answer


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
    assert wrong_body(answer), answer


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


async def test_in_dev_mode_no_foreign_host_gets_an_upgrade(story: Story) -> None:
    session = await story.api.session()
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Host": "evil.example",
        "Origin": "http://evil.example",
    }
    for path in (f"/api/sessions/{session}/socket", "/api/dashboard/socket"):
        answer = await story.api.call("GET", path, headers=upgrade)
        assert answer.status == 403
        assert answer.code in ("forbidden_host", "forbidden_origin")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "localhost:9"])
async def test_loopback_by_any_name_is_served(story: Story, host: str) -> None:
    assert (await story.api.call("GET", "/api/me", headers={"Host": host})).status == 200


async def test_the_page_is_served_under_a_strict_policy(story: Story) -> None:
    answer = await story.api.get("/")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"]
