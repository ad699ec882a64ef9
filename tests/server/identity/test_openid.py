"""A provider as its client sees it: what is asked for how often, and what discovery must say."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web

from server.errors import Refusal
from server.identity.openid import (
    AGAIN_SECONDS,
    KEPT_SECONDS,
    KEYS_AGAIN_SECONDS,
    OpenID,
    Tokens,
    new_attempt,
)
from server.identity.provider_calls import Calls, Denied, Unreachable
from server.login_settings import LoginSettings
from tests.fakes.openid import CLIENT, SECRET, OpenIDProvider

BACK = "http://127.0.0.1:1/login/callback"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Client(OpenID):
    """With a clock that is moved by hand, and a short patience."""

    def __init__(self, http: aiohttp.ClientSession, settings: LoginSettings) -> None:
        self.hands = Clock()
        super().__init__(settings, Calls(http, settings, seconds=1.0), clock=self.hands)
        self.http = http

    async def log_in(self) -> Tokens:
        """As a browser would be sent to and fro."""
        attempt = new_attempt()
        url = await self.ask_url(attempt, BACK)
        async with self.http.get(url, allow_redirects=False) as response:
            came = parse_qs(urlsplit(response.headers["Location"]).query)
        assert came["state"] == [attempt.state]
        tokens, claims = await self.exchange(came["code"][0], attempt, BACK)
        assert claims.user == "ada"
        return tokens


@pytest.fixture
async def provider() -> AsyncIterator[OpenIDProvider]:
    async with OpenIDProvider() as provider:
        yield provider


@pytest.fixture
async def client(provider: OpenIDProvider) -> AsyncIterator[Client]:
    settings = LoginSettings(client_id=CLIENT, client_secret=SECRET, issuer=provider.url)
    async with aiohttp.ClientSession() as http:
        yield Client(http, settings)


async def test_what_it_publishes_is_believed_for_an_hour(
    provider: OpenIDProvider, client: Client
) -> None:
    await client.log_in()
    client.hands.now = KEPT_SECONDS - 1
    await client.log_in()
    assert len(provider.seen["discovery"]) == len(provider.seen["jwks"]) == 1
    client.hands.now = KEPT_SECONDS
    await client.log_in()
    assert len(provider.seen["discovery"]) == 2


async def test_a_key_that_was_changed_is_looked_for_but_not_all_the_time(
    provider: OpenIDProvider, client: Client
) -> None:
    await client.log_in()
    provider.change_key()
    for client.hands.now in (1, KEYS_AGAIN_SECONDS - 1):
        with pytest.raises(Denied, match="does not publish"):
            await client.log_in()
    assert len(provider.seen["jwks"]) == 1
    client.hands.now = KEYS_AGAIN_SECONDS
    await client.log_in()
    assert len(provider.seen["jwks"]) == 2


async def test_a_renewal_keeps_the_refresh_token_where_no_new_one_comes(
    provider: OpenIDProvider, client: Client
) -> None:
    first = await client.log_in()
    assert first.refresh is not None
    provider.gives_refresh = False
    renewed = await client.renew(first.refresh)
    assert renewed.refresh == first.refresh
    assert renewed.access != first.access
    with pytest.raises(Denied) as refusal:
        await client.renew("another")
    assert refusal.value.error == "invalid_grant"


async def test_a_provider_that_takes_too_long_is_not_waited_for(
    provider: OpenIDProvider, client: Client
) -> None:
    await client.log_in()
    provider.hold = asyncio.Event()
    with pytest.raises(Unreachable, match="too long"):
        await client.log_in()


async def test_one_that_is_not_there_cannot_be_reached(client: Client) -> None:
    nobody = LoginSettings(client_id=CLIENT, issuer="http://127.0.0.1:1")
    with pytest.raises(Unreachable, match="cannot be reached"):
        await Client(client.http, nobody).provider()


async def test_one_that_fails_is_not_asked_again_at_once(
    provider: OpenIDProvider, client: Client
) -> None:
    provider.fail("discovery", 500)
    for client.hands.now in (0, 1, AGAIN_SECONDS - 0.001):
        with pytest.raises(Unreachable):
            await client.provider()
    assert len(provider.seen["discovery"]) == 1
    del provider.answers["discovery"]
    client.hands.now = AGAIN_SECONDS
    assert (await client.provider()).issuer == provider.url


@pytest.mark.parametrize(
    ("published", "says"),
    [
        ({"issuer": "https://evil.example"}, "calls itself"),
        ({"issuer": None}, "calls itself"),
        ({"token_endpoint": None}, "does not publish where"),
        ({"jwks_uri": "file:///etc/passwd"}, "does not publish where"),
        ({"authorization_endpoint": 7}, "does not publish where"),
    ],
)
async def test_discovery_has_to_be_the_issuers_and_whole(
    published: dict[str, Any], says: str, provider: OpenIDProvider, client: Client
) -> None:
    whole = {
        "issuer": provider.url,
        "authorization_endpoint": f"{provider.url}/authorize",
        "token_endpoint": f"{provider.url}/token",
        "jwks_uri": f"{provider.url}/jwks",
    }
    provider.answers["discovery"] = lambda: web.json_response({**whole, **published})
    with pytest.raises(Denied, match=says):
        await client.log_in()


async def test_what_an_https_provider_names_has_to_be_https(client: Client) -> None:
    safe = LoginSettings(client_id=CLIENT, issuer="https://idp.example")
    with pytest.raises(Refusal, match="not https"):
        await Calls(client.http, safe).get("http://idp.example/keys")


async def test_a_secret_goes_into_the_form_where_the_provider_wants_it_there(
    provider: OpenIDProvider, client: Client
) -> None:
    provider.fail("token", 200)
    settings = LoginSettings(client_id=CLIENT, client_secret=SECRET, issuer=provider.url)
    await Calls(client.http, settings).post(f"{provider.url}/token", {}, token_basic=False)
    public = LoginSettings(client_id=CLIENT, issuer=provider.url)
    await Calls(client.http, public).post(f"{provider.url}/token", {}, token_basic=True)
    assert provider.seen["token"] == [
        {"client_id": CLIENT, "client_secret": SECRET},
        {"client_id": CLIENT},
    ]


async def test_the_provider_is_told_whose_login_to_end(
    provider: OpenIDProvider, client: Client
) -> None:
    url = await client.end_url("the id token", "http://127.0.0.1:1/")
    assert url is not None
    assert parse_qs(urlsplit(url).query)["id_token_hint"] == ["the id token"]
    without = await client.end_url(None, "http://127.0.0.1:1/")
    assert without is not None
    assert "id_token_hint" not in without
