"""The cookies of browsers: what they say of themselves, and who can read them."""

from http.cookies import SimpleCookie

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from cryptography.fernet import Fernet

from server.identity.cookies import MOST_ATTEMPTS, Cookies
from server.identity.openid import Attempt, new_attempt

OLD, NEW = Fernet.generate_key(), Fernet.generate_key()


def jar(*keys: bytes, url: str | None = None) -> Cookies:
    return Cookies(keys or (NEW,), url, days=30)


def request(*responses: web.Response) -> web.Request:
    """Of a browser that got these responses, one after the other."""
    kept: dict[str, str] = {}
    for response in responses:
        for name, morsel in response.cookies.items():
            kept[name] = morsel.value
    pairs = "; ".join(f"{name}={value}" for name, value in kept.items() if value)
    return make_mocked_request("GET", "/", headers={"Cookie": pairs} if pairs else {})


async def remembered(cookies: Cookies) -> web.Response:
    response = web.Response()
    await cookies.remember(request(), response, "login_1")
    return response


@pytest.mark.parametrize(
    ("url", "name", "secure"),
    [
        (None, "mooring", False),
        ("http://127.0.0.1:9000", "mooring-9000", False),
        ("https://mooring.example", "__Host-mooring", True),
        ("https://mooring.example:8443/", "__Host-mooring-8443", True),
    ],
)
async def test_it_is_kept_from_scripts_other_sites_and_networks(
    url: str | None, name: str, secure: bool
) -> None:
    cookies = jar(url=url)
    response = await remembered(cookies)
    morsel = response.cookies[name]
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")
    assert (bool(morsel["secure"]), morsel["domain"]) == (secure, "")
    assert morsel["max-age"] == 30 * 86_400 or morsel["max-age"] == str(30 * 86_400)
    assert "login_1" not in morsel.value
    gone = web.Response()
    await cookies.forget(request(response), gone)
    deleted = gone.cookies[name]
    assert (deleted.value, bool(deleted["secure"]), deleted["path"]) == ("", secure, "/")


async def test_it_is_read_with_any_of_the_keys_and_by_nobody_else() -> None:
    response = await remembered(jar(OLD))
    assert await jar(NEW, OLD).login(request(response)) == "login_1"
    assert await jar(NEW).login(request(response)) is None
    assert await jar(OLD).login(request()) is None


async def test_only_so_many_attempts_are_kept_and_each_is_taken_by_its_state() -> None:
    cookies, response, attempts = jar(), web.Response(), list[Attempt]()
    for number in range(MOST_ATTEMPTS + 1):
        attempts.append(new_attempt())
        before, response = response, web.Response()
        await cookies.begin(request(before), response, attempts[-1], f"/{number}" + "a" * 298)
    browser = request(response)
    assert await cookies.take(browser, attempts[0].state) is None
    for number, attempt in enumerate(attempts[1:], 1):
        assert await cookies.take(browser, attempt.state) == (attempt, f"/{number}" + "a" * 298)
    assert await cookies.take(browser, "another") is None
    assert len(next(iter(response.cookies.values())).value) < 3800, "browsers take 4096 bytes"
    dropped = web.Response()
    await cookies.drop(browser, dropped, attempts[1].state)
    assert await cookies.take(request(response, dropped), attempts[1].state) is None
    assert await cookies.take(request(response, dropped), attempts[2].state) is not None
    untouched = web.Response()
    await cookies.drop(browser, untouched, "another")
    assert untouched.cookies == SimpleCookie()


async def test_a_cookie_of_one_kind_is_none_of_the_other() -> None:
    cookies = jar()
    response = await remembered(cookies)
    swapped = f"mooring-login={response.cookies['mooring'].value}"
    browser = make_mocked_request("GET", "/", headers={"Cookie": swapped})
    assert await cookies.take(browser, "login") is None
