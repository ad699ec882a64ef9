"""Logging in and out: a browser sent to the provider, received back, and parted with."""

import re
from urllib.parse import urlsplit

from aiohttp import web

from agent.errors import Problem
from agent.loopback import is_loopback
from server.errors import Refusal, bad_request
from server.identity.admission import admitted
from server.identity.cookies import Cookies
from server.identity.logins import Logins
from server.identity.openid import OpenID, new_attempt
from server.identity.provider_calls import Denied
from server.people import User

BACK = "/login/callback"
LONGEST_NEXT = 300
LONGEST_CODE = 4096
_ERROR = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class LoginFlow:
    """`public_url` is where browsers reach this server; None: at the loopback name they ask for."""

    def __init__(
        self, provider: OpenID, logins: Logins, cookies: Cookies, public_url: str | None
    ) -> None:
        self._provider = provider
        self._logins = logins
        self._cookies = cookies
        self._public_url = public_url.rstrip("/") if public_url else None

    async def begin(self, request: web.Request) -> web.Response:
        """To the provider. Raises Refusal `provider_unavailable` or `login_failed`."""
        attempt = new_attempt()
        url = await self._provider.ask_url(attempt, self._here(request) + BACK)
        response = web.Response(status=303, headers={"Location": url})
        await self._cookies.begin(request, response, attempt, _path(request.query.get("next", "")))
        return response

    async def finish(self, request: web.Request) -> tuple[str, web.Response]:
        """Back from the provider: who is logged in now, and how they go on. Raises Refusal."""
        here, asked = self._here(request), request.query
        found = await self._cookies.take(request, asked.get("state", ""))
        if found is None:
            raise bad_login("This log-in was not begun in this browser, or too long ago.")
        attempt, back_to = found
        self._came_of_us(asked.get("iss"))
        if (error := asked.get("error")) is not None:
            raise Denied(f"it says {error}" if _ERROR.fullmatch(error) else "it says no")
        code = asked.get("code", "")
        if not 0 < len(code) <= LONGEST_CODE:
            raise bad_login("The provider sent no code.")
        tokens, claims = await self._provider.exchange(code, attempt, here + BACK)
        known = await self._logins.known_as(claims.subject)
        visitor = admitted(claims.called(known), self._provider.settings)
        await self._part_with_the_one_before(request)
        login = await self._logins.begin(visitor, tokens)
        response = web.Response(status=303, headers={"Location": back_to})
        await self._cookies.remember(request, response, login)
        return visitor.user, response

    async def give_up(self, request: web.Request, response: web.Response) -> None:
        """A log-in that failed cannot be finished a second time."""
        await self._cookies.drop(request, response, request.query.get("state", ""))

    async def out(self, request: web.Request, user: User, *, everywhere: bool) -> str | None:
        """End the log-in, or all of the user's; where a browser goes to end it at the provider."""
        login = user.token if user.via == "oauth" else None
        tokens = await self._logins.tokens(login) if login is not None else None
        if login is not None:
            await self._logins.end(login, user.id)
        if everywhere:
            await self._logins.end_all(user.id)
        if tokens is None:
            return None
        try:
            return await self._provider.end_url(tokens.id, self._here(request) + "/")
        except Problem:
            return None  # out of here, in any case

    async def forget(self, request: web.Request, response: web.Response) -> None:
        await self._cookies.forget(request, response)

    async def _part_with_the_one_before(self, request: web.Request) -> None:
        """Whoever logs in anew in the same browser is logged out first."""
        before = await self._cookies.login(request)
        if before is not None and (row := await self._logins.current(before)) is not None:
            await self._logins.end(before, row.user)

    def _came_of_us(self, issuer: str | None) -> None:
        """Where a provider names itself (RFC 9207), it has to be the one that was asked."""
        if issuer is not None and issuer.rstrip("/") != self._provider.settings.address.rstrip("/"):
            raise bad_login("The answer is another provider's.")

    def _here(self, request: web.Request) -> str:
        if self._public_url is not None:
            return self._public_url
        try:
            name = urlsplit(f"//{request.host}").hostname or ""
        except ValueError:
            name = ""
        if not is_loopback(name):
            raise bad_request("Set `oauth.public_url` to log in by another name than loopback.")
        return f"http://{request.host}"


def bad_login(message: str) -> Refusal:
    return Refusal(400, "bad_login", f"{message} Log in again.")


def _path(next_: str) -> str:
    """A path of this server and nothing else: no page may send its visitors elsewhere by us."""
    try:
        parts = urlsplit(next_)
    except ValueError:
        return "/"
    own = not parts.scheme and not parts.netloc and next_[:1] == "/" != next_[1:2]
    strange = "\\" in next_ or not (next_.isascii() and next_.isprintable())
    return next_ if own and not strange and len(next_) <= LONGEST_NEXT else "/"
