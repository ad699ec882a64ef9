"""The gate every request passes: whose it is, and whether its origin and host may ask at all."""

import asyncio
import logging
from collections.abc import Callable, Collection
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from agent.errors import ConfigProblem, Problem
from server.config import Config
from server.errors import Refusal
from server.held import Held
from server.identity.origins import Origins
from server.identity.tokens import Tokens
from server.people import AuthMethod, Role, User
from server.settings import ServeSettings

log = logging.getLogger(__name__)

GATE: web.AppKey["Gate"] = web.AppKey("gate")
DEV = User("dev", "dev", "operator", "dev")
SAFE_METHODS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
REVOCATION_SECONDS = 0.5
"""How often the tokens of open connections are looked at again."""


class Gate:
    """`mode` is dev (one user, loopback only) or token. `any_host`: dev on an address that others
    can reach, because the operator insisted."""

    def __init__(
        self,
        mode: AuthMethod,
        tokens: Tokens,
        *,
        allowed_origins: Collection[str] = (),
        any_host: bool = False,
    ) -> None:
        self.mode = mode
        self._tokens = tokens
        self._origins = Origins(allowed_origins)
        self._any_host = any_host
        self._connections: dict[str, set[Callable[[], None]]] = {}

    def check(self, request: web.Request) -> None:
        """Raises Refusal `forbidden_host` (DNS rebinding) or `forbidden_origin`."""
        if self.mode == "dev" and not self._any_host and not is_loopback(_name(request.host)):
            raise Refusal(
                403,
                "forbidden_host",
                f"Without authentication only loopback names are served, not {request.host!r}.",
            )
        origin = request.headers.get(hdrs.ORIGIN)
        guarded = request.method not in SAFE_METHODS or hdrs.UPGRADE in request.headers
        if origin is not None and guarded and not self._is_allowed(origin, request):
            raise Refusal(
                403,
                "forbidden_origin",
                f"Pages of {origin!r} may not do this. Name it in `allowed_origins` to let them.",
            )

    async def who(self, request: web.Request) -> User:
        """Raises Refusal `unauthorized`."""
        if self.mode == "dev":
            return DEV
        scheme, _, secret = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        token = await self._tokens.verify(secret.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise Refusal(
                401,
                "unauthorized",
                "Send a valid token as `Authorization: Bearer TOKEN`. "
                "`mooring token create` makes one.",
            )
        role: Role = "operator" if token.role == "operator" else "user"
        return User(token.user, token.user, role, "token", token.id)

    def watched(self, user: User, on_revoked: Callable[[], None]) -> Held:
        """While inside, `on_revoked` is called when what the user came with is valid no more."""
        if user.token is not None:
            self._connections.setdefault(user.token, set()).add(on_revoked)
        return Held(partial(self._unwatch, user.token, on_revoked))

    def _unwatch(self, token: str | None, on_revoked: Callable[[], None]) -> None:
        calls = self._connections.get(token) if token is not None else None
        if token is None or calls is None:
            return
        calls.discard(on_revoked)
        if not calls:
            del self._connections[token]

    async def watch(self) -> None:
        """Look at the tokens of open connections, for ever."""
        while True:
            await asyncio.sleep(REVOCATION_SECONDS)
            try:
                await self._part_with_revoked()
            except Problem as problem:
                log.warning("the tokens of open connections are not known: %s", problem.message)

    async def _part_with_revoked(self) -> None:
        for token, calls in tuple(self._connections.items()):
            if await self._tokens.current(token) is None:
                for revoked in tuple(calls):
                    revoked()

    def _is_allowed(self, origin: str, request: web.Request) -> bool:
        """Pages of everywhere, where `*` is configured, have to say who they are by themselves."""
        try:
            parts = urlsplit(origin.lower())
        except ValueError:
            return False
        own = parts.scheme in ("http", "https") and parts.netloc == request.host.lower()
        says = self.mode != "dev" and hdrs.AUTHORIZATION in request.headers
        return own or self._origins.names(origin) or (says and self._origins.everybody)


def is_loopback(host: str) -> bool:
    """Of a name or an address, without a port."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """`[::1]:8765` -> `::1`, `localhost:8765` -> `localhost`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


async def gate_for(settings: ServeSettings, config: Config, tokens: Tokens) -> Gate:
    """Raises ConfigProblem for an address that would be open to others."""
    if settings.auth == "oauth":
        raise ConfigProblem("--auth oauth is not available yet. Use token, or dev on loopback.")
    named = settings.auth == "token" or (settings.auth == "auto" and bool(await tokens.listed()))
    if named:
        return Gate("token", tokens, allowed_origins=config.allowed_origins)
    open_to_others = not is_loopback(settings.host)
    if open_to_others and not settings.insecure_no_auth:
        raise ConfigProblem(
            f"Without authentication only loopback is served, not {settings.host}. Make a token "
            "with `mooring token create --user NAME`, or insist with --insecure-no-auth."
        )
    return Gate("dev", tokens, allowed_origins=config.allowed_origins, any_host=open_to_others)
