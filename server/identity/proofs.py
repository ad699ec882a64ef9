"""What a request may show to prove whose it is: an API token, a ticket, the cookie of a log-in."""

from collections.abc import Collection
from typing import Protocol

from aiohttp import hdrs, web

from server.errors import Refusal
from server.identity.cookies import Cookies
from server.identity.logins import PREFIX, Logins
from server.identity.tickets import Tickets
from server.identity.tokens import Tokens
from server.identity.uses import Uses
from server.people import ROLES, Role, User

SAFE_METHODS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})


class Proof(Protocol):
    async def user(self, request: web.Request) -> User | None:
        """Whose the request is; None where it shows nothing of this kind that is good."""
        ...

    async def lost(self, ids: Collection[str]) -> Collection[str]:
        """Those of `User.token` that came of this kind and are good no more."""
        ...


def is_guarded(request: web.Request) -> bool:
    """Whether it could change something, or open a connection that could."""
    return request.method not in SAFE_METHODS or hdrs.UPGRADE in request.headers


def shows_itself(request: web.Request) -> bool:
    """Whether it brings something that no browser sends by itself; then nothing else counts."""
    return hdrs.AUTHORIZATION in request.headers or _ticket(request) is not None


def _ticket(request: web.Request) -> str | None:
    return request.query.get("ticket") if hdrs.UPGRADE in request.headers else None


def role_of(name: str) -> Role:
    """What is written of a role; a word that is none gives the least."""
    return next((role for role in ROLES if role == name), ROLES[0])


class Bearer:
    """An API token in `Authorization`."""

    def __init__(self, tokens: Tokens, uses: Uses | None = None) -> None:
        self._tokens = tokens
        self._uses = uses

    async def user(self, request: web.Request) -> User | None:
        scheme, _, secret = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        token = await self._tokens.verify(secret.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            return None
        if self._uses is not None:
            self._uses.note(token.id)
        return User(token.user, token.user, role_of(token.role), "token", token.id)

    async def lost(self, ids: Collection[str]) -> Collection[str]:
        tokens = [id for id in ids if not id.startswith(PREFIX)]
        return [id for id in tokens if await self._tokens.current(id) is None]


class Ticket:
    """A ticket in the address of a handshake: there browsers can send no header."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets

    async def user(self, request: web.Request) -> User | None:
        ticket = _ticket(request)
        return None if ticket is None else self._tickets.take(ticket)

    async def lost(self, ids: Collection[str]) -> Collection[str]:
        """Who came with one came by what it was made with."""
        return ()


class Cookie:
    """The cookie of a log-in; browsers send it by themselves, so they have to name the page."""

    def __init__(self, cookies: Cookies, logins: Logins, uses: Uses) -> None:
        self._cookies = cookies
        self._logins = logins
        self._uses = uses

    async def user(self, request: web.Request) -> User | None:
        """Raises Refusal `forbidden_origin` where no origin is named."""
        id = None if shows_itself(request) else await self._cookies.login(request)
        login = None if id is None else await self._logins.current(id)
        if login is None:
            return None
        if is_guarded(request) and hdrs.ORIGIN not in request.headers:
            raise Refusal(
                403, "forbidden_origin", "A cookie alone may not do this: send `Origin`, too."
            )
        self._uses.note(login.id)
        return User(login.user, login.name, role_of(login.role), "oauth", login.id)

    async def lost(self, ids: Collection[str]) -> Collection[str]:
        logins = [id for id in ids if id.startswith(PREFIX)]
        return await self._logins.lost(logins) if logins else ()
