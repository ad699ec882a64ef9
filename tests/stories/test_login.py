"""Logging in at an OpenID provider: the round trip, who is let in, and everything that is wrong."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.fakes.openid import OpenIDProvider
from tests.stories.browsing import Browsing
from tests.stories.conftest import NewStory


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[OpenIDProvider]:
    async with OpenIDProvider() as provider:
        yield provider


async def test_who_logs_in_is_known_until_they_log_out(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    story = await alone({"oauth": provider.settings()}, arguments=["--auth", "oauth"])
    async with Browsing(story.server.url) as browser:
        stranger = await browser.call("GET", "/api/me")
        assert (stranger.status, stranger.code) == (401, "unauthorized")
        assert stranger.json["error"]["login"] == "/login"
        page = await browser.log_in(next="/?x=1")
        assert (page.status, page.headers["content-type"]) == (200, "text/html")
        me = await browser.call("GET", "/api/me")
        assert me.json == {
            "user": {"id": "ada", "name": "Ada L.", "role": "user"},
            "auth": "oauth",
        }
        out = await browser.call("POST", "/api/logout", {})
        assert out.json["redirect"].startswith(f"{provider.url}/bye?")
        assert (await browser.call("GET", "/api/me")).status == 401
        assert browser.cookies == {}
