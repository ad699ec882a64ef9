"""What every request under `/api` passes before its handler: the gate, then the one rule."""

import re

from aiohttp import hdrs, web

from server.access import Relation, check
from server.errors import Unauthorized
from server.identity.gate import GATE
from server.identity.sharing import SHARING
from server.keys import RATES, RELATION, ROW, SESSIONS, USER
from server.people import User
from server.routes.answers import Handler
from server.routes.rights import RIGHTS, Route

_OF_A_SESSION = re.compile(r"/api/sessions/(?P<id>[^/]+)(/.*)?", re.DOTALL)


@web.middleware
async def entrance(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Who may read a session at all comes before method, query, body, and whether the sub-path
    exists; then comes whether they may do what the route does."""
    request.app[GATE].check(request)
    path = request.rel_url.path_safe  # what the router reads: `/%61pi/...` is no way around
    if path.startswith("/api/"):
        await _admit(request, path)
    return await handler(request)


async def _admit(request: web.Request, path: str) -> None:
    """Not part of the door itself, which stays open as long as a socket lives."""
    relation: Relation = "none"
    user = request[USER] = await asker(request)
    if (found := _OF_A_SESSION.fullmatch(path)) is not None:
        row = request[ROW] = await request.app[SESSIONS].row(found["id"])
        relation = request[RELATION] = await request.app[SHARING].relation(user, row)
        check(user.role, relation, "read")
    if (route := route_of(request)) is not None:
        check(user.role, relation, RIGHTS[route])


async def asker(request: web.Request) -> User:
    """Raises Unauthorized. Who tries one credential after another is slowed down."""
    try:
        return await request.app[GATE].who(request)
    except Unauthorized:
        request.app[RATES].failure(request.remote or "")
        raise


def route_of(request: web.Request) -> Route | None:
    """As the table of rights names it; None where there is no such door."""
    resource = request.match_info.route.resource
    if resource is None:
        return None
    method = hdrs.METH_GET if request.method == hdrs.METH_HEAD else request.method
    return method, resource.canonical
