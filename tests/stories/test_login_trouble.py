"""Everything that can be wrong between a browser, a provider and us: nobody is let in by it."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from tests.fakes.openid import OpenIDProvider
from tests.serving import Server
from tests.stories.browsing import Browsing
from tests.stories.conftest import overlay
from tests.stories.scene import StoryModel

Wrong = Callable[[OpenIDProvider], None]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _provider() -> AsyncIterator[OpenIDProvider]:
    async with OpenIDProvider() as provider:
        yield provider


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(
    _provider: OpenIDProvider, model: StoryModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """One server for all: a log-in that fails leaves nothing behind."""
    limits = dict.fromkeys(("failures_per_minute", "logins_per_minute"), 100_000)
    more = {"oauth": _provider.settings(), "limits": limits}
    folder = tmp_path_factory.mktemp("guarded")
    arguments = ["--auth", "oauth"]
    async with Server(folder, model.url, config=overlay(more), arguments=arguments) as server:
        yield server


@pytest.fixture
def provider(_provider: OpenIDProvider) -> OpenIDProvider:
    _provider.fresh()
    return _provider


@pytest_asyncio.fixture(loop_scope="session")
async def browser(guarded: Server) -> AsyncIterator[Browsing]:
    async with Browsing(guarded.url) as browser:
        yield browser


def claim(**claims: Any) -> Wrong:
    """An id token that says something else; None takes a claim out of it."""

    def change(said: dict[str, Any]) -> None:
        said.update(claims)
        for name in [name for name, value in said.items() if value is None]:
            del said[name]

    def wrong(provider: OpenIDProvider) -> None:
        provider.spoil = change

    return wrong


def header(**header: Any) -> Wrong:
    return lambda provider: setattr(provider, "header", header)


def answers(endpoint: str, status: int, body: bytes = b"{}") -> Wrong:
    return lambda provider: provider.fail(endpoint, status, body)


def missing_claims(provider: OpenIDProvider) -> None:
    provider.in_token = False
    provider.fail("userinfo", 200, b'{"sub": "somebody", "preferred_username": "ada"}')


FAILED = (401, "login_failed")
AWAY = (503, "provider_unavailable")
TROUBLE: dict[str, tuple[Wrong, tuple[int, str], str]] = {
    "another nonce": (claim(nonce="x"), FAILED, "belongs to another log-in"),
    "no nonce": (claim(nonce=None), FAILED, "belongs to another log-in"),
    "another audience": (claim(aud="somebody"), FAILED, "for another client"),
    "audiences without us": (claim(aud=["a", "b"]), FAILED, "for another client"),
    "no audience": (claim(aud=None), FAILED, "for another client"),
    "given to another client": (
        claim(aud=["mooring", "b"], azp="b"),
        FAILED,
        "given to another client",
    ),
    "another issuer": (claim(iss="https://evil.example"), FAILED, "issued by somebody else"),
    "expired": (claim(exp=1_700_000_000), FAILED, "has expired"),
    "no end": (claim(exp=None), FAILED, "has expired"),
    "an end in words": (claim(exp="never"), FAILED, "has expired"),
    "of the future": (claim(iat=4_000_000_000), FAILED, "of the future"),
    "nobody": (claim(sub=None), FAILED, "names nobody"),
    "a subject that is no text": (claim(sub=7), FAILED, "names nobody"),
    "no algorithm": (header(alg="none"), FAILED, "signature does not hold"),
    "the client's secret as key": (header(alg="HS256"), FAILED, ""),
    "an unknown key": (header(kid="nobody's"), FAILED, "a key that it does not publish"),
    "a forged key": (OpenIDProvider.forge_key, FAILED, "signature does not hold"),
    "a code that is refused": (
        answers("token", 400, b'{"error": "invalid_grant"}'),
        FAILED,
        "it says invalid_grant",
    ),
    "no JSON": (answers("token", 200, b"<html>"), FAILED, "no JSON object"),
    "no object": (answers("token", 200, b"[]"), FAILED, "no JSON object"),
    "no token": (answers("token", 200, b'{"token_type": "Bearer"}'), FAILED, "no bearer token"),
    "another kind of token": (
        answers("token", 200, b'{"access_token": "a", "token_type": "mac"}'),
        FAILED,
        "no bearer token",
    ),
    "no id token": (
        answers("token", 200, b'{"access_token": "a", "token_type": "bearer"}'),
        FAILED,
        "no id token",
    ),
    "an id token that is none": (
        answers("token", 200, b'{"access_token": "a", "token_type": "Bearer", "id_token": "a.b"}'),
        FAILED,
        "signature does not hold",
    ),
    "a flood": (answers("token", 200, b" " * 300_000 + b"{}"), FAILED, "larger than"),
    "a redirect": (answers("token", 302), FAILED, "answers 302"),
    "an error of the provider": (answers("token", 500), AWAY, "answers 500"),
    "too many requests": (answers("token", 429), AWAY, "answers 429"),
    "user information of somebody else": (missing_claims, FAILED, "of somebody else"),
    "an error at the log-in": (
        lambda p: setattr(p, "error", "access_denied"),
        FAILED,
        "it says access_denied",
    ),
    "an error with a script in it": (
        lambda p: setattr(p, "error", "<script>"),
        FAILED,
        "it says no",
    ),
    "somebody who is not admitted": (
        claim(preferred_username="eve", sub="account-of-eve"),
        (403, "not_admitted"),
        "not among those",
    ),
    "a name that cannot be": (
        claim(preferred_username="mooring", sub="account-of-nobody"),
        (403, "not_admitted"),
        "cannot be a user's",
    ),
}


@pytest.mark.parametrize("what", TROUBLE)
async def test_nobody_is_let_in_by(what: str, provider: OpenIDProvider, browser: Browsing) -> None:
    wrong, expected, says = TROUBLE[what]
    wrong(provider)
    answer = await browser.log_in()
    assert (answer.status, answer.code) == expected
    assert says in answer.json["error"]["message"]
    assert "<script>" not in answer.json["error"]["message"]
    assert browser.cookies == {}, "the attempt is over"
    assert (await browser.call("GET", "/api/me")).status == 401


async def test_after_all_that_it_goes_on(provider: OpenIDProvider, browser: Browsing) -> None:
    assert (await browser.log_in()).status == 200
    assert (await browser.call("GET", "/api/me")).status == 200


async def test_a_person_is_told_on_a_page(provider: OpenIDProvider, browser: Browsing) -> None:
    provider.error = "access_denied"
    url = f"{browser.url}/login"
    answer = await browser._ask("GET", url, headers={"Accept": "text/html,*/*"})
    assert (answer.status, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert b"it says access_denied" in answer.body
    assert b'href="/login"' in answer.body


async def test_claims_that_the_token_lacks_are_asked_for(
    provider: OpenIDProvider, browser: Browsing
) -> None:
    provider.in_token = False
    await browser.log_in()
    assert (await browser.call("GET", "/api/me")).json["user"]["name"] == "Ada L."
    assert len(provider.seen["userinfo"]) == 1


async def test_what_the_provider_publishes_is_not_asked_for_each_time(
    provider: OpenIDProvider, browser: Browsing
) -> None:
    await browser.log_in()
    provider.seen.clear()
    for _ in range(3):
        assert (await browser.log_in()).status == 200
    assert provider.seen.keys() == {"authorize", "token"}


async def back_from(provider: OpenIDProvider, browser: Browsing) -> str:
    """The address that the provider sends this browser to, before it goes there."""
    to_provider = await browser.go("/login", follow=False)
    assert to_provider.status == 303
    back = await browser.go(to_provider.headers["location"], follow=False)
    return back.headers["location"]


async def test_an_answer_is_good_once(provider: OpenIDProvider, browser: Browsing) -> None:
    url = await back_from(provider, browser)
    assert (await browser.go(url, follow=False)).status == 303
    answer = await browser.go(url, follow=False)
    assert (answer.status, answer.code) == (400, "bad_login")
    assert len(provider.seen["token"]) == 1


async def test_an_answer_is_good_in_the_browser_that_asked(
    provider: OpenIDProvider, browser: Browsing, guarded: Server
) -> None:
    """Else a stranger could make somebody work in the stranger's own account."""
    url = await back_from(provider, browser)
    async with Browsing(guarded.url) as other:
        answer = await other.go(url, follow=False)
        assert (answer.status, answer.code) == (400, "bad_login")
        await other.go("/login", follow=False)
        answer = await other.go(url, follow=False)
        assert (answer.status, answer.code) == (400, "bad_login")
    assert "token" not in provider.seen


@pytest.mark.parametrize("spoilt", ["state=", "code=", "iss=https://evil.example&"])
async def test_an_answer_that_is_not_whole_is_none(
    spoilt: str, provider: OpenIDProvider, browser: Browsing
) -> None:
    url = await back_from(provider, browser)
    asked = parse_qs(urlsplit(url).query)
    if spoilt.startswith("iss"):
        url += f"&{spoilt}"
    else:
        url = url.replace(spoilt + asked[spoilt[:-1]][0], spoilt)
    answer = await browser.go(url, follow=False)
    assert (answer.status, answer.code) == (400, "bad_login")
    assert "token" not in provider.seen


@pytest.mark.parametrize(
    ("wish", "leads_to"),
    [
        ("/?session=s1", "/?session=s1"),
        ("/#/s/1", "/#/s/1"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/%0d%0aSet-Cookie:x=y", "/%0d%0aSet-Cookie:x=y"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("javascript:alert(1)", "/"),
        ("evil", "/"),
        ("/" + "a" * 1000, "/"),
        ("http://[", "/"),
    ],
)
async def test_nobody_is_sent_elsewhere_by_us(
    wish: str, leads_to: str, provider: OpenIDProvider, browser: Browsing
) -> None:
    to_provider = await browser.go("/login", follow=False, next=wish)
    back = await browser.go(to_provider.headers["location"], follow=False)
    home = await browser.go(back.headers["location"], follow=False)
    assert (home.status, home.headers["location"]) == (303, leads_to)


async def test_tabs_that_log_in_side_by_side_do_not_disturb_each_other(
    provider: OpenIDProvider, browser: Browsing
) -> None:
    urls = [await back_from(provider, browser) for _ in range(3)]
    assert (await browser.go(urls[1], follow=False)).status == 303
    assert (await browser.call("GET", "/api/me")).status == 200


async def test_a_new_login_is_another_one_and_ends_the_one_before(
    provider: OpenIDProvider, browser: Browsing, guarded: Server
) -> None:
    await browser.log_in()
    before = browser.headers
    await browser.log_in()
    assert browser.headers != before
    async with Browsing(guarded.url) as thief:
        answer = await thief.call("GET", "/api/me", headers={"Cookie": before["Cookie"]})
        assert answer.status == 401


@pytest.mark.parametrize("cookie", ["", "x", "gAAAAA" + "A" * 100, "\udcff\udc80", "a" * 3000])
async def test_a_cookie_that_is_none_is_nobody(cookie: str, browser: Browsing) -> None:
    name = f"mooring-{urlsplit(browser.url).port}"
    for called in (name, "mooring"):
        answer = await browser.call("GET", "/api/me", headers={"Cookie": f"{called}={cookie}"})
        assert (answer.status, answer.code) == (401, "unauthorized")
