"""The outermost door: a request that a trusted proxy passes on is its client's from here on."""

from aiohttp import web

from server.keys import PROXIES
from server.proxies import Asker
from server.routes.answers import Handler

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")


@web.middleware
async def proxied(request: web.Request, handler: Handler) -> web.StreamResponse:
    """`remote`, `scheme` and `host` are the client's for every room behind this one."""
    told = {
        name.lower(): ",".join(request.headers.getall(name))
        for name in FORWARDED
        if name in request.headers
    }
    if told:
        nearest = Asker(request.remote or "", request.scheme, request.host)
        asker = request.app[PROXIES].asker(nearest, told)
        if asker != nearest:
            request = request.clone(remote=asker.address, scheme=asker.scheme, host=asker.host)
    return await handler(request)
