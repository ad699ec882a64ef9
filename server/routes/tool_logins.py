"""Servers of tools that want a log-in of each user: which there are, connecting them, parting."""

import html

from aiohttp import hdrs, web
from msgspec import Struct

from server.errors import Refusal, Unauthorized
from server.identity.connecting import BACK, CONNECTING, PERSON_SECONDS, Back, cookie_of
from server.identity.gate import GATE
from server.identity.ways_in import WAYS_IN
from server.keys import AUDIT, TOOL_SERVERS, USER
from server.routes.answers import json, problem_told

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mooring</title>
<h1>{heading}</h1><p>{message}</p><p><a href="/">Mooring</a></p></html>
"""


class ToolServerState(Struct, frozen=True):
    """`oauth`: each user logs in there; `connected`: this one has, and it was not taken back."""

    name: str
    oauth: bool
    connected: bool


class ToolServerList(Struct, frozen=True):
    servers: tuple[ToolServerState, ...]


class Consent(Struct, frozen=True):
    """`url` is where a browser goes, which comes back by itself."""

    url: str


async def listed(request: web.Request) -> web.Response:
    connecting, user = request.app[CONNECTING], request[USER].id
    return json(
        ToolServerList(
            tuple(
                ToolServerState(
                    name,
                    name in connecting.servers,
                    connecting.logins.of(user, name) is not None,
                )
                for name in request.app[TOOL_SERVERS].names
            )
        )
    )


async def begun(request: web.Request) -> web.Response:
    """The answer's cookie is for the browser that comes back."""
    server, user = request.match_info["server"], request[USER].id
    here = request.app[WAYS_IN].public_url or f"{request.scheme}://{request.host}"
    begun = await request.app[CONNECTING].begin(user, server, here)
    answer = json(Consent(begun.url))
    answer.set_cookie(
        cookie_of(server),
        begun.proof,
        max_age=int(PERSON_SECONDS),
        path=BACK,
        httponly=True,
        samesite="Lax",
        secure=here.startswith("https:"),
    )
    return answer


async def finished(request: web.Request) -> web.Response:
    """A browser is back from there."""
    try:
        back = Back(request.cookies, request.query, await _who(request))
        attempt = await request.app[CONNECTING].finish(back)
    except Refusal as refusal:
        answer = problem_told(refusal)
        if "text/html" in request.headers.get(hdrs.ACCEPT, ""):
            _page(answer, "It is not connected", refusal.message)
        return answer
    server = attempt.server
    request.app[AUDIT].record("mcp_connected", attempt.user, address=request.remote, server=server)
    answer = web.Response()
    _page(answer, "It is connected", f"Sessions have the tools of {server} from now on.")
    answer.del_cookie(cookie_of(server), path=BACK)
    return answer


async def forgotten(request: web.Request) -> web.Response:
    server, user = request.match_info["server"], request[USER].id
    if not await request.app[CONNECTING].forget(user, server):
        raise Refusal(404, "not_connected", f"You are not connected to {server}.")
    request.app[AUDIT].record("mcp_disconnected", user, address=request.remote, server=server)
    return web.Response(status=204)


async def _who(request: web.Request) -> str | None:
    """Whose browser it is, where it shows that by itself; its cookie proves the rest."""
    try:
        return (await request.app[GATE].who(request)).id
    except Unauthorized:
        return None


def _page(answer: web.Response, heading: str, message: str) -> None:
    answer.text = PAGE.format(heading=heading, message=html.escape(message))
    answer.content_type = "text/html"
