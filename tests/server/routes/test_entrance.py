"""Whose it is comes before everything else, whatever the address looks like."""

import json
from collections.abc import AsyncIterator
from io import BytesIO
from itertools import product

import pytest

from tests.server.routes.doors import Doors

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
BELOW = (
    "",
    "/",
    "/fork",
    "/events",
    "/events?after=nonsense",
    "/events?limit=0",
    "/export?format=pdf",
    "/submissions",
    "/files",
    "/files/a.txt",
    "/files/../../x",
    "/files/a%0Ab",
    "/files/%00",
    "/socket",
    "/socket?after=-1",
    "/nothing",
    "/nothing/at/all",
)
ROUNDABOUT = (
    "/%61pi/sessions/{id}",
    "/%61pi/sessions/{id}/events",
    "/api/%73essions/{id}/events",
    "/api/session%73/{id}/files",
    "/api/sessions/{id}/%65vents",
    "/api/sessions/{encoded}/events",
    "/%2561pi/sessions/{id}/events",
    "/api%2Fsessions/{id}/events",
    "//api/sessions/{id}/events",
    "/./api/sessions/{id}/events",
    "/static/../api/sessions/{id}/events",
    "/API/sessions/{id}/events",
    "/api/sessions/{id};x/events",
    "/api/sessions/{id}%00/events",
    "/api/sessions/{id}%2F../events",
    "/api//sessions/{id}/events",
)

READER = {"Accept": "text/html"}
PAGES = ("/static/index.html", "/static/nothing.js", "/nothing", "/mcp/callback", "/login/callback")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
"""Written out: a word less in the code is a hole in the page."""


@pytest.mark.parametrize("below", BELOW)
async def test_nobody_elses_session_is_there_whatever_is_asked_of_it(
    below: str, guarded: Doors
) -> None:
    session = await guarded.session("bob")
    for method in METHODS:
        asked = [
            await guarded.call(method, f"/api/sessions/{id}{below}", data=b"no json")
            for id in (session, "s_missing")
        ]
        assert [answer.status for answer in asked] == [404, 404], method
        if method != "HEAD":
            assert asked[0].body == asked[1].body
            assert asked[0].error == (404, "no_such_session")
    assert (await guarded.call("GET", f"/api/sessions/{session}", user="bob")).status == 200


@pytest.mark.parametrize("user", [None, "ada"])
async def test_no_spelling_of_an_address_goes_round_the_entrance(
    user: str | None, guarded: Doors
) -> None:
    session = await guarded.session("bob", title="A secret")
    encoded = f"%{ord(session[0]):02x}{session[1:]}"
    for method, path in product(("GET", "DELETE"), ROUNDABOUT):
        answer = await guarded.call(method, path.format(id=session, encoded=encoded), user=user)
        assert answer.status in (401, 404, 405), answer
        assert b"A secret" not in answer.body
    assert (await guarded.call("GET", f"/api/sessions/{session}", user="bob")).status == 200


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/me", "/api/models", "/api/schema.json", "/api/nothing", "/api/dashboard/socket"],
)
async def test_below_api_nobody_is_served_without_a_name(path: str, guarded: Doors) -> None:
    answer = await guarded.call("GET", path, user=None)
    if path == "/api":
        assert answer.error == (404, "not_found")
    else:
        assert answer.error == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_pages_and_health_need_no_name(guarded: Doors) -> None:
    for path in ("/", "/healthz", "/readyz"):
        assert (await guarded.call("GET", path, user=None)).status in (200, 503)


async def test_what_is_not_there_and_what_cannot_be_done_say_so(guarded: Doors) -> None:
    session = await guarded.session()
    assert (await guarded.call("GET", "/nothing")).error == (404, "not_found")
    assert (await guarded.call("GET", f"/api/sessions/{session}/nothing")).error[0] == 404
    answer = await guarded.call("PUT", f"/api/sessions/{session}")
    assert answer.error == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "DELETE,GET,HEAD,PATCH".replace(",", ", ")


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "http://[", "https://127.0.0.1.evil.example", "file://"],
)
async def test_a_strange_origin_may_not_change_anything(origin: str, guarded: Doors) -> None:
    session = await guarded.session()
    for method, path in (
        ("POST", "/api/sessions"),
        ("DELETE", f"/api/sessions/{session}"),
        ("POST", f"/api/sessions/{session}/submissions"),
    ):
        answer = await guarded.call(method, path, {}, headers={"Origin": origin})
        assert answer.error == (403, "forbidden_origin")
    upgrade = {"Origin": origin, "Upgrade": "websocket", "Connection": "upgrade"}
    refused = await guarded.call("GET", f"/api/sessions/{session}/socket", headers=upgrade)
    assert refused.error == (403, "forbidden_origin")
    assert (await guarded.call("GET", "/api/me", headers={"Origin": origin})).status == 200


async def test_the_servers_own_origin_may(guarded: Doors) -> None:
    own = f"http://127.0.0.1:{guarded.port}"
    made = await guarded.call("POST", "/api/sessions", {}, headers={"Origin": own})
    assert made.status == 201


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "10.0.0.1", "[::2]:80", ""])
async def test_without_names_only_loopback_hosts_are_served(host: str, opened: Doors) -> None:
    for path in ("/", "/healthz", "/api/me", "/api/sessions"):
        answer = await opened.call("GET", path, headers={"Host": host})
        assert answer.error == (403, "forbidden_host")
        assert answer.headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.2", "[::1]:99", "[::1]"])
async def test_loopback_has_many_names(host: str, opened: Doors) -> None:
    answer = await opened.call("GET", "/api/me", headers={"Host": host})
    assert answer.json == {
        "user": {"id": "dev", "name": "dev", "role": "operator"},
        "auth": "dev",
    }


async def test_every_answer_carries_what_keeps_browsers_safe(guarded: Doors) -> None:
    for path in ("/", "/api/me", "/api/nothing", "/healthz", *PAGES):
        headers = (await guarded.call("GET", path, headers=READER)).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Content-Security-Policy"] == POLICY, path
    assert (await guarded.call("GET", "/api/me")).headers["Cache-Control"] == "no-store"


async def test_a_body_that_is_no_json_names_what_is_wrong_with_it(guarded: Doors) -> None:
    for body in (b"{", b"[]", b'{"titel":"x"}', b"\xff", b"[" * 100_000, b'{"title":"\\ud800"}'):
        answer = await guarded.call("POST", "/api/sessions", data=body)
        assert answer.error == (400, "bad_request"), body[:20]
    assert "titel" in (await guarded.call("POST", "/api/sessions", {"titel": 1})).body.decode()


async def test_too_large_a_body_is_not_read(guarded: Doors) -> None:
    body = BytesIO(json.dumps({"title": "x" * 1024 * 1024}).encode())
    assert (await guarded.call("POST", "/api/sessions", data=body)).error == (413, "too_large")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    assert (await guarded.call("POST", "/api/sessions", data=endless())).error[0] == 413
