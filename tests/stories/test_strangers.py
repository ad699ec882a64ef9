"""What anybody who reaches the port may do: how often, how slowly, and in whose name."""

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from tests.api import Answer, Api
from tests.client import WITHIN, Viewer
from tests.fakes.openid import OpenIDProvider
from tests.oracle import Frame
from tests.serving import Server
from tests.stories.conftest import NewStory
from tests.stories.test_tokens import bearer, create, known

BEHIND: Frame = {"trusted_proxies": ["127.0.0.0/8"]}
TOKENS = ["--auth", "token"]


def from_(address: str, **more: str) -> dict[str, str]:
    return {"X-Forwarded-For": address, **more}


async def raw(server: Server, request: bytes) -> tuple[int, bytes]:
    """Status and body of what comes back until the server closes."""
    at = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        writer.write(request)
        async with asyncio.timeout(WITHIN):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head else 0), body


# ---- whose address it is ------------------------------------------------------------------------


async def failed(api: Api, *addresses: str) -> int:
    """How many wrong tokens, twenty at once from each, are told to be wrong; others have to wait.

    At once, here and below: a bucket fills again while calls come one by one on a slow machine.
    """
    wrong = [{**bearer("wrong"), **from_(address)} for address in addresses * 20]
    answers = await asyncio.gather(*(api.call("GET", "/api/me", headers=h) for h in wrong))
    slowed = [answer for answer in answers if answer.status == 429]
    assert slowed
    for answer in slowed:
        assert answer.code == "rate_limited"
        assert 0 < answer.json["error"]["retry_after"] <= 60
        assert int(answer.headers["retry-after"]) > 0
    told = [answer for answer in answers if answer.status != 429]
    assert {(answer.status, answer.code) for answer in told} == {(401, "unauthorized")}
    return len(told)


async def test_who_tries_tokens_is_slowed_down_and_nobody_else(alone: NewStory) -> None:
    story = await alone({"limits": {"failures_per_minute": 5}, **BEHIND}, arguments=TOKENS)
    ada = await create(story.server, "ada")
    api = await story.connect(bearer(ada))
    await known(api)
    assert 5 <= await failed(api, "192.0.2.1") < 10
    assert 5 <= await failed(api, "192.0.2.2") < 10, "another address has its own"
    good = await api.call("GET", "/api/me", headers=from_("192.0.2.1"))
    assert good.status == 200, "who has a good one is not kept out by a neighbour"


async def test_an_address_that_nobody_vouches_for_is_not_believed(alone: NewStory) -> None:
    story = await alone({"limits": {"failures_per_minute": 5}}, arguments=TOKENS)
    both = await failed(story.api, "192.0.2.1", "192.0.2.2")
    assert 5 <= both < 10, "both are this machine"


async def test_behind_a_trusted_proxy_its_own_name_is_the_servers_own(alone: NewStory) -> None:
    story = await alone(BEHIND, arguments=TOKENS)
    api = await story.connect(bearer(await create(story.server, "ada")))
    await known(api)
    named = from_("192.0.2.1", **{"X-Forwarded-Host": "team.example", "X-Forwarded-Proto": "https"})
    page = {"Origin": "https://team.example"}
    made = await api.call("POST", "/api/sessions", {}, headers=named | page)
    assert made.status == 201
    for headers in (page, named | {"Origin": "https://evil.example"}):
        refused = await api.call("POST", "/api/sessions", {}, headers=headers)
        assert (refused.status, refused.code) == (403, "forbidden_origin")
    metrics = await story.api.call("GET", "/metrics", headers=from_("127.0.0.1"))
    assert metrics.status == 403, "an address in a header is no address of this machine"


async def test_without_authentication_a_forwarded_name_must_be_of_this_machine(
    alone: NewStory,
) -> None:
    story = await alone(BEHIND)
    refused = await story.api.call("GET", "/api/me", headers={"X-Forwarded-Host": "evil.example"})
    assert (refused.status, refused.code) == (403, "forbidden_host")


# ---- how often ----------------------------------------------------------------------------------


async def test_sessions_are_made_only_so_fast(alone: NewStory) -> None:
    story = await alone({"limits": {"creations_per_minute": 3}})
    posts = [story.api.call("POST", "/api/sessions", {}) for _ in range(12)]
    answers = await asyncio.gather(*posts)
    made = [answer.json["id"] for answer in answers if answer.status == 201]
    slowed = [answer for answer in answers if answer.status != 201]
    assert len(made) >= 3
    assert slowed
    for answer in slowed:
        assert (answer.status, answer.code) == (429, "rate_limited")
        assert "3 new sessions in a minute" in answer.json["error"]["message"]
        assert answer.json["error"]["retry_after"] <= 20
    forked = await story.api.call("POST", f"/api/sessions/{made[0]}/fork", {})
    assert forked.status in (409, 429)


async def test_a_repeat_with_the_same_key_costs_nothing(alone: NewStory) -> None:
    story = await alone({"limits": {"creations_per_minute": 2}})
    key = {"Idempotency-Key": "once"}
    made = await story.api.call("POST", "/api/sessions", {}, headers=key)
    for _ in range(20):
        again = await story.api.call("POST", "/api/sessions", {}, headers=key)
        assert (again.status, again.json["id"]) == (200, made.json["id"])
    assert (await story.api.call("POST", "/api/sessions", {})).status == 201


async def test_sockets_are_opened_only_so_fast(alone: NewStory) -> None:
    story = await alone({"limits": {"handshakes_per_minute": 4}})
    session = await story.api.session()
    looks = [looked(Viewer(story.server.url, session)) for _ in range(12)]
    refusals = await asyncio.gather(*looks)
    assert refusals.count(None) >= 4
    assert {*refusals} == {None, (429, "rate_limited")}


async def looked(viewer: Viewer) -> tuple[int, str] | None:
    """How it was refused; None for who was let in and has left."""
    try:
        async with viewer:
            await viewer.synced()
    except InvalidStatus as refused:
        return refused.response.status_code, json.loads(refused.response.body)["error"]["code"]
    return None


async def test_log_ins_are_begun_only_so_fast(alone: NewStory) -> None:
    """From one address: another's are its own, and a page says what to do."""
    async with OpenIDProvider() as provider:
        limits = {"logins_per_minute": 1}
        config = {"oauth": provider.settings(), "limits": limits, **BEHIND}
        story = await alone(config, arguments=["--auth", "oauth"])
        slowed = await attempts(story.api, "/login", "192.0.2.1", begun=303)
        assert slowed.code == "rate_limited"
        assert 0 < slowed.json["error"]["retry_after"] <= 60
        assert int(slowed.headers["retry-after"]) > 0
        await attempts(story.api, "/login", "192.0.2.2", begun=303)
        for path in ("/login", "/login/callback"):
            page = await attempts(story.api, path, "192.0.2.1", Accept="text/html")
            assert page.headers["content-type"][:9] == "text/html"
            assert b"1 log-in requests in a minute" in page.body


async def attempts(
    api: Api, path: str, address: str, begun: int | None = None, **headers: str
) -> Answer:
    """A refusal among six attempts at once; one of them is `begun`, if that is said."""
    given = from_(address, **headers)
    answers = await asyncio.gather(*(api.call("GET", path, headers=given) for _ in range(6)))
    assert begun is None or begun in [answer.status for answer in answers]
    return next(answer for answer in answers if answer.status == 429)


async def test_an_address_has_so_many_connections(alone: NewStory) -> None:
    patient = {"header_seconds": 600}  # with who says nothing yet
    story = await alone({"limits": {"connections_per_address": 3}, "http": patient})
    at = urlsplit(story.server.url)
    held = []
    try:
        answer = (0, b"")
        while answer[0] != 429:
            held.append(await asyncio.open_connection(at.hostname, at.port))
            answer = await raw(
                story.server,
                b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )
            assert len(held) <= 3
        error = json.loads(answer[1])["error"]
        assert error["code"] == "too_many_connections"
        assert error["retry_after"] > 0
    finally:
        for _, writer in held:
            writer.close()


# ---- how slowly ---------------------------------------------------------------------------------


async def test_headers_and_bodies_that_stall_are_cut_off(alone: NewStory) -> None:
    story = await alone({"http": {"header_seconds": 4, "body_seconds": 3}})
    head = b"POST /api/sessions HTTP/1.1\r\nHost: localhost\r\n"
    assert (await raw(story.server, head))[0] == 408
    status, body = await raw(story.server, head + b"Content-Length: 10\r\n\r\n{")
    assert (status, json.loads(body)["error"]["code"]) == (408, "too_slow")
    async with Viewer(story.server.url, await story.api.session()) as viewer:
        await viewer.synced()
        await asyncio.sleep(5)  # the very thing: a socket at rest, for longer than anything above
        assert (await viewer.ask({"type": "ping", "id": "still"}))["type"] == "pong"


async def test_a_large_file_may_come_slowly(alone: NewStory) -> None:
    story = await alone({"http": {"body_seconds": 4, "body_bytes_per_second": 1}})
    session, content = await story.api.session(), b"x" * 300_000
    boundary = b"--cut\r\n"
    part = b'Content-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n'
    body = boundary + part + content + b"\r\n--cut--\r\n"
    at = urlsplit(story.server.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    head = (
        f"POST /api/sessions/{session}/files HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode())
    for start in range(0, len(body), 4_000):
        writer.write(body[start : start + 4_000])
        await writer.drain()
        await asyncio.sleep(0.11)  # more than twice what it may stall, all in all
    async with asyncio.timeout(WITHIN):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 201"), answer
    listed = await story.api.good("GET", f"/api/sessions/{session}/files")
    assert [(file["path"], file["size"]) for file in listed["files"]] == [("big.bin", 300_000)]


# ---- what is asked across origins ---------------------------------------------------------------


async def test_a_page_of_an_allowed_origin_may_ask_and_another_may_not(alone: NewStory) -> None:
    story = await alone({"allowed_origins": ["https://page.example"]})
    asks = {"Access-Control-Request-Method": "POST"}
    for origin, status in (("https://page.example", 204), ("https://evil.example", 405)):
        headers = {"Origin": origin, **asks}
        answer = await story.api.call("OPTIONS", "/api/sessions", headers=headers)
        assert answer.status == status
        shared = answer.headers.get("access-control-allow-origin")
        assert shared == (origin if status == 204 else None)


# ---- how it is set up ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({"allowed_origins": ["*"]}, "any_origin"),
        ({"trusted_proxies": ["0.0.0.0/0"]}, "wide_proxies"),
    ],
)
async def test_what_is_dangerous_is_not_started_by_mistake(
    tmp_path: Path, config: Frame, names: str
) -> None:
    server = Server(tmp_path, "http://127.0.0.1:9/v1", config=config)
    where = ("--data-dir", str(server.data), "--config", str(tmp_path / "overlay.json"))
    status, printed = await server.command("serve", "--port", "0", "--no-browser", *where)
    assert (status, printed) == (2, "")
    assert names in server.stderr
    assert "accept_risks" in server.stderr
    status, printed = await server.command("doctor", *where)
    assert status == 1
    assert names in printed


async def test_who_insists_is_served(alone: NewStory) -> None:
    await alone({"allowed_origins": ["*"], "accept_risks": ["any_origin"]})


async def test_files_that_others_may_change_are_served_only_on_demand(tmp_path: Path) -> None:
    server = Server(tmp_path, "http://127.0.0.1:9/v1")
    server.data.mkdir()
    server.data.chmod(0o777)
    where = ("--data-dir", str(server.data))
    status, _ = await server.command("serve", "--port", "0", "--no-browser", *where)
    assert status == 2
    assert "data_open_to_others" in server.stderr
