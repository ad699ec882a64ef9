"""Logging in at a provider that others wrote: what we take for the protocol, they do, too."""

import time

from tests.api import Answer
from tests.client import WITHIN, Viewer
from tests.fakes.provider_of_others import ProviderOfOthers
from tests.stories.browsing import Browsing
from tests.stories.conftest import NewStory
from tests.stories.scene import Story

ADA = {
    "preferred_username": "ada",
    "name": "Ada L.",
    "email": "ada@lab.example",
    "email_verified": True,
    "groups": ["lab"],
}
BOB = {"preferred_username": "bob", "email": "bob@elsewhere.example", "email_verified": True}
LIAR = {"preferred_username": "liar", "email": "liar@lab.example", "email_verified": False}


async def with_provider(alone: NewStory, provider: ProviderOfOthers) -> Story:
    settings = {
        "issuer": provider.url,
        "client_id": "mooring",
        "client_secret": "no secret there",
        "allow": {"domains": ["lab.example"]},
    }
    return await alone({"oauth": settings}, arguments=["--auth", "oauth"])


async def consent(browser: Browsing, account: str, **form: str) -> Answer:
    """Go to the provider, and press the button that it shows."""
    there = await browser.go("/login", follow=False)
    url = there.headers["location"]
    asked = await browser.go(url)
    assert b"Authorize Client" in asked.body
    return await browser._ask("POST", url, data={"sub": f"id-of-{account}", **form})


async def test_the_whole_round_trip_works_there_too(alone: NewStory) -> None:
    async with ProviderOfOthers(ada=ADA, bob=BOB, liar=LIAR) as provider:
        story = await with_provider(alone, provider)
        async with Browsing(story.server.url) as browser:
            assert (await consent(browser, "ada")).status == 200
            me = (await browser.call("GET", "/api/me")).json
            assert me["user"] == {"id": "ada", "name": "Ada L.", "role": "user"}
            out = (await browser.call("POST", "/api/logout", {})).json["redirect"]
            assert out.startswith(f"{provider.url}/oauth2/end_session?")
            assert (await browser.go(out)).status == 200
            assert (await browser.call("GET", "/api/me")).status == 401
            denied = await consent(browser, "ada", action="deny")
            # Its denial bears no state, against the protocol: it might be anybody's.
            assert (denied.status, denied.code) == (400, "bad_login")
            for account in ("bob", "liar"):
                answer = await consent(browser, account)
                assert (answer.status, answer.code) == (403, "not_admitted"), account


async def test_it_is_renewed_there_and_ends_when_it_is_revoked_there(alone: NewStory) -> None:
    async with ProviderOfOthers(token_seconds=6, ada=ADA) as provider:
        story = await with_provider(alone, provider)
        async with Browsing(story.server.url) as browser:
            await consent(browser, "ada")
            begun = await browser.call("POST", "/api/sessions", {"title": "A story"})
            headers = browser.headers
            async with Viewer(story.server.url, begun.json["id"], headers=headers) as viewer:
                await viewer.synced()
                await provider.revoke("ada")
                assert await viewer.closed() == 4401
            until = time.monotonic() + WITHIN
            while (await browser.call("GET", "/api/me")).status != 401:
                assert time.monotonic() < until
