"""Showing a user's grant to a server of tools, and renewing it before or when it is over."""

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from urllib.parse import quote

import httpx2
import msgspec
from msgspec import Struct, structs

from agent.errors import Problem
from agent.tools.mcp_grant import Grant, Login
from agent.tools.mcp_guard import SECONDS, Guarded

EARLY_SECONDS = 10.0
"""A token that is over while it is on its way was of no use."""


class _Renewed(Struct, frozen=True):
    access_token: str
    expires_in: float | None = None
    refresh_token: str | None = None


class Bearer(httpx2.Auth):
    """`denied`: the server wants a log-in that nobody has; `on_denied` is told so."""

    def __init__(
        self, login: Login | None, on_denied: Callable[[], None], allow: Sequence[str] = ()
    ) -> None:
        self.denied = False
        self._login = login
        self._on_denied = on_denied
        self._allow = allow
        self._renewing = asyncio.Lock()

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        shown = await self._token(refused=None)
        response = yield _with(request, shown)
        if response.status_code != 401:
            return
        if (another := await self._token(refused=shown)) is not None:
            response = yield _with(request, another)
            if response.status_code != 401:
                return
        if self._login is not None:
            await self._login.refused()
        self.denied = True
        self._on_denied()

    async def _token(self, refused: str | None) -> str | None:
        """One to show that is not the one which was refused; many calls renew it once."""
        async with self._renewing:
            if self._login is None:
                return None
            grant = self._login.grant
            is_over = grant.expires is not None and grant.expires - EARLY_SECONDS <= time.time()
            if grant.access != refused and not is_over:
                return grant.access
            if grant.refresh is None:
                return grant.access if grant.access != refused else None
            anew = await renewed(grant, self._allow)
            if anew is None:
                return None
            await self._login.keep(anew)
            return anew.access


async def renewed(grant: Grant, allow: Sequence[str] = ()) -> Grant | None:
    """None where it is refused for good. Raises httpx2.HTTPError where nobody can say."""
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh or ""}
    if grant.resource is not None:
        form["resource"] = grant.resource
    headers = {"Accept": "application/json"}
    if grant.basic and grant.client_secret:
        pair = f"{quote(grant.client, safe='')}:{quote(grant.client_secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = grant.client
        if grant.client_secret:
            form["client_secret"] = grant.client_secret
    async with httpx2.AsyncClient(
        transport=Guarded(grant.home, allow), timeout=SECONDS, headers=headers
    ) as client:
        response = await client.post(grant.token_url, data=form)
    if response.status_code in (400, 401):
        return None
    return _read(grant, response)


def _read(grant: Grant, response: httpx2.Response) -> Grant:
    try:
        if response.status_code != 200:
            raise ValueError
        said = msgspec.json.decode(response.content, type=_Renewed)
    except (msgspec.DecodeError, ValueError):
        says = f"The log-in could not be renewed: it answered {response.status_code}."
        raise httpx2.ReadError(says) from None
    return structs.replace(
        grant,
        access=said.access_token,
        refresh=said.refresh_token or grant.refresh,
        expires=None if said.expires_in is None else time.time() + said.expires_in,
    )


def login_wanted(name: str) -> Problem:
    says = f"The MCP server {name} wants its user to log in"
    return Problem(
        "mcp_login", f"{says}. They connect it in the settings; then its tools are there."
    )


def _with(request: httpx2.Request, token: str | None) -> httpx2.Request:
    if token is not None:
        request.headers["Authorization"] = f"Bearer {token}"
    return request
