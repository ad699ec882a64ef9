"""Servers of tools that want each user to log in: connected in a browser, told, renewed, lost."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.api import Answer, Api
from tests.fakes.mcp.members import Members
from tests.model_server import CallScript, Reply
from tests.serving import Server
from tests.stories.browsing import Browsing
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, calls
from tests.stories.test_mcp import offered
from tests.stories.test_tokens import bearer, tokened

WHOAMI = CallScript("mcp_club_whoami", {})
CONNECT = "/api/mcp/club/connect"


@pytest_asyncio.fixture(loop_scope="session")
async def members() -> AsyncIterator[Members]:
    async with Members() as members:
        yield members


async def club(alone: NewStory, members: Members) -> tuple[Story, dict[str, str], dict[str, str]]:
    """Two users, who show themselves by tokens; the story is the first one's."""
    story, ada, bob = await tokened(alone, {"mcp_servers": {"club": members.config}})
    return story, bearer(ada), bearer(bob)


async def consent(server: Server, headers: dict[str, str]) -> Answer:
    """A browser that asks, is sent there, and comes back."""
    async with Browsing(server.url) as browser:
        asked = await browser.call("POST", CONNECT, headers=headers)
        assert asked.status == 200, asked
        return await browser.go(asked.json["url"])


async def is_connected(api: Api) -> bool:
    (one,) = (await api.good("GET", "/api/mcp"))["servers"]
    assert (one["name"], one["oauth"]) == ("club", True)
    return bool(one["connected"])


async def answered(story: Story, viewer: Any) -> str:
    await story.turn(viewer, "Who am I there?", calls(WHOAMI), Reply(text="So."))
    return str(viewer.of("tool_output")[-1]["output"])


def codes(viewer: Any) -> list[str]:
    return [notice["code"] for notice in viewer.of("notice")]


async def test_a_user_connects_and_the_next_model_call_has_the_tools(
    alone: NewStory, members: Members
) -> None:
    story, ada, bob = await club(alone, members)
    _, viewer = await story.begin()
    await story.turn(viewer, "Hello", Reply(text="Hello."))
    (notice,) = viewer.of("notice")
    assert (notice["code"], "settings" in notice["text"]) == ("mcp_login", True)
    assert "mcp_club_whoami" not in offered(story.model.requests[-1])
    assert not await is_connected(story.api)
    page = await consent(story.server, ada)
    assert (page.status, b"connected" in page.body) == (200, True)
    assert await is_connected(story.api)
    assert await answered(story, viewer) == "ada"
    assert codes(viewer) == ["mcp_login", "mcp_back"]
    (registered,) = members.seen["register"]
    assert registered["redirect_uri"] == f"{story.server.url}/mcp/callback"
    await story.connect(bob)
    assert not await is_connected(story.api)
    await story.connect(ada)


async def test_users_never_share_a_connection_that_one_of_them_was_granted(
    alone: NewStory, members: Members
) -> None:
    story, ada, bob = await club(alone, members)
    await consent(story.server, ada)
    members.who = "bob"
    await consent(story.server, bob)
    _, viewer = await story.begin()
    assert await answered(story, viewer) == "ada"
    await story.connect(bob)
    _, other = await story.begin()
    assert await answered(story, other) == "bob"


async def test_what_was_granted_is_renewed_and_outlives_a_restart(
    alone: NewStory, members: Members
) -> None:
    story, ada, _ = await club(alone, members)
    await consent(story.server, ada)
    _, viewer = await story.begin()
    assert await answered(story, viewer) == "ada"
    members.expire()  # before its time
    assert await answered(story, viewer) == "ada"
    assert [form["grant_type"] for form in members.seen["token"]][1:] == ["refresh_token"]
    members.expire()
    await story.restart()
    await story.connect(ada)
    assert await is_connected(story.api)
    _, viewer = await story.begin()
    assert await answered(story, viewer) == "ada"
    assert len(members.seen["token"]) == 3
    assert codes(viewer) == []


async def test_a_token_that_is_over_is_not_shown(alone: NewStory, members: Members) -> None:
    story, ada, _ = await club(alone, members)
    members.lifetime = 1  # less than it is renewed early
    await consent(story.server, ada)
    members.lifetime = 3600
    _, viewer = await story.begin()
    assert await answered(story, viewer) == "ada"
    assert [form["grant_type"] for form in members.seen["token"]][1:] == ["refresh_token"]


async def test_a_grant_that_is_taken_back_is_told_and_can_be_given_anew(
    alone: NewStory, members: Members
) -> None:
    story, ada, _ = await club(alone, members)
    await consent(story.server, ada)
    _, viewer = await story.begin()
    assert await answered(story, viewer) == "ada"
    members.revoke()
    await answered(story, viewer)
    assert viewer.of("tool_output")[-1]["status"] == "error"
    await story.turn(viewer, "And now?", Reply(text="Gone."))
    assert "mcp_login" in codes(viewer)
    assert "mcp_club_whoami" not in offered(story.model.requests[-1])
    assert not await is_connected(story.api)
    await consent(story.server, ada)
    assert await answered(story, viewer) == "ada"


async def test_a_user_parts_with_it(alone: NewStory, members: Members) -> None:
    story, ada, _ = await club(alone, members)
    assert (await story.api.call("DELETE", CONNECT)).code == "not_connected"
    await consent(story.server, ada)
    assert (await story.api.call("DELETE", CONNECT)).status == 204
    assert not await is_connected(story.api)
    _, viewer = await story.begin()
    await story.turn(viewer, "Hello", Reply(text="Hello."))
    assert codes(viewer) == ["mcp_login"]


async def test_only_the_browser_that_began_it_ends_it_and_once(
    alone: NewStory, members: Members
) -> None:
    story, ada, bob = await club(alone, members)
    async with Browsing(story.server.url) as browser, Browsing(story.server.url) as other:
        asked = await browser.call("POST", CONNECT, headers=ada)
        back = await browser.go(asked.json["url"], follow=False)
        where = back.headers["location"]
        await other.call("POST", CONNECT, headers=bob)
        for stranger, address in ((other, where), (browser, where.replace("state=", "state=x"))):
            refused = await stranger.go(address)
            assert (refused.status, refused.code) == (400, "bad_login")
        assert not await is_connected(story.api)
        assert (await browser.go(where)).status == 200
        assert await is_connected(story.api)
        assert (await browser.go(where)).code == "bad_login"
        page = await browser.call("GET", "/mcp/callback", headers={"Accept": "text/html"})
        assert (page.status, b"not connected" in page.body) == (400, True)


async def test_who_does_not_consent_is_not_connected(alone: NewStory, members: Members) -> None:
    story, ada, _ = await club(alone, members)
    members.refuses = True
    refused = await consent(story.server, ada)
    assert (refused.status, refused.code) == (400, "bad_login")
    assert not await is_connected(story.api)


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"authorization_endpoint": "http://auth.example.org/authorize"}, "not https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, ""),
        ({"registration_endpoint": "http://10.0.0.1/register"}, "not https"),
        ({"registration_endpoint": "https://10.0.0.1/register"}, "not a public address"),
        ({"issuer": "http://127.0.0.1:1/"}, ""),
    ],
)
async def test_addresses_that_a_server_of_tools_names_are_guarded(
    alone: NewStory, members: Members, metadata: dict[str, str], says: str
) -> None:
    story, _, _ = await club(alone, members)
    members.metadata = metadata
    answer = await story.api.call("POST", CONNECT)
    assert (answer.status, answer.code) == (409, "mcp_login_failed")
    assert says in answer.json["error"]["message"]


async def test_a_log_in_server_inside_the_network_is_not_asked(
    alone: NewStory, members: Members
) -> None:
    story, _, _ = await club(alone, members)
    members.resource = {"authorization_servers": ["https://192.168.0.1"]}
    answer = await story.api.call("POST", CONNECT)
    assert (answer.status, answer.code) == (409, "mcp_login_failed")
    assert "not a public address" in answer.json["error"]["message"]


async def test_tokens_are_sealed_hidden_and_audited(alone: NewStory, members: Members) -> None:
    story, ada, _ = await club(alone, members)
    await consent(story.server, ada)
    (token,) = members.good
    _, viewer = await story.begin()
    await story.turn(viewer, f"Is it {token}?", Reply(text=f"It is {token}."))
    assert viewer.of("assistant_message")[0]["text"] == "It is [hidden: key]."
    await story.api.call("DELETE", CONNECT)
    stored = b"".join(p.read_bytes() for p in story.server.data.rglob("*") if p.is_file())
    for secret in (*members.good, *members.refreshes):
        assert secret.encode() not in stored
        assert secret not in story.server.stderr
    where = ("--data-dir", str(story.server.data))
    _, printed = await story.server.command("audit", *where)
    assert "mcp_connected" in printed
    assert "mcp_disconnected" in printed


async def test_nobody_logs_in_where_it_is_not_configured(alone: NewStory, members: Members) -> None:
    story = await alone({"mcp_servers": {"club": {"url": members.url}}})
    (one,) = (await story.api.good("GET", "/api/mcp"))["servers"]
    assert one == {"name": "club", "oauth": False, "connected": False}
    for method, server in (("POST", "club"), ("DELETE", "club"), ("POST", "none")):
        answer = await story.api.call(method, f"/api/mcp/{server}/connect")
        assert (answer.status, answer.code) == (404, "not_found")


async def test_new_keys_seal_what_was_granted_anew(alone: NewStory, members: Members) -> None:
    story, ada, _ = await club(alone, members)
    await consent(story.server, ada)
    await story.server.kill9()
    where = ("--data-dir", str(story.server.data))
    status, _ = await story.server.command("keys", "rotate", *where)
    assert status == 0
    await story.server.start()
    await story.connect(ada)
    assert await is_connected(story.api)
    _, viewer = await story.begin()
    assert await answered(story, viewer) == "ada"
