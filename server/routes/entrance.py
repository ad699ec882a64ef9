"""What every request under `/api` passes before its handler: the gate, then whose session it is."""

import re

from aiohttp import web

from server.errors import Refusal
from server.identity.gate import GATE
from server.keys import RATES, SESSIONS, USER
from server.routes.answers import Handler

_OF_A_SESSION = re.compile(r"/api/sessions/(?P<id>[^/]+)(/.*)?", re.DOTALL)


@web.middleware
async def entrance(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Ownership comes before method, query, body, and whether the sub-path exists at all."""
    gate = request.app[GATE]
    gate.check(request)
    path = request.rel_url.path_safe  # what the router reads: `/%61pi/...` is no way around
    if not path.startswith("/api/"):
        return await handler(request)
    user = request[USER] = await gate.who(request)
    if (found := _OF_A_SESSION.fullmatch(path)) is not None:
        await request.app[SESSIONS].row(found["id"], user)
    return await handler(request)


@web.middleware
async def wary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Who tries one credential after another is slowed down."""
    try:
        return await handler(request)
    except Refusal as refusal:
        if refusal.code == "unauthorized":
            request.app[RATES].failure(request.remote or "")
        raise
