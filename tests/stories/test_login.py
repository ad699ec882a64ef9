"""Logging in at an OpenID provider: the round trip, who stays logged in, and what ends it."""

import time
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.api import Api
from tests.client import WITHIN, Viewer
from tests.fakes.openid import OpenIDProvider
from tests.oracle import Frame
from tests.stories.browsing import Browsing
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, handshake_refusal
from tests.stories.test_tokens import bearer, create, known


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[OpenIDProvider]:
    async with OpenIDProvider() as provider:
        yield provider


async def with_login(alone: NewStory, settings: Frame) -> Story:
    return await alone({"oauth": settings}, arguments=["--auth", "oauth"])


async def me(browser: Browsing) -> int:
    return (await browser.call("GET", "/api/me")).status


async def out_in_the_end(browser: Browsing) -> None:
    until = time.monotonic() + WITHIN
    while await me(browser) != 401:
        assert time.monotonic() < until


async def begun(browser: Browsing) -> str:
    """A new session of whoever is logged in."""
    answer = await browser.call("POST", "/api/sessions", {"title": "A story"})
    assert answer.status == 201
    return str(answer.json["id"])


async def test_who_logs_in_is_known_until_they_log_out(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    story = await with_login(alone, provider.settings())
    async with Browsing(story.server.url) as browser:
        stranger = await browser.call("GET", "/api/me")
        assert (stranger.status, stranger.code) == (401, "unauthorized")
        assert stranger.json["error"]["login"] == "/login"
        page = await browser.log_in(next="/?x=1")
        assert (page.status, page.headers["content-type"]) == (200, "text/html")
        whole = await browser.call("GET", "/api/me")
        assert whole.json == {
            "user": {"id": "ada", "name": "Ada L.", "role": "user"},
            "auth": "oauth",
        }
        session = await begun(browser)
        viewer = Viewer(story.server.url, session, headers=browser.headers)
        async with viewer:
            await viewer.synced()
            out = await browser.call("POST", "/api/logout", {})
            assert out.json["redirect"].startswith(f"{provider.url}/bye?")
            assert await viewer.closed() == 4401
        assert await me(browser) == 401
        assert browser.cookies == {}
        assert (await browser.go(out.json["redirect"])).status == 200
    assert provider.seen["bye"][0]["post_logout_redirect_uri"] == f"{story.server.url}/"


async def test_what_was_granted_is_neither_stored_nor_logged_in_the_clear(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    story = await with_login(alone, provider.settings())
    async with Browsing(story.server.url) as browser:
        await browser.log_in()
        ticket = (await browser.call("POST", "/api/tickets")).json["ticket"]
        cookies = browser.cookies
        stored = b"".join(p.read_bytes() for p in story.server.data.rglob("*") if p.is_file())
        for secret in (*provider.access, *cookies.values(), ticket, "eyJ"):
            assert secret.encode() not in stored
            assert secret not in story.server.stderr
    assert (story.server.data / "vault.keys").stat().st_mode & 0o777 == 0o600


async def test_a_login_outlives_a_restart_but_not_other_scopes(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    story = await with_login(alone, provider.settings())
    async with Browsing(story.server.url) as browser:
        await browser.log_in()
        await story.restart()
        browser.url = story.server.url
        assert await me(browser) == 200
        more = provider.settings(scopes=["openid", "profile", "jobs"])
        story.server.configure({"oauth": more})
        await story.restart()
        browser.url = story.server.url
        assert await me(browser) == 401
        await browser.log_in()
        assert await me(browser) == 200
    assert provider.seen["authorize"][-1]["scope"] == "openid profile jobs"


async def test_log_out_everywhere_reaches_the_other_browsers(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    story = await with_login(alone, provider.settings())
    async with Browsing(story.server.url) as one, Browsing(story.server.url) as other:
        await one.log_in()
        await other.log_in()
        session = await begun(other)
        async with Viewer(story.server.url, session, headers=other.headers) as viewer:
            await viewer.synced()
            await one.call("POST", "/api/logout", {"everywhere": True})
            assert await viewer.closed() == 4401
        assert [await me(one), await me(other)] == [401, 401]


async def test_tokens_are_renewed_before_they_end(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    provider.lifetime = 4
    story = await with_login(alone, provider.settings())
    async with Browsing(story.server.url) as browser:
        await browser.log_in()
        asked = await provider.asked("token", times=3)
        assert [form["grant_type"] for form in asked[:3]] == [
            "authorization_code",
            "refresh_token",
            "refresh_token",
        ]
        assert asked[1]["refresh_token"] != asked[2]["refresh_token"]
        assert await me(browser) == 200


async def test_a_login_that_the_provider_gives_up_ends_with_its_sockets(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    provider.lifetime = 4
    story = await with_login(alone, provider.settings())
    async with Browsing(story.server.url) as browser:
        await browser.log_in()
        session = await begun(browser)
        async with Viewer(story.server.url, session, headers=browser.headers) as viewer:
            await viewer.synced()
            provider.revoked.add("ada")
            assert await viewer.closed() == 4401
        await out_in_the_end(browser)


async def test_a_provider_that_is_away_ends_no_login(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    provider.lifetime = 4
    story = await with_login(alone, provider.settings())
    async with Browsing(story.server.url) as browser:
        await browser.log_in()
        provider.fail("token", 500)
        await provider.asked("token", times=len(provider.seen["token"]) + 1)
        assert await me(browser) == 200


async def test_a_cookie_alone_changes_nothing_and_opens_no_socket(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    story = await with_login(alone, provider.settings())
    async with Browsing(story.server.url) as browser:
        await browser.log_in()
        session = await begun(browser)
        for origin in (None, "https://evil.example", "null"):
            answer = await browser.call("POST", "/api/sessions", {}, origin=origin)
            assert (answer.status, answer.code) == (403, "forbidden_origin"), origin
        cookie = {"Cookie": browser.headers["Cookie"]}
        for headers in (cookie, {**cookie, "Origin": "https://evil.example"}):
            stranger = Viewer(story.server.url, session, headers=headers)
            assert await handshake_refusal(stranger) == (403, "forbidden_origin")
        read = await browser.call("GET", "/api/sessions", origin=None)
        assert read.status == 200


async def test_api_tokens_work_beside_it_and_are_the_same_people(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    story = await with_login(alone, provider.settings())
    token = await create(story.server, "ada")
    async with Browsing(story.server.url) as browser, Api(story.server.url, bearer(token)) as api:
        await browser.log_in()
        session = await begun(browser)
        await known(api)
        assert (await api.good("GET", "/api/me"))["auth"] == "token"
        assert (await api.look(session))["owner"] == "ada"
        wrong = {"Authorization": "Bearer mooring_wrong"}
        assert (await browser.call("GET", "/api/me", headers=wrong)).status == 401


async def test_an_account_keeps_its_name_and_nobody_takes_it(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    story = await with_login(alone, provider.settings())
    async with Browsing(story.server.url) as browser, Browsing(story.server.url) as thief:
        await browser.log_in()
        provider.people["ada"] = {"preferred_username": "countess", "name": "Ada"}
        await browser.log_in()
        again = (await browser.call("GET", "/api/me")).json["user"]
        assert (again["id"], again["name"]) == ("ada", "Ada")
        provider.who = "bob"
        provider.people["bob"] = {"preferred_username": "ada", "name": "Ada L."}
        answer = await thief.log_in()
        assert (answer.status, answer.code) == (403, "not_admitted")
        assert await me(thief) == 401


async def test_operators_are_named_in_the_configuration(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    story = await with_login(alone, provider.settings(operators=["ada"]))
    async with Browsing(story.server.url) as browser:
        await browser.log_in()
        assert (await browser.call("GET", "/api/me")).json["user"]["role"] == "operator"


async def test_without_a_word_about_who_may_log_in_it_does_not_start(
    alone: NewStory, provider: OpenIDProvider
) -> None:
    story = await alone()
    where = ("--port", "0", "--no-browser", "--data-dir", f"{story.server.data}-2")
    for wrong in (
        None,
        provider.settings(allow={}),
        provider.settings(issuer="http://provider.example"),
        provider.settings(public_url="http://mooring.example"),
        provider.settings(scopes=["profile"]),
    ):
        story.server.configure({"oauth": wrong} if wrong else {})
        config = ("--config", str(story.server.data.parent / "overlay.json"))
        status, printed = await story.server.command(
            "serve", *where, *config, "--model", "demo", "--auth", "oauth"
        )
        assert (status, printed) == (2, ""), wrong
