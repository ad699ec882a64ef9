"""What every request under `/api` passes before its handler: the gate, then whose session it is."""

import re

from aiohttp import web

from server.identity.gate import GATE
from server.keys import SESSIONS, USER
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
