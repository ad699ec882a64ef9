"""The gate every request passes: whose it is, and whether its origin and host may ask at all."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from agent.errors import Problem
from agent.loopback import is_loopback
from server.errors import Refusal, Unauthorized
from server.held import Held
from server.identity.origins import Origins
from server.identity.proofs import Proof, is_guarded, shows_itself
from server.people import AuthMethod, User

log = logging.getLogger(__name__)

GATE: web.AppKey["Gate"] = web.AppKey("gate")
DEV = User("dev", "dev", "operator", "dev")
LOGIN = "/login"
"""Where browsers go to log in."""
REVOCATION_SECONDS = 0.5
"""How often what open connections came with is looked at again."""


class Gate:
    """`mode` is dev (one user, loopback only), token, or oauth. `proofs` are asked in turn.
    `any_host`: dev on an address that others can reach, because the operator insisted."""

    def __init__(
        self,
        mode: AuthMethod,
        proofs: Sequence[Proof],
        *,
        allowed_origins: Collection[str] = (),
        any_host: bool = False,
    ) -> None:
        self.mode = mode
        self._proofs = proofs
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
        if origin is not None and is_guarded(request) and not self._is_allowed(origin, request):
            raise Refusal(
                403,
                "forbidden_origin",
                f"Pages of {origin!r} may not do this. Name it in `allowed_origins` to let them.",
            )

    async def who(self, request: web.Request) -> User:
        """Raises Refusal `unauthorized`."""
        if self.mode == "dev":
            return DEV
        for proof in self._proofs:
            if (user := await proof.user(request)) is not None:
                return user
        if self.mode == "oauth":
            raise Unauthorized(
                "Log in, or send a valid token as `Authorization: Bearer TOKEN`.", LOGIN
            )
        raise Unauthorized(
            "Send a valid token as `Authorization: Bearer TOKEN`. `mooring token create` makes one."
        )

    def watched(self, user: User, on_revoked: Callable[[], None]) -> Held:
        """While inside, `on_revoked` is called when what the user came with is valid no more."""
        if user.token is not None:
            self._connections.setdefault(user.token, set()).add(on_revoked)
        return Held(self._unwatch, user.token, on_revoked)

    def _unwatch(self, token: str | None, on_revoked: Callable[[], None]) -> None:
        calls = self._connections.get(token) if token is not None else None
        if token is None or calls is None:
            return
        calls.discard(on_revoked)
        if not calls:
            del self._connections[token]

    async def watch(self) -> None:
        """Look at what open connections came with, for ever."""
        while True:
            await asyncio.sleep(REVOCATION_SECONDS)
            try:
                await self._part_with_revoked()
            except Problem as problem:
                log.warning("whether open connections may stay is not known: %s", problem.message)

    async def _part_with_revoked(self) -> None:
        for proof in self._proofs:
            for id in await proof.lost(tuple(self._connections)):
                for revoked in tuple(self._connections.get(id, ())):
                    revoked()

    def _is_allowed(self, origin: str, request: web.Request) -> bool:
        """Pages of everywhere, where `*` is configured, have to say who they are by themselves."""
        try:
            parts = urlsplit(origin.lower())
        except ValueError:
            return False
        own = parts.scheme in ("http", "https") and parts.netloc == request.host.lower()
        says = self.mode != "dev" and shows_itself(request)
        return own or self._origins.names(origin) or (says and self._origins.everybody)


def _name(host: str) -> str:
    """`[::1]:8765` -> `::1`, `localhost:8765` -> `localhost`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
